//! All cookies of one name that a request carries.

use super::name::CookieName;
use super::named::named;

/// How many cookies of our name are looked at. A browser sends several when a sibling domain or another path set the
/// same name; more than a few are an attack on our patience.
pub const MAX_CANDIDATES: usize = 4;

/// The values of the cookies that carry our name, in the order of the request.
///
/// Which of them is the session is not decided here: each has to prove itself. Iterating allocates nothing.
///
/// ```
/// use engine::cookie::{Candidates, CookieName};
///
/// let name = CookieName::parse("sid")?;
/// let headers = [b"theme=dark; sid=one".as_slice(), b"sid=two"];
///
/// let found: Vec<_> = Candidates::of(headers, &name).collect();
///
/// assert_eq!(found, [b"one", b"two"]);
/// # Ok::<(), engine::cookie::NameError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Candidates<'a> {
    found: [Option<&'a [u8]>; MAX_CANDIDATES],
    next: usize,
}

impl<'a> Candidates<'a> {
    /// Looks through all `Cookie` headers of a request.
    pub fn of(headers: impl IntoIterator<Item = &'a [u8]>, name: &CookieName) -> Self {
        let mut found = [None; MAX_CANDIDATES];
        let ours = headers.into_iter().flat_map(|header| named(header, name));
        for (place, cookie) in found.iter_mut().zip(ours) {
            *place = Some(cookie.value);
        }
        Self { found, next: 0 }
    }
}

impl<'a> Iterator for Candidates<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let value = self.found.get(self.next).copied().flatten()?;
        self.next += 1;
        Some(value)
    }
}

#[cfg(test)]
mod tests;
