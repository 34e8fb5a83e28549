//! Rows, in the words of the operations.

use std::time::Duration;

use abi::Maybe;
use abi::storage::{Expected, Loaded, Unavailable, Written};

use super::Engine;
use super::session::Session;
use crate::session::{Address, End, Nonce, Record, SessionId, State};
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

    /// The place of the id that a rotation of `old` with `nonce` gave; none when this gateway has not got the secret
    /// that names its row.
    pub(super) fn place_after(&self, old: &Place, nonce: &Nonce) -> Option<Place> {
        let id = old.id.successor(nonce);
        let address = self.policy.keyring.address_after(nonce, &id)?;
        Some(Place { id, address })
    }

    /// The row that `id` leads to, under whichever secret it is.
    pub(super) async fn locate(
        &self,
        id: &SessionId,
    ) -> Result<Option<(Place, Versioned)>, Unavailable> {
        self.locate_at(self.policy.keyring.addresses(id), id).await
    }

    /// The row that `id` leads to at the first of `addresses` where there is one.
    pub(super) async fn locate_at(
        &self,
        addresses: impl Iterator<Item = Address>,
        id: &SessionId,
    ) -> Result<Option<(Place, Versioned)>, Unavailable> {
        for address in addresses {
            if let Some(row) = self.read(address).await? {
                let id = id.clone();
                return Ok(Some((Place { id, address }, row)));
            }
        }
        Ok(None)
    }

    /// Never from a copy: whoever changes something must not be told that there is nothing to change.
    pub(super) async fn read(&self, address: Address) -> Result<Option<Versioned>, Unavailable> {
        known(self.rows.reread(address).wait().await)
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

    /// As [`add`](Self::add), also in the place of a row that cannot be read. Nobody lives by such a row: whoever stood in
    /// it is logged out already, and would stay so until its time runs out. Its versions go on, so that whoever knows an
    /// older one finds another.
    ///
    /// # Errors
    /// When the storage does not answer, or has something there that it does not replace.
    pub(super) async fn begin_at(
        &self,
        address: Address,
        state: State,
        keep: Duration,
    ) -> Result<bool, Unavailable> {
        if self.add(address, state.clone(), keep).await? {
            return Ok(true);
        }
        let Some(version) = self.unreadable(address).await? else {
            return Ok(false);
        };
        if self.replace((address, version), state, keep).await? {
            return Ok(true);
        }
        // Somebody else came first, or it is nothing that this storage could replace.
        match self.unreadable(address).await? {
            Some(still) if still == version => Err(Unavailable::new(
                "a row can neither be read nor replaced: look for what else writes to the storage",
            )),
            _ => Ok(false),
        }
    }

    async fn unreadable(&self, address: Address) -> Result<Option<u64>, Unavailable> {
        match self.rows.unreadable(address).wait().await {
            Loaded::Found(version) => Ok(Some(version)),
            Loaded::Absent => Ok(None),
            Loaded::Unavailable(cause) => Err(cause),
        }
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
        record: Record,
    ) -> Result<Session, End> {
        let (lifetime, now) = (&self.policy.lifetime, self.now());
        lifetime.remaining(&record, now)?;
        Ok(Session {
            is_due: lifetime.is_due(&record, now) || self.has_to_move(place.address, &record),
            is_touch_due: lifetime.is_touch_due(&record, now),
            id: place.id,
            name: place.address.name(),
            version,
            record,
        })
    }

    /// Whether a session has to get a new id so that the secret which names its row can go. Not at once after it got
    /// the last one: while gateways disagree about which secret is the newest, they would hand it to and fro.
    fn has_to_move(&self, address: Address, record: &Record) -> bool {
        !address.is_newest() && self.now().since(record.renewed_at()) >= self.policy.grace
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
