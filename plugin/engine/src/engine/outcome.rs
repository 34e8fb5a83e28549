//! How operations end. An outage has an outcome of its own everywhere: it never looks like a missing session.

use abi::storage::Unavailable;

use super::session::Session;

/// How an operation ends that stores a session.
#[derive(Clone, Debug, Eq, PartialEq)]
#[must_use = "only `Done` is stored"]
pub enum Saved {
    /// It is stored, under the id in here; if that is not the id the client sent, the client needs a new cookie.
    Done(Session),
    /// The session ended meanwhile: revoked, or its life is over. Nothing was stored and nothing was created.
    Lost,
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

impl From<Result<Option<Session>, Unavailable>> for Saved {
    fn from(result: Result<Option<Session>, Unavailable>) -> Self {
        match result {
            Ok(Some(session)) => Self::Done(session),
            Ok(None) => Self::Lost,
            Err(cause) => Self::Unavailable(cause),
        }
    }
}
