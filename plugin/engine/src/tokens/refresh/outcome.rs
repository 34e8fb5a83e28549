//! How a refresh ends.

use abi::storage::Unavailable;

/// What became of the tokens of a session.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// There are new ones in the session.
    Renewed,
    /// Somebody else had renewed them.
    Found,
    /// Nothing was renewed, and the session is as it was: the provider is away, or refuses us and not the user.
    Failed(&'static str),
    /// The session is over: the provider has said so.
    Ended(&'static str),
    /// There is no such session any more, or no tokens in it.
    Gone,
    /// The storage does not answer.
    Unavailable(Unavailable),
}

impl Outcome {
    /// The word in logs and metrics.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Renewed => "renewed",
            Self::Found => "found",
            Self::Failed(_) => "failed",
            Self::Ended(_) => "ended",
            Self::Gone => "gone",
            Self::Unavailable(_) => "storage-unavailable",
        }
    }

    /// Why, in a word that never changes from release to release.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Renewed => "due",
            Self::Found => "elsewhere",
            Self::Failed(reason) | Self::Ended(reason) => reason,
            Self::Gone => "no-session",
            Self::Unavailable(_) => "storage-unavailable",
        }
    }
}
