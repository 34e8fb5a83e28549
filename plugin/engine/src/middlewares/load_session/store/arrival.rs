//! From a request to its session, or to what becomes of it without one.

use std::sync::Arc;

use abi::storage::{Loaded, Unavailable};
use abi::{Exchange, Failure, Maybe};

use super::super::basis::Remembered;
use super::super::config::OnStorageFailure;
use super::super::ledger::Ledger;
use super::super::presented::Presented;
use super::super::snapshots::{Held, Recalled};
use super::super::visit::Visit;
use super::Store;
use crate::engine::{Claim, Session};
use crate::session::SessionId;

/// What a request brings along.
struct Arrival {
    presented: Presented,
    held: Option<Held>,
    recalled: Option<Recalled>,
    /// Whether nothing but the storage may answer for its session.
    is_sensitive: bool,
}

impl Store {
    /// Finds the session of a request and takes its key out of what is forwarded.
    pub(in super::super) fn open<'a>(
        self: &'a Arc<Self>,
        exchange: &mut Exchange<'_>,
    ) -> Maybe<'a, Result<Visit, Failure>> {
        let arrival = self.arrival(exchange);
        self.strip(exchange);
        let Some((place, id)) = arrival.presented.first() else {
            self.journal.anonymous.increment();
            return Maybe::Ready(Ok(self.visit(Ledger::fresh(arrival.held))));
        };
        if let Some(recalled) = arrival
            .recalled
            .as_ref()
            .filter(|recalled| !recalled.is_due)
        {
            return Maybe::Ready(Ok(self.remembered(recalled, arrival.held)));
        }
        match self.load(id, &[], &arrival) {
            Maybe::Ready(Loaded::Found(session)) => {
                Maybe::Ready(Ok(self.found(session, (place, id), &arrival)))
            }
            first => Maybe::task(self.search(arrival, first)),
        }
    }

    fn arrival(&self, exchange: &Exchange<'_>) -> Arrival {
        let presented = self.places.find(exchange);
        let (held, recalled) = self.recall(exchange, &presented);
        Arrival {
            is_sensitive: self.sensitive_paths.matches(exchange.path()),
            presented,
            held,
            recalled,
        }
    }

    fn found(
        self: &Arc<Self>,
        session: Session,
        found: (usize, &SessionId),
        arrival: &Arrival,
    ) -> Visit {
        let visit = self.welcome(session, found, arrival.held);
        match arrival.is_sensitive {
            true => visit.closely(),
            false => visit,
        }
    }

    fn load<'a>(
        &'a self,
        id: &SessionId,
        beside: &'a [SessionId],
        arrival: &Arrival,
    ) -> Maybe<'a, Loaded<Session>> {
        match arrival.is_sensitive {
            true => self.engine.load_for(id, Claim::Presented(beside)),
            false => self.engine.load_beside(id, beside),
        }
    }

    /// Tries each id that was presented; the first that leads to a session is the one. A snapshot counts again when
    /// the storage does not answer.
    ///
    /// A browser sends several when the domain or the path of the cookie has changed, the older one first. So none is
    /// taken for stolen without a look at the others.
    async fn search(
        self: &Arc<Self>,
        arrival: Arrival,
        first: Maybe<'_, Loaded<Session>>,
    ) -> Result<Visit, Failure> {
        let beside = arrival.presented.several();
        let mut first = match first {
            Maybe::Pending(_) if !beside.is_empty() => None,
            first => Some(first),
        };
        for (place, id) in arrival.presented.iter() {
            let load = first.take();
            let load = load.unwrap_or_else(|| self.load(id, &beside, &arrival));
            match load.wait().await {
                Loaded::Absent => {}
                Loaded::Unavailable(cause) => return self.endure(cause, (place, id), &arrival),
                Loaded::Found(session) => {
                    self.outages.over(self.engine.now());
                    let own = arrival.presented.find(session.id());
                    let own = own.map(|(place, id)| (place, id.clone()));
                    let (place, id) = own.unwrap_or_else(|| (place, id.clone()));
                    return Ok(self.found(session, (place, &id), &arrival));
                }
            }
        }
        self.outages.over(self.engine.now());
        self.journal.absent.increment();
        Ok(self.visit(Ledger::fresh(arrival.held)))
    }

    /// What becomes of a request in an outage. A snapshot that the client brought along is better than nothing; else it
    /// is for the operator to say.
    fn endure(
        self: &Arc<Self>,
        cause: Unavailable,
        (place, id): (usize, &SessionId),
        arrival: &Arrival,
    ) -> Result<Visit, Failure> {
        self.met_outage(&cause);
        if let Some(recalled) = &arrival.recalled {
            return Ok(self.remembered(recalled, arrival.held));
        }
        match self.on_failure {
            OnStorageFailure::Anonymous if !arrival.is_sensitive => {
                self.journal.overlooked.increment();
                Ok(self.visit(Ledger::unknown(cause)))
            }
            OnStorageFailure::Stale if !arrival.is_sensitive => {
                let record = self.engine.recall(id).ok_or_else(|| self.refused(&cause))?;
                self.journal.stale.increment();
                let remembered = Remembered {
                    id: id.clone(),
                    record,
                    since: self.engine.now(),
                    beside: arrival.presented.several().into(),
                };
                let ledger = Ledger::remembered(remembered, place, arrival.held);
                Ok(self.visit(ledger))
            }
            OnStorageFailure::Refuse | OnStorageFailure::Anonymous | OnStorageFailure::Stale => {
                Err(self.refused(&cause))
            }
        }
    }

    /// What the request has of snapshots; nothing where there are none.
    fn recall(
        &self,
        exchange: &Exchange<'_>,
        presented: &Presented,
    ) -> (Option<Held>, Option<Recalled>) {
        let Some(snapshots) = &self.snapshots else {
            return (None, None);
        };
        let (held, recalled) = snapshots.recall(exchange, presented, self.engine.now());
        (Some(held), recalled)
    }

    fn strip(&self, exchange: &mut Exchange<'_>) {
        if !self.forwards_key {
            self.places.strip(exchange);
        }
        if let Some(snapshots) = &self.snapshots {
            snapshots.strip(exchange);
        }
    }
}
