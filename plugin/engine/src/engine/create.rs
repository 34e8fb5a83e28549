//! A session begins.

use std::sync::Arc;

use abi::storage::Unavailable;

use super::Engine;
use super::outcome::Saved;
use super::session::Session;
use crate::session::{Attributes, Deltas, SessionId, State};

impl Engine {
    /// Stores a new session with what `deltas` set, under an id that nobody else knows.
    ///
    /// One write, only where nothing is. It is [`Saved::Lost`] only when the deltas themselves end the session.
    pub async fn create(&self, deltas: &Deltas) -> Saved {
        self.try_create(deltas).await.into()
    }

    async fn try_create(&self, deltas: &Deltas) -> Result<Option<Session>, Unavailable> {
        let place = self.place(self.new_id()?);
        let now = self.now();
        let record = Arc::new(
            self.lifetime
                .begin(Attributes::default(), now)
                .merge(deltas),
        );
        let Some(keep) = record.remaining(now) else {
            return Ok(None);
        };
        if self
            .add(place.address, State::Live(record.clone()), keep)
            .await?
        {
            Ok(self.session(place, 1, record))
        } else {
            // 256 random bits do not repeat. If they seem to, nothing else about them can be trusted.
            Err(Unavailable::new("a new session id was already taken"))
        }
    }

    /// An outage of randomness is an outage.
    pub(super) fn new_id(&self) -> Result<SessionId, Unavailable> {
        SessionId::generate().map_err(|error| Unavailable::new(error.to_string()))
    }
}
