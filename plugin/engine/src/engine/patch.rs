//! A session changes.

use std::sync::Arc;

use abi::storage::Unavailable;

use super::outcome::Saved;
use super::rows::contended;
use super::session::Session;
use super::{Engine, TRIES};
use crate::session::{Deltas, State};

impl Engine {
    /// Applies `deltas` to the session that `session` was a snapshot of.
    ///
    /// It happens with the one conditional write of the live row. When somebody else wrote first, the deltas are
    /// applied to what is there now: changes of different attributes all survive, of one attribute the last. A
    /// session that was revoked or is over is [`Saved::Lost`] and never comes back; one that was rotated gets the
    /// change under its new id. The life does not change, unless a delta says so.
    pub async fn patch(&self, session: &Session, deltas: &Deltas) -> Saved {
        self.try_patch(session.clone(), deltas).await.into()
    }

    async fn try_patch(
        &self,
        mut session: Session,
        deltas: &Deltas,
    ) -> Result<Option<Session>, Unavailable> {
        for _ in 0..TRIES {
            let record = Arc::new(session.record.merge(deltas));
            let Some(keep) = record.remaining(self.now()) else {
                return self.end(&session.id).await.map(|_| None);
            };
            let state = State::Live(record.clone());
            if self
                .replace((session.address, session.version), state, keep)
                .await?
            {
                return Ok(Some(Session {
                    version: session.version + 1,
                    record,
                    ..session
                }));
            }
            match self.resolve(&session.id).await? {
                Some(current) => session = current,
                None => return Ok(None),
            }
        }
        Err(contended())
    }
}
