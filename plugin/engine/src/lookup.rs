//! Where in a request the session id is: `keyLookup`.

use std::fmt;
use std::str::FromStr;

use crate::cookie::{CookieName, NameError};

/// The places to look at, in their order.
///
/// ```
/// use engine::{KeyLookup, Source};
///
/// let lookup = KeyLookup::parse(["cookie:session_id", "header:X-Session"])?;
///
/// assert!(matches!(lookup.sources(), [Source::Cookie(_), Source::Header(_)]));
/// # Ok::<(), engine::LookupError>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KeyLookup(Box<[Source]>);

impl KeyLookup {
    /// Reads one or several texts like `cookie:session_id`.
    ///
    /// # Errors
    /// When there is none, one is repeated, or one is not `cookie:`, `header:` or `query:` with a name.
    pub fn parse<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self, LookupError> {
        let mut sources = Vec::new();
        for text in texts {
            let source: Source = text.parse()?;
            if sources.contains(&source) {
                return Err(LookupError::Repeated(text.into()));
            }
            sources.push(source);
        }
        if sources.is_empty() {
            return Err(LookupError::Empty);
        }
        Ok(Self(sources.into_boxed_slice()))
    }

    /// The places, the first to try first. Never empty.
    pub fn sources(&self) -> &[Source] {
        &self.0
    }
}

/// One place in a request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Source {
    /// A cookie.
    Cookie(CookieName),
    /// A request header, in lower case.
    Header(Box<str>),
    /// A parameter of the query string. Ids there end up in histories and logs; cookies are better.
    Query(Box<str>),
}

impl FromStr for Source {
    type Err = LookupError;

    fn from_str(text: &str) -> Result<Self, LookupError> {
        let Some((kind, name)) = text.split_once(':') else {
            return Err(LookupError::Shape(text.into()));
        };
        let named = |cause| LookupError::Name {
            text: text.into(),
            cause,
        };
        let token = CookieName::parse(name).map_err(named);
        match kind {
            "cookie" => token.map(Self::Cookie),
            "header" => token.map(|name| Self::Header(name.as_str().to_ascii_lowercase().into())),
            "query" => token.map(|name| Self::Query(name.as_str().into())),
            _ => Err(LookupError::Shape(text.into())),
        }
    }
}

/// As it would be configured.
impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cookie(name) => write!(f, "cookie:{name}"),
            Self::Header(name) => write!(f, "header:{name}"),
            Self::Query(name) => write!(f, "query:{name}"),
        }
    }
}

/// Why a `keyLookup` cannot be used.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum LookupError {
    /// A list without entries.
    #[error("at least one of cookie:<name>, header:<name>, query:<name> is needed")]
    Empty,
    /// The name is not one.
    #[error("{text:?}: {cause}")]
    Name {
        /// What was configured.
        text: String,
        /// What is wrong with its name.
        #[source]
        cause: NameError,
    },
    /// The same place twice.
    #[error("{0:?} is named twice")]
    Repeated(String),
    /// None of the three forms.
    #[error("{0:?} is not one of cookie:<name>, header:<name>, query:<name>")]
    Shape(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_forms_are_understood() {
        let lookup = KeyLookup::parse(["cookie:sid", "header:X-Session-Id", "query:s"]).unwrap();

        let texts: Vec<_> = lookup.sources().iter().map(ToString::to_string).collect();

        assert_eq!(texts, ["cookie:sid", "header:x-session-id", "query:s"]);
    }

    #[test]
    fn every_fault_is_told_with_what_is_allowed() {
        let fault = |texts: &[&str]| {
            KeyLookup::parse(texts.iter().copied())
                .unwrap_err()
                .to_string()
        };

        assert_eq!(
            fault(&["sid"]),
            r#""sid" is not one of cookie:<name>, header:<name>, query:<name>"#
        );
        assert_eq!(
            fault(&["body:sid"]),
            r#""body:sid" is not one of cookie:<name>, header:<name>, query:<name>"#
        );
        assert_eq!(
            fault(&["cookie:"]),
            r#""cookie:": a name must not be empty"#
        );
        assert_eq!(
            fault(&["header:a", "header:A"]),
            r#""header:A" is named twice"#
        );
        assert!(fault(&["cookie:a b"]).starts_with(r#""cookie:a b": ' ' is not allowed"#));
        assert!(fault(&[]).starts_with("at least one"));
    }
}
