//! A session gets an id that has nothing to do with the old one: at login, and whenever rights change.

use std::sync::Arc;

use abi::storage::Unavailable;

use super::outcome::Saved;
use super::rows::contended;
use super::session::Session;
use super::{Engine, TOMBSTONE, TRIES};
use crate::session::{Address, Deltas, State};

impl Engine {
    /// Moves the session, with `deltas` applied, to a fresh random id with a fresh life. The old id is dead when this
    /// returns [`Saved::Done`]: no grace, or whoever planted the old id would share the login (fixation).
    ///
    /// The new row is written first, under an id that nobody knows, and it happens with the tombstone over the old
    /// row. Whatever was written to the old row until then is carried over. When somebody else ended the session
    /// first it is [`Saved::Lost`]; a login may then [`create`](Self::create) a session of its own.
    pub async fn regenerate(&self, session: &Session, deltas: &Deltas) -> Saved {
        self.try_regenerate(session.clone(), deltas).await.into()
    }

    async fn try_regenerate(
        &self,
        mut old: Session,
        deltas: &Deltas,
    ) -> Result<Option<Session>, Unavailable> {
        let id = self.new_id()?;
        for version in 1..=TRIES as u64 {
            let now = self.now();
            let record = Arc::new(self.lifetime.renew(&old.record, now).merge(deltas));
            let place = self.place(id.clone());
            let Some(keep) = record.remaining(now) else {
                return self.end(&old.id).await.map(|_| None);
            };
            let state = State::Live(record.clone());
            let written = match version {
                1 => self.add(place.address, state, keep).await?,
                _ => {
                    self.replace((place.address, version - 1), state, keep)
                        .await?
                }
            };
            if !written {
                return Err(contended());
            }
            if self
                .replace((old.address, old.version), State::Revoked, TOMBSTONE)
                .await?
            {
                return Ok(self.session(place, version, record));
            }
            match self.resolve(&old.id).await? {
                Some(current) => old = current,
                None => return self.retract(place.address, version).await,
            }
        }
        Err(contended())
    }

    /// Takes back a row that nobody was told of.
    async fn retract(
        &self,
        address: Address,
        version: u64,
    ) -> Result<Option<Session>, Unavailable> {
        self.replace((address, version), State::Revoked, TOMBSTONE)
            .await
            .map(|_| None)
    }
}
