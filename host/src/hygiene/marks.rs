//! Which fields with a meaning for the message itself are there.

use http::HeaderMap;

/// What one look at all names tells. Most messages have few of these, and one look costs less than a search for each.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Marks(u8);

impl Marks {
    pub(crate) const CODING: Self = Self(1);
    pub(crate) const CONNECTION: Self = Self(1 << 1);
    pub(crate) const EXPECT: Self = Self(1 << 2);
    pub(crate) const LENGTH: Self = Self(1 << 3);
    /// Any other that belongs to the connection.
    pub(crate) const OTHER: Self = Self(1 << 4);
    /// Where it was before.
    pub(crate) const PASSAGES: Self = Self(1 << 7);
    pub(crate) const TE: Self = Self(1 << 5);
    pub(crate) const UPGRADE: Self = Self(1 << 6);

    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let marks = headers.keys().map(|name| Self::of_name(name.as_str()));
        marks.fold(Self::default(), |all, mark| Self(all.0 | mark.0))
    }

    /// Whether any of these is there.
    pub(crate) fn has<const N: usize>(self, any: [Self; N]) -> bool {
        any.iter().any(|mark| self.0 & mark.0 != 0)
    }

    /// `name` is in lower case.
    fn of_name(name: &str) -> Self {
        match name {
            "cdn-loop" => Self::PASSAGES,
            "connection" => Self::CONNECTION,
            "content-length" => Self::LENGTH,
            "expect" => Self::EXPECT,
            "http2-settings"
            | "keep-alive"
            | "proxy-authenticate"
            | "proxy-authorization"
            | "proxy-connection" => Self::OTHER,
            "te" => Self::TE,
            "transfer-encoding" => Self::CODING,
            "upgrade" => Self::UPGRADE,
            _ => Self::default(),
        }
    }
}
