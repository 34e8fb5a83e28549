//! What a request knows of its session, and from whom.

use abi::storage::Unavailable;

use crate::engine::{Claim, Session};
use crate::session::{Record, SessionId, Timestamp};

/// Where the knowledge comes from decides what may be done with it.
#[derive(Debug, Default)]
pub(super) enum Basis {
    /// There is no session, or it is over.
    #[default]
    Nothing,
    /// The client has a key, and nobody can say now what it leads to.
    Unknown(Unavailable),
    /// A snapshot that the client brought along, or a copy from before an outage.
    Remembered(Remembered),
    /// The storage, while this request was under way.
    Stored(Session),
}

/// A session as it was a while ago. It is there to be read: every operation of the engine that writes takes a
/// [`Session`], and only the storage makes one of this.
#[derive(Clone, Debug)]
pub(super) struct Remembered {
    pub(super) id: SessionId,
    pub(super) record: Record,
    /// When the client came with the id.
    pub(super) since: Timestamp,
    /// The ids that it came with, where there were several.
    pub(super) beside: Box<[SessionId]>,
}

impl Remembered {
    /// On what grounds the storage is asked for it.
    pub(super) fn claim(&self) -> Claim<'_> {
        Claim::PresentedAt(self.since, &self.beside)
    }
}

impl Basis {
    /// The id that the client has, or is to have.
    pub(super) fn id(&self) -> Option<&SessionId> {
        match self {
            Self::Nothing | Self::Unknown(_) => None,
            Self::Remembered(remembered) => Some(&remembered.id),
            Self::Stored(session) => Some(session.id()),
        }
    }

    /// What the session holds, to be read.
    pub(super) fn record(&self) -> Option<&Record> {
        match self {
            Self::Nothing | Self::Unknown(_) => None,
            Self::Remembered(remembered) => Some(&remembered.record),
            Self::Stored(session) => Some(session.record()),
        }
    }
}
