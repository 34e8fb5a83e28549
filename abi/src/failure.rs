//! How a middleware, an action or a session says that it could not do its work.

use std::borrow::Cow;
use std::fmt;

/// A request that cannot go on. The gateway answers with the status of its [`Kind`] and logs the rest; the client
/// sees nothing of the message.
///
/// ```
/// use abi::{Failure, failure::Kind};
///
/// let failure = Failure::new(Kind::UNAVAILABLE, "storage-unavailable", "no answer within 1s");
/// assert_eq!(failure.to_string(), "storage-unavailable: no answer within 1s");
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Failure {
    kind: Kind,
    reason: Cow<'static, str>,
    message: String,
}

/// What sort of failure it is. A number, so that kinds can be added; a kind that the gateway does not know is
/// treated as [`INTERNAL`](Self::INTERNAL).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Kind(u8);

impl Kind {
    /// The plugin is at fault: 500.
    pub const INTERNAL: Self = Self(0);
    /// Something behind the gateway does not answer: 503 with `Retry-After`.
    pub const UNAVAILABLE: Self = Self(1);
    /// The request is malformed: 400.
    pub const BAD_REQUEST: Self = Self(2);
    /// The request needs a logged-in session: 401.
    pub const UNAUTHORIZED: Self = Self(3);
    /// The session may not do this: 403.
    pub const FORBIDDEN: Self = Self(4);
    /// The request's body is larger than allowed: 413.
    pub const TOO_LARGE: Self = Self(5);

    pub(crate) const fn from_code(code: u8) -> Self {
        Self(code)
    }

    pub(crate) const fn code(self) -> u8 {
        self.0
    }
}

impl Failure {
    /// A failure with a stable `reason` code (kebab case, for alerts and tests) and a `message` for people.
    ///
    /// # Security
    /// Both are logged: no ids, no secrets, no values of attributes.
    pub fn new(kind: Kind, reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            kind,
            reason: Cow::Borrowed(reason),
            message: message.into(),
        }
    }

    /// A defect of the plugin itself.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(Kind::INTERNAL, "internal", message)
    }

    pub(crate) fn panicked(entry: &'static str, text: String) -> Self {
        Self::new(Kind::INTERNAL, "panic", format!("{entry} panicked: {text}"))
    }

    pub(crate) fn from_parts(kind: Kind, reason: String, message: String) -> Self {
        Self {
            kind,
            reason: Cow::Owned(reason),
            message,
        }
    }

    /// What decides the status.
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// The stable code, for example `storage-unavailable` or `panic`.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// The explanation.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.reason, self.message)
    }
}

impl std::error::Error for Failure {}

impl From<crate::storage::Unavailable> for Failure {
    fn from(cause: crate::storage::Unavailable) -> Self {
        Self::new(Kind::UNAVAILABLE, "storage-unavailable", cause.to_string())
    }
}
