//! New tokens for a session before the old ones end: one call for each session, over all gateways.
//!
//! Requests of one gateway that want the same share one *flight*. Flights of several gateways take turns by a lease in
//! the session's storage; whoever gets it reads the session again first, and finds that there is nothing left to do when
//! somebody else has done it. A provider may take a refresh token only once, and end the login when it sees it twice.
//!
//! A flight belongs to nobody: it goes on when the requests that wait for it are gone.

mod due;
mod flight;
mod outcome;
mod pauses;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use abi::Services;
use tokio::sync::watch;

pub use self::due::Due;
use self::flight::Flight;
pub use self::outcome::Outcome;
pub(super) use self::pauses::Pauses;
use super::journal::RefreshJournal;
use super::provider::Provider;
use crate::middlewares::Keeper;
use crate::runtime::Runtime;
use crate::session::SessionId;

/// Renews tokens for all middlewares of a gateway.
pub struct Refresher {
    flights: Mutex<HashMap<String, Landing>>,
    runtime: Arc<Runtime>,
    journal: RefreshJournal,
}

/// Where the outcome of a flight is told.
type Landing = watch::Receiver<Option<Outcome>>;

impl Refresher {
    /// Nothing is under way.
    pub fn new(runtime: Arc<Runtime>, services: &Services) -> Self {
        Self {
            flights: Mutex::default(),
            runtime,
            journal: RefreshJournal::new(services),
        }
    }

    /// What became of the tokens of a session that are about to end. Dropping the future ends nothing.
    pub async fn refresh(
        self: &Arc<Self>,
        handle: &str,
        (keeper, id): (Keeper, SessionId),
        (provider, due): (Arc<Provider>, Due),
    ) -> Outcome {
        let name = format!("{}/{handle}", keeper.name());
        let flight = Flight {
            keeper,
            id,
            provider,
            due,
        };
        let mut landing = match self.board(&name, flight) {
            Ok(landing) => landing,
            Err(outcome) => return outcome,
        };
        let told = landing.wait_for(Option::is_some).await;
        let outcome = told.ok().and_then(|outcome| outcome.clone());
        outcome.unwrap_or(Outcome::Failed("threads"))
    }

    /// The flight under way, or a new one.
    fn board(self: &Arc<Self>, name: &str, flight: Flight) -> Result<Landing, Outcome> {
        let mut flights = self.flights();
        if let Some(landing) = flights.get(name) {
            return Ok(landing.clone());
        }
        if let Some(reason) = flight.provider.pauses.reason(flight.provider.now()) {
            return Err(Outcome::Failed(reason));
        }
        let (sender, landing) = watch::channel(None);
        flights.insert(name.to_owned(), landing.clone());
        drop(flights);
        let (refresher, key) = (Arc::clone(self), name.to_owned());
        let launched = self.runtime.launch(async move {
            let landed = Landed(&refresher, key);
            let outcome = flight.fly().await;
            refresher.journal.landed(flight.provider.name(), &outcome);
            // Whoever knows how it ended and asks again is not told of this flight once more.
            drop(landed);
            sender.send_replace(Some(outcome));
        });
        if launched.is_err() {
            self.flights().remove(name);
            return Err(Outcome::Failed("threads"));
        }
        Ok(landing)
    }

    fn flights(&self) -> MutexGuard<'_, HashMap<String, Landing>> {
        self.flights.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes room for the next flight, also after a panic.
struct Landed<'a>(&'a Refresher, String);

impl Drop for Landed<'_> {
    fn drop(&mut self) {
        self.0.flights().remove(&self.1);
    }
}

impl fmt::Debug for Refresher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refresher")
            .field("flights", &self.flights().len())
            .finish_non_exhaustive()
    }
}
