//! Where the cookies of one name stand in a `Cookie` header; finding and stripping both rely on it.

use std::ops::Range;

use memchr::memchr;

use super::name::CookieName;

/// A cookie in a header.
#[derive(Debug)]
pub(super) struct Named<'h> {
    /// From the semicolon before it up to the one behind it, without either.
    pub(super) piece: Range<usize>,
    /// What follows the equals sign.
    ///
    /// Byte for byte, without anything taken off or decoded: a browser sends a cookie as it stored it, and what it
    /// would not store under our name must not become ours here. Quotes are part of the value (RFC 6265bis, section
    /// 4.1.1).
    pub(super) value: &'h [u8],
}

/// The cookies called `name` in their order.
///
/// One ends at the next semicolon whatever is quoted: the legacy syntax that lets a quoted value contain semicolons is
/// how one cookie hides inside another ("cookie sandwich"), and no browser sends it.
pub(super) fn named<'h>(header: &'h [u8], name: &CookieName) -> impl Iterator<Item = Named<'h>> {
    let name_len = name.as_str().len();
    let cookie = move |at: usize| {
        let start = start_of_piece(header, at)?;
        let value = header[at + name_len..].strip_prefix(b"=")?;
        let len = memchr(b';', value).unwrap_or(value.len());
        Some(Named {
            piece: start..at + name_len + 1 + len,
            value: trim_end(&value[..len]),
        })
    };
    // A name has no semicolon or space in it, so no cookie begins inside of what looks like the name and is not.
    name.occurrences(header).filter_map(cookie)
}

/// Where the piece begins whose first letter is at `at`; nothing if something else comes first.
///
/// Spaces only, as they stand between cookies. What other alphabets call a space, and a tab, belongs to the name: a
/// server that trims more than the browser did can be made to see a `__Host-` cookie that the browser never protected.
fn start_of_piece(header: &[u8], at: usize) -> Option<usize> {
    let before = trim_end(&header[..at]);
    matches!(before, [] | [.., b';']).then_some(before.len())
}

fn trim_end(mut bytes: &[u8]) -> &[u8] {
    while let [rest @ .., b' '] = bytes {
        bytes = rest;
    }
    bytes
}
