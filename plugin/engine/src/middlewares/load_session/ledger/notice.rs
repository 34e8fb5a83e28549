//! What a client has to be told.

use super::super::snapshots::Held;

/// What is to be told; of two, the later one.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Notice {
    #[default]
    Nothing,
    /// What it has of snapshots is worth nothing.
    Forget,
    /// It gets a snapshot of the session.
    Remember,
    /// The id of the client led to another, of which it is told if the session still has it by then.
    Follow,
    /// The session has a new id, or a new end.
    Issue,
    /// Its key leads nowhere any more.
    Clear,
}

impl Notice {
    /// For a client that knows the id and the end of its session.
    pub(super) const fn to_owner(held: Option<Held>) -> Self {
        match held {
            Some(_) => Self::Remember,
            None => Self::Nothing,
        }
    }

    /// For a client without a session.
    pub(super) const fn to_nobody(held: Option<Held>) -> Self {
        match held {
            Some(Held { any: true, .. }) => Self::Forget,
            Some(Held { any: false, .. }) | None => Self::Nothing,
        }
    }
}
