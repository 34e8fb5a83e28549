//! The name of a cookie.

use std::fmt;

use memchr::memmem::Finder;

/// A token as RFC 6265bis, section 4.1.1 asks for. Compared byte by byte: cookie names are case-sensitive.
#[derive(Clone)]
pub struct CookieName {
    text: Box<str>,
    /// Made once: making it takes longer than most headers are searched.
    finder: Box<Finder<'static>>,
}

impl CookieName {
    /// Takes a name from the configuration.
    ///
    /// # Errors
    /// When a server may not send it: empty, or with a character that is not allowed in a token.
    pub fn parse(name: &str) -> Result<Self, NameError> {
        match name.chars().find(|&char| !is_token(char)) {
            Some(char) => Err(NameError::Character(char)),
            None if name.is_empty() => Err(NameError::Empty),
            None => Ok(Self {
                text: name.into(),
                finder: Box::new(Finder::new(name).into_owned()),
            }),
        }
    }

    /// The name as it was configured.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Wherever the letters of the name stand in a header, as a name or as part of something else.
    pub(super) fn occurrences(&self, header: &[u8]) -> impl Iterator<Item = usize> {
        self.finder.find_iter(header)
    }
}

impl PartialEq for CookieName {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for CookieName {}

impl fmt::Debug for CookieName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CookieName").field(&self.text).finish()
    }
}

impl fmt::Display for CookieName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Why a text cannot name a cookie or a header.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NameError {
    /// A character outside of the token alphabet.
    #[error("{0:?} is not allowed in a name; letters, digits and !#$%&'*+-.^_`|~ are")]
    Character(char),
    /// Nothing at all.
    #[error("a name must not be empty")]
    Empty,
}

/// RFC 9110, section 5.6.2; cookie names and header names share it.
fn is_token(char: char) -> bool {
    char.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(char)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_names_are_accepted() {
        for name in ["session_id", "__Host-sid", "a.b", "SID!"] {
            assert_eq!(CookieName::parse(name).unwrap().as_str(), name);
        }
    }

    #[test]
    fn what_is_not_a_token_is_refused() {
        assert_eq!(CookieName::parse(""), Err(NameError::Empty));
        for name in [
            "a b",
            "a=b",
            "a;b",
            "a\"",
            "a\n",
            "é",
            "\u{2000}a",
            "a,b",
            "a\0",
        ] {
            assert!(
                matches!(CookieName::parse(name), Err(NameError::Character(_))),
                "{name:?}"
            );
        }
    }
}
