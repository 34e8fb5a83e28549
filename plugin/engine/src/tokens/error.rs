//! Why tokens cannot be had or checked.

use std::time::Duration;

use abi::Failure;
use abi::failure::Kind;

use super::http::{Answer, CallError};
use super::jwt::TokenError;

/// The provider does not do its work. Says nothing about the user: nobody is logged out for it.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct Outage {
    pub(super) reason: &'static str,
    pub(super) message: String,
    /// Whether it may have done what it was asked for.
    pub(super) leaves_doubt: bool,
    /// When it asks to be asked again.
    pub(super) retry_after: Option<Duration>,
}

/// What comes of checking a token.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum VerifyError {
    /// It is not good.
    #[error("the token is refused: {0}")]
    Refused(#[from] TokenError),
    /// It cannot be checked now.
    #[error("the token cannot be checked: {0}")]
    Unavailable(#[from] Outage),
}

/// What comes of asking for tokens.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum GrantError {
    /// The code, the password or the refresh token is not good, or not any more: `invalid_grant`.
    #[error("the provider refuses the grant")]
    Refused,
    /// The provider refuses us and not the user: what an operator has to look at. The code is that of RFC 6749,
    /// section 5.2.
    #[error("the provider refuses this client: {0}")]
    Misconfigured(&'static str),
    /// It gave tokens that cannot be used.
    #[error("the provider's answer is refused: {0}")]
    Answer(#[from] TokenError),
    /// It does not answer, or says that it cannot now.
    #[error("the provider does not answer: {0}")]
    Unavailable(#[from] Outage),
}

/// What a request is told whose tokens cannot be had or checked now: the provider is away, and a login would not help.
pub fn provider_unavailable(reason: &'static str) -> Failure {
    let message = format!("the provider of tokens does not do its work: {reason}");
    Failure::new(Kind::UNAVAILABLE, "provider-unavailable", message)
}

impl Outage {
    pub(super) fn new(reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            reason,
            message: message.into(),
            leaves_doubt: false,
            retry_after: None,
        }
    }

    /// An answer with a status that nobody can work with.
    pub(super) fn status(answer: &Answer) -> Self {
        Self {
            reason: match answer.status.as_u16() {
                429 => "too-many-requests",
                500..=599 => "server-error",
                _ => "unexpected-answer",
            },
            message: format!("status {}", answer.status.as_u16()),
            leaves_doubt: false,
            retry_after: retry_after(answer),
        }
    }

    /// The word in logs and metrics.
    pub const fn reason(&self) -> &'static str {
        self.reason
    }
}

impl GrantError {
    /// The word in logs and metrics. It never changes from release to release.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Refused => "invalid_grant",
            Self::Misconfigured(code) => code,
            Self::Answer(error) => error.reason(),
            Self::Unavailable(outage) => outage.reason(),
        }
    }
}

impl GrantError {
    /// Whether a refresh token that works once may be used up, and what it was given for is lost.
    pub(super) const fn leaves_doubt(&self) -> bool {
        match self {
            Self::Answer(_) => true,
            Self::Unavailable(outage) => outage.leaves_doubt,
            Self::Refused | Self::Misconfigured(_) => false,
        }
    }
}

impl VerifyError {
    /// The word in logs and metrics. It never changes from release to release.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Refused(error) => error.reason(),
            Self::Unavailable(outage) => outage.reason(),
        }
    }
}

impl From<CallError> for Outage {
    fn from(error: CallError) -> Self {
        Self {
            leaves_doubt: error.is_after_sending(),
            ..Self::new(error.reason(), error.to_string())
        }
    }
}

/// In seconds; a date is passed over.
fn retry_after(answer: &Answer) -> Option<Duration> {
    let value = answer.headers.get(hyper::header::RETRY_AFTER)?;
    let seconds = value.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}
