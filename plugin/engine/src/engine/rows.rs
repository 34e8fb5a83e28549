//! Rows, in the words of the operations.

use std::sync::Arc;
use std::time::Duration;

use abi::storage::{Expected, Loaded, Unavailable, Written};

use super::Engine;
use super::session::Session;
use crate::session::{Address, Record, SessionId, State};
use crate::storage::Versioned;

/// A row and the id that leads to it.
pub(super) struct Place {
    pub(super) id: SessionId,
    pub(super) address: Address,
}

impl Engine {
    pub(super) fn place(&self, id: SessionId) -> Place {
        Place {
            address: self.keyring.address(&id),
            id,
        }
    }

    pub(super) async fn read(&self, address: Address) -> Result<Option<Versioned>, Unavailable> {
        known(self.rows.load(address).wait().await)
    }

    /// Puts `state` where nothing is, and says whether it did.
    pub(super) async fn add(
        &self,
        address: Address,
        state: State,
        keep: Duration,
    ) -> Result<bool, Unavailable> {
        let row = Versioned::first(state);
        done(
            self.rows
                .write(address, Expected::Absent, row, keep)
                .wait()
                .await,
        )
    }

    /// Puts `state` where `version` is, and says whether it did.
    pub(super) async fn replace(
        &self,
        (address, version): (Address, u64),
        state: State,
        keep: Duration,
    ) -> Result<bool, Unavailable> {
        let row = Versioned::after(version, state);
        done(
            self.rows
                .write(address, Expected::Version(version), row, keep)
                .wait()
                .await,
        )
    }

    /// The session that a live row is; none when its life is over.
    pub(super) fn session(
        &self,
        place: Place,
        version: u64,
        record: Arc<Record>,
    ) -> Option<Session> {
        let now = self.now();
        record.remaining(now)?;
        let is_due = self.lifetime.is_due(&record, now);
        Some(Session {
            id: place.id,
            address: place.address,
            version,
            record,
            is_due,
        })
    }
}

pub(super) fn known(loaded: Loaded<Versioned>) -> Result<Option<Versioned>, Unavailable> {
    match loaded {
        Loaded::Found(row) => Ok(Some(row)),
        Loaded::Absent => Ok(None),
        Loaded::Unavailable(cause) => Err(cause),
    }
}

/// The answer of an operation that lost every race there was.
pub(super) fn contended() -> Unavailable {
    Unavailable::new("too many writes to one session at once")
}

fn done(written: Written) -> Result<bool, Unavailable> {
    match written {
        Written::Done => Ok(true),
        Written::Conflict => Ok(false),
        Written::Unavailable(cause) => Err(cause),
    }
}
