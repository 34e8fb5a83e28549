//! Whether a session still stands when its request is long over, and a stream of it is not.

use std::sync::{Mutex, MutexGuard, PoisonError};

use abi::Maybe;
use abi::session::Standing;
use abi::storage::Loaded;

use super::visit::Visit;
use crate::engine::Closeness;
use crate::session::SessionId;

/// How a session is kept in view.
#[derive(Debug)]
pub(super) struct Attention {
    closeness: Closeness,
    /// The id that renewals by other requests have led to; none while it is still the request's own.
    followed: Mutex<Option<Box<SessionId>>>,
}

impl Attention {
    /// Only what the storage says counts, and what it does not say is no.
    pub(super) fn close() -> Self {
        Self {
            closeness: Closeness::Storage,
            ..Self::default()
        }
    }

    fn followed(&self) -> MutexGuard<'_, Option<Box<SessionId>>> {
        self.followed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Attention {
    fn default() -> Self {
        Self {
            closeness: Closeness::Copies,
            followed: Mutex::default(),
        }
    }
}

impl Visit {
    /// Asks without using the session.
    pub(super) fn attend(&self) -> Maybe<'_, Standing> {
        let id = match self.held() {
            Ok(id) => id,
            Err(standing) => return standing.into(),
        };
        let attended = self.store.engine.attend(&id, self.attention.closeness);
        attended.map(move |found| self.weigh(&id, found))
    }

    /// The id to ask for, or what is known without asking.
    fn held(&self) -> Result<SessionId, Standing> {
        if let Some(followed) = &*self.attention.followed() {
            return Ok(SessionId::clone(followed));
        }
        let ledger = self.ledger();
        match ledger.basis().id() {
            Some(id) => Ok(id.clone()),
            None if ledger.was_lost() => Err(Standing::Over),
            None => Err(Standing::Nobodys),
        }
    }

    /// An outage ends nothing, or every stream would be cut and come back at once to a gateway that cannot serve it; but
    /// time that is over is over, and on sensitive paths nobody goes on without the word of the storage.
    fn weigh(&self, held: &SessionId, found: Loaded<SessionId>) -> Standing {
        match found {
            Loaded::Found(id) => {
                if id != *held {
                    *self.attention.followed() = Some(Box::new(id));
                }
                Standing::Good
            }
            Loaded::Absent => Standing::Over,
            Loaded::Unavailable(_) if self.attention.closeness == Closeness::Storage => {
                Standing::Over
            }
            Loaded::Unavailable(_) if self.is_out_of_time() => Standing::Over,
            Loaded::Unavailable(_) => Standing::Good,
        }
    }

    /// By what was known when the request came. Whoever was renewed since has more time than that.
    fn is_out_of_time(&self) -> bool {
        let engine = &self.store.engine;
        let (lifetime, now) = (&engine.policy().lifetime, engine.now());
        let is_over = |record| lifetime.remaining(record, now).is_err();
        self.attention.followed().is_none() && self.ledger().basis().record().is_some_and(is_over)
    }
}
