//! From an id to the session, wherever rotations have taken it.

use abi::Maybe;
use abi::storage::{Loaded, Unavailable};

use super::rows::{Place, contended, known};
use super::session::Session;
use super::{Engine, TRIES};
use crate::session::{SessionId, State};
use crate::storage::Versioned;

impl Engine {
    /// Finds the session that `id` leads to.
    ///
    /// One read; at once, and without an allocation, when the row is live in memory. Through an id that was rotated
    /// the successor is found and its id is in the answer. A rotation that somebody began and did not finish is
    /// finished here, before anyone learns the new id.
    pub fn load(&self, id: &SessionId) -> Maybe<'_, Loaded<Session>> {
        let place = self.place(id.clone());
        match self.rows.load(place.address) {
            Maybe::Ready(loaded) => self.settle(place, loaded),
            Maybe::Pending(read) => {
                Maybe::task(async move { self.settle(place, read.await).wait().await })
            }
        }
    }

    fn settle(&self, place: Place, loaded: Loaded<Versioned>) -> Maybe<'_, Loaded<Session>> {
        let row = match loaded {
            Loaded::Found(row) => row,
            Loaded::Absent => return Loaded::Absent.into(),
            Loaded::Unavailable(cause) => return Loaded::Unavailable(cause).into(),
        };
        match row.state {
            State::Live(record) => found(self.session(place, row.version, record)).into(),
            State::Revoked => Loaded::Absent.into(),
            State::Rotating { .. } | State::Rotated { .. } => Maybe::task(async move {
                match self.follow(place, Some(row)).await {
                    Ok(session) => found(session),
                    Err(cause) => Loaded::Unavailable(cause),
                }
            }),
        }
    }

    /// Finds the session of `id` once more, after a conflict.
    pub(super) async fn resolve(&self, id: &SessionId) -> Result<Option<Session>, Unavailable> {
        let place = self.place(id.clone());
        let row = known(self.rows.load(place.address).wait().await)?;
        self.follow(place, row).await
    }

    /// Goes from row to row until one is live or there is none, finishing every rotation on the way.
    pub(super) async fn follow(
        &self,
        mut place: Place,
        mut row: Option<Versioned>,
    ) -> Result<Option<Session>, Unavailable> {
        for _ in 0..TRIES {
            let Some(Versioned { version, state }) = row else {
                return Ok(None);
            };
            match state {
                State::Live(record) => return Ok(self.session(place, version, record)),
                State::Revoked => return Ok(None),
                State::Rotated { nonce } => place = self.place(place.id.successor(&nonce)),
                State::Rotating { nonce, record } => {
                    if record.remaining(self.now()).is_none() {
                        return Ok(None);
                    }
                    if let Some(session) = self.finish((&place, version), nonce, record).await? {
                        return Ok(Some(session));
                    }
                }
            }
            row = self.read(place.address).await?;
        }
        Err(contended())
    }
}

fn found(session: Option<Session>) -> Loaded<Session> {
    session.map_or(Loaded::Absent, Loaded::Found)
}
