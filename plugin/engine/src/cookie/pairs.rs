//! A `Cookie` header taken apart, once, in the way both finding and stripping rely on.

/// The pieces between semicolons as they stand, each with the name and value in it.
///
/// A piece ends at the next semicolon whatever is quoted: the legacy syntax that lets a quoted value contain
/// semicolons is how one cookie hides inside another ("cookie sandwich"), and no browser sends it.
pub(super) fn pairs(header: &[u8]) -> impl Iterator<Item = Pair<'_>> {
    let ends = memchr::memchr_iter(b';', header).chain([header.len()]);
    ends.scan(0, move |start, end| {
        let piece = &header[*start..end];
        *start = end + 1;
        Some(Pair(piece))
    })
}

/// One piece of a `Cookie` header.
#[derive(Clone, Copy)]
pub(super) struct Pair<'a>(&'a [u8]);

impl<'a> Pair<'a> {
    /// The piece with the spacing around it.
    pub(super) fn raw(self) -> &'a [u8] {
        self.0
    }

    /// Whether this is the cookie called `name`.
    pub(super) fn is(self, name: &str) -> bool {
        // The name first: most pieces differ in it, and none of the others has to be searched for its equals sign.
        let rest = trim(self.0).strip_prefix(name.as_bytes());
        rest.is_some_and(|rest| trim(rest).first() == Some(&b'='))
    }

    /// What follows the first equals sign, without one pair of quotes around it.
    pub(super) fn value(self) -> Option<&'a [u8]> {
        let (_, value) = self.split()?;
        let unquoted = value
            .strip_prefix(b"\"")
            .and_then(|value| value.strip_suffix(b"\""));
        Some(unquoted.unwrap_or(value))
    }

    fn split(self) -> Option<(&'a [u8], &'a [u8])> {
        let at = self.0.iter().position(|&byte| byte == b'=')?;
        Some((trim(&self.0[..at]), trim(&self.0[at + 1..])))
    }
}

/// Spaces and tabs only. What other alphabets call a space belongs to the name: a server that trims more than the
/// browser did can be made to see a `__Host-` cookie that the browser never protected.
pub(super) fn trim(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}
