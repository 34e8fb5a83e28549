//! The `Path` attribute: below which path the cookie is sent.

use std::fmt;

/// The most bytes a browser takes as the value of one attribute; it ignores a longer one (RFC 6265bis, section 5.6).
pub(super) const MAX_ATTRIBUTE: usize = 1024;

/// An absolute path as a browser compares it: escapes stay escaped.
///
/// A path keeps the cookie out of sight, not out of reach: any page of the host can get at it.
///
/// ```
/// use engine::cookie::{CookiePath, PathError};
///
/// assert_eq!(CookiePath::default(), CookiePath::parse("/")?);
/// assert_eq!(CookiePath::parse("app"), Err(PathError::Relative));
/// # Ok::<(), PathError>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CookiePath(Box<str>);

impl CookiePath {
    /// Takes a path from the configuration.
    ///
    /// # Errors
    /// When a browser would ignore it and use another one, or could find it in no URL.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        if !text.starts_with('/') {
            return Err(PathError::Relative);
        }
        if text.len() > MAX_ATTRIBUTE {
            return Err(PathError::TooLong(text.len()));
        }
        match text.chars().find(|&char| !stands_in_urls(char)) {
            Some(char) => Err(PathError::Character(char)),
            None => Ok(Self(text.into())),
        }
    }

    /// The path as it goes over the wire.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is every path of the host.
    pub fn is_root(&self) -> bool {
        &*self.0 == "/"
    }
}

/// Every path of the host.
impl Default for CookiePath {
    fn default() -> Self {
        Self("/".into())
    }
}

impl fmt::Display for CookiePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a text is no path for a cookie.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum PathError {
    /// It would end the attribute, or a browser escapes it in URLs, so that no request ever matches.
    #[error(
        "{0:?} is not allowed in a path; where a URL has it at all, it is escaped with a percent sign"
    )]
    Character(char),
    /// Browsers would use the directory of the page instead.
    #[error("a path has to begin with a slash")]
    Relative,
    /// More than the value of an attribute may have.
    #[error("a path of {0} bytes is too long; {MAX_ATTRIBUTE} are allowed")]
    TooLong(usize),
}

/// What is in the path of a URL as itself (WHATWG URL, "path percent-encode set"), and no semicolon.
fn stands_in_urls(char: char) -> bool {
    char.is_ascii_graphic() && !"\"#;<>?\\^`{}".contains(char)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_is_accepted_or_has_its_fault() {
        use PathError as E;

        let longest = format!("/{}", "a".repeat(1023));
        let too_long = format!("/{}", "a".repeat(1024));
        let character = |char| Err(E::Character(char));
        let cases = [
            ("/", Ok(())),
            ("/app", Ok(())),
            ("/app/", Ok(())),
            ("/a%20b/%C3%BC", Ok(())),
            ("/~anna/a-b_c.d!$&'()*+,=:@|[]", Ok(())),
            (&longest, Ok(())),
            (&too_long, Err(E::TooLong(1025))),
            ("", Err(E::Relative)),
            ("app", Err(E::Relative)),
            (" /app", Err(E::Relative)),
            ("\"/app\"", Err(E::Relative)),
            ("/app ", character(' ')),
            ("/app;Secure", character(';')),
            ("/app;", character(';')),
            ("/app\r\nX: y", character('\r')),
            ("/a\0b", character('\0')),
            ("/a\tb", character('\t')),
            ("/a\u{7f}", character('\u{7f}')),
            ("/über", character('ü')),
            ("/app?x", character('?')),
            ("/app#x", character('#')),
            ("/a\\b", character('\\')),
        ];
        for (text, expected) in cases {
            assert_eq!(CookiePath::parse(text).map(|_| ()), expected, "{text:?}");
        }
    }
}
