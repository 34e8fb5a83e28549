//! Rows, in the words of the operations.

use std::sync::Arc;
use std::time::Duration;

use abi::Maybe;
use abi::storage::{Expected, Loaded, Unavailable, Written};

use super::Engine;
use super::session::Session;
use crate::session::{Address, End, Record, SessionId, State};
use crate::storage::Versioned;

/// A row and the id that leads to it.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) id: SessionId,
    pub(super) address: Address,
}

impl Engine {
    pub(super) fn place(&self, id: SessionId) -> Place {
        Place {
            address: self.policy.keyring.address(&id),
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
        done(self.rows.write(address, Expected::Absent, row, keep)).await
    }

    /// Puts `state` where `version` is, and says whether it did.
    pub(super) async fn replace(
        &self,
        (address, version): (Address, u64),
        state: State,
        keep: Duration,
    ) -> Result<bool, Unavailable> {
        let row = Versioned::after(version, state);
        let expected = Expected::Version(version);
        done(self.rows.write(address, expected, row, keep)).await
    }

    /// The session that a live row is.
    ///
    /// # Errors
    /// When its time is over.
    pub(super) fn session(
        &self,
        place: Place,
        version: u64,
        record: Arc<Record>,
    ) -> Result<Session, End> {
        let (lifetime, now) = (&self.policy.lifetime, self.now());
        lifetime.remaining(&record, now)?;
        Ok(Session {
            is_due: lifetime.is_due(&record, now),
            is_touch_due: lifetime.is_touch_due(&record, now),
            id: place.id,
            address: place.address,
            version,
            record,
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

async fn done(written: Maybe<'_, Written>) -> Result<bool, Unavailable> {
    match written.wait().await {
        Written::Done => Ok(true),
        Written::Conflict => Ok(false),
        Written::Unavailable(cause) => Err(cause),
    }
}
