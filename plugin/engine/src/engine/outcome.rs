//! How operations end. An outage has an outcome of its own everywhere: it never looks like a missing session.

use abi::storage::Unavailable;

use super::event::Refusal;
use super::session::Session;

/// How an operation ends that stores a session.
#[derive(Clone, Debug, Eq, PartialEq)]
#[must_use = "only `Done` is stored"]
pub enum Saved {
    /// It is stored, under the id in here; if that is not the id the client sent, the client needs a new cookie.
    Done(Session),
    /// The session ended meanwhile: revoked, or its life is over. Nothing was stored that anybody will see, and nothing
    /// was created.
    Lost,
    /// A rule forbids it. Nothing was stored; what was there before is still there.
    Refused(Refusal),
    /// The storage did not answer. The write may or may not have happened; repeating it does no harm.
    Unavailable(Unavailable),
}

/// How a logout ends.
#[derive(Clone, Debug, Eq, PartialEq)]
#[must_use = "only `Done` and `Absent` mean that the session is over"]
pub enum Revoked {
    /// The session was there and is over.
    Done,
    /// There was none. Nothing was written.
    Absent,
    /// The storage did not answer. The session may or may not be over.
    Unavailable(Unavailable),
}

/// Why an operation stopped before its end.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Stop {
    Lost,
    Refused(Refusal),
    Unavailable(Unavailable),
}

/// How the operations are written inside: every `?` is one of the other outcomes.
pub(super) type Attempt<T> = Result<T, Stop>;

impl From<Unavailable> for Stop {
    fn from(cause: Unavailable) -> Self {
        Self::Unavailable(cause)
    }
}

impl From<Attempt<Session>> for Saved {
    fn from(attempt: Attempt<Session>) -> Self {
        match attempt {
            Ok(session) => Self::Done(session),
            Err(Stop::Lost) => Self::Lost,
            Err(Stop::Refused(refusal)) => Self::Refused(refusal),
            Err(Stop::Unavailable(cause)) => Self::Unavailable(cause),
        }
    }
}
