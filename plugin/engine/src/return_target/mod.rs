//! Where a visitor goes after logging in or out: a place that no stranger can choose.

mod local;
mod origins;

use std::fmt;

use abi::Exchange;

pub use self::origins::{ReturnOrigin, ReturnOriginError, ReturnOrigins};
use crate::origin::Origin;

/// A target for `Location` that leads to this site, or to an origin that the configuration allows.
///
/// It is a path that begins with exactly one slash, or an absolute URL whose origin was written by us and not by whoever
/// asked. Both are of the letters of RFC 3986 only, so that a parser of that RFC and one of the WHATWG's read the same.
///
/// ```
/// use engine::ReturnTarget;
///
/// assert_eq!(ReturnTarget::local("/reports?year=2026").unwrap().as_str(), "/reports?year=2026");
/// assert_eq!(ReturnTarget::local("//evil.example"), None);
/// assert_eq!(ReturnTarget::local("/\\evil.example"), None);
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ReturnTarget(Box<str>);

impl ReturnTarget {
    /// The front page of this site.
    pub fn front_page() -> Self {
        Self("/".into())
    }

    /// A path of this site, with its query and fragment. None when it is none, or could be taken for another site: by a
    /// browser, or by whoever decodes it once more.
    pub fn local(text: &str) -> Option<Self> {
        local::read(text).map(|text| Self(text.into()))
    }

    /// The path and query that a request asked for, to come back to. The front page when those could not be asked for
    /// again in safety.
    pub fn of_request(exchange: &Exchange<'_>) -> Self {
        let path = exchange.path();
        let target = match exchange.query() {
            Some(query) => Self::local(&format!("{path}?{query}")),
            None => Self::local(path),
        };
        target.unwrap_or_else(Self::front_page)
    }

    /// The same place as an absolute URL, for whoever is on another host.
    #[must_use]
    pub fn at(self, origin: &Origin) -> Self {
        match self.is_local() {
            true => Self(format!("{origin}{self}").into()),
            false => self,
        }
    }

    /// What stands in `Location`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The target as the value of a parameter in a query.
    pub fn in_query(&self) -> String {
        local::escape_all(&self.0)
    }

    /// Whether it leads to this site.
    pub fn is_local(&self) -> bool {
        self.0.starts_with('/')
    }
}

impl fmt::Display for ReturnTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl ReturnOrigins {
    /// The target that a request names: a path, or an absolute URL at one of these origins or at the request's `own`.
    /// None when it leads anywhere else.
    pub fn target(&self, text: &str, own: Option<&Origin>) -> Option<ReturnTarget> {
        if text.starts_with('/') {
            return ReturnTarget::local(text);
        }
        let (origin, rest) = Origin::split(text)?;
        let local = match rest.starts_with('/') {
            true => ReturnTarget::local(rest)?,
            false => ReturnTarget::local(&format!("/{rest}"))?,
        };
        match own {
            Some(own) if *own == origin => Some(local),
            _ => self.allows(&origin).then(|| local.at(&origin)),
        }
    }
}

#[cfg(test)]
mod tests;
