//! What requests to actions bring along: JSON by programs, forms by browsers.

use abi::{Exchange, HeaderName, Side};

/// How a request came, and so how it is answered.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Form {
    /// By a program: statuses and JSON.
    Json,
    /// By a browser: redirects.
    Html,
}

impl Form {
    /// Goes by the type of the content. None when it is neither.
    pub(super) fn of(exchange: &Exchange<'_>, content_type: HeaderName) -> Option<Self> {
        let kind = exchange.header(Side::Request, content_type);
        let kind = essence(kind.unwrap_or_default());
        if kind.eq_ignore_ascii_case(b"application/json") {
            return Some(Self::Json);
        }
        kind.eq_ignore_ascii_case(b"application/x-www-form-urlencoded")
            .then_some(Self::Html)
    }
}

/// The fields of a form, each of which may be there once.
pub(super) struct Fields(Vec<(String, String)>);

impl Fields {
    pub(super) fn parse(body: &[u8]) -> Self {
        Self(form_urlencoded::parse(body).into_owned().collect())
    }

    /// The value of a field, if it is there. None when it is there more than once: nobody can say which one is meant.
    pub(super) fn the_only(&self, name: &str) -> Option<Option<&str>> {
        let mut values = self.0.iter().filter(|(known, _)| known == name);
        let first = values.next().map(|(_, value)| value.as_str());
        values.next().is_none().then_some(first)
    }

    /// Whether a box is ticked.
    pub(super) fn is_set(&self, name: &str) -> Option<bool> {
        let value = self.the_only(name)?;
        Some(value.is_some_and(|value| matches!(value, "true" | "on" | "1")))
    }
}

/// The type without its parameters.
fn essence(content_type: &[u8]) -> &[u8] {
    let essence = content_type.split(|byte| *byte == b';').next();
    essence.unwrap_or_default().trim_ascii()
}
