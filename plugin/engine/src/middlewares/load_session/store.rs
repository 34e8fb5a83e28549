//! Where the sessions of one middleware come from, and how the client is told about them.

use std::sync::Arc;
use std::time::Duration;

use abi::config::Faults;
use abi::failure::Kind;
use abi::storage::{Loaded, Unavailable};
use abi::{Exchange, Failure, Maybe, Services};
use tokio::time::sleep;
use tracing::warn;

use super::basis::Remembered;
use super::config::{OnStorageFailure, PathGlobs, Settings};
use super::journal::{Journal, TARGET};
use super::ledger::{Ledger, Notice};
use super::outages::Outages;
use super::presented::{Places, Presented};
use super::sinks::Sinks;
use super::snapshots::{Held, Recalled, SnapshotCookies};
use super::visit::Visit;
use crate::clock::Clock;
use crate::engine::{Engine, Session};
use crate::session::SessionId;
use crate::storage::Backing;

/// The sessions of one `LoadSessionMiddleware`, also for plugins that ask for them by its name.
#[derive(Debug)]
pub(super) struct Store {
    pub(super) engine: Engine,
    places: Places,
    sinks: Sinks,
    /// None when every session is read from the storage.
    snapshots: Option<SnapshotCookies>,
    sensitive_paths: PathGlobs,
    forwards_key: bool,
    on_failure: OnStorageFailure,
    outages: Outages,
    journal: Arc<Journal>,
}

/// What a request brings along.
struct Arrival {
    presented: Presented,
    held: Option<Held>,
    recalled: Option<Recalled>,
    /// Whether nothing but the storage may answer for its session.
    is_sensitive: bool,
}

impl Store {
    pub(super) fn new(
        settings: &Settings,
        backing: &Backing,
        clock: Arc<dyn Clock>,
        services: &Services,
    ) -> Result<Self, Faults> {
        let places = Places::new(&settings.lookup, services)?;
        let journal = Arc::new(Journal::new(services));
        let engine = Engine::new(Arc::clone(&backing.rows), clock, settings.policy.clone())
            .observed_by(journal.clone());
        Ok(Self {
            engine: match backing.failovers {
                Some(_) => engine.remembering_ends(),
                None => engine,
            },
            sinks: Sinks::new(settings, &places, services)?,
            snapshots: SnapshotCookies::new(settings, &places, services)?,
            places,
            sensitive_paths: settings.sensitive_paths.clone(),
            forwards_key: settings.forwards_key,
            on_failure: settings.on_storage_failure,
            outages: Outages::default(),
            journal,
        })
    }

    /// Finds the session of a request and takes its key out of what is forwarded.
    pub(super) fn open<'a>(
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
        match self.load(id, &arrival) {
            Maybe::Ready(Loaded::Found(session)) => {
                Maybe::Ready(Ok(self.found(session, (place, id), arrival.held)))
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

    fn load(&self, id: &SessionId, arrival: &Arrival) -> Maybe<'_, Loaded<Session>> {
        match arrival.is_sensitive {
            true => self.engine.load_anew(id),
            false => self.engine.load(id),
        }
    }

    /// Tries each id that was presented; the first that leads to a session is the one. A snapshot counts again when
    /// the storage does not answer.
    async fn search(
        self: &Arc<Self>,
        arrival: Arrival,
        first: Maybe<'_, Loaded<Session>>,
    ) -> Result<Visit, Failure> {
        let mut first = Some(first);
        for (place, id) in arrival.presented.iter() {
            let load = first.take().unwrap_or_else(|| self.load(id, &arrival));
            match load.wait().await {
                Loaded::Absent => {}
                Loaded::Unavailable(cause) => return self.endure(cause, (place, id), &arrival),
                Loaded::Found(session) => {
                    self.outages.over(self.engine.now());
                    return Ok(self.found(session, (place, id), arrival.held));
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
                let id = id.clone();
                let ledger = Ledger::remembered(Remembered { id, record }, place, arrival.held);
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

    fn visit(self: &Arc<Self>, ledger: Ledger) -> Visit {
        Visit::new(Arc::clone(self), ledger)
    }

    fn remembered(self: &Arc<Self>, recalled: &Recalled, held: Option<Held>) -> Visit {
        self.journal.snapshot.increment();
        let remembered = recalled.remembered.clone();
        self.visit(Ledger::remembered(remembered, recalled.place, held))
    }

    /// A session that `id` led to. One that is due gets its new id when there is a response to tell of it: a client
    /// that breaks off before would be left with an id that is about to end.
    fn found(
        self: &Arc<Self>,
        session: Session,
        (place, id): (usize, &SessionId),
        held: Option<Held>,
    ) -> Visit {
        self.journal.found.increment();
        if !session.is_newest() {
            self.journal.old_secret.increment();
        }
        let is_due = session.is_due() && self.sinks.reaches(place);
        let is_touch_due = session.is_touch_due();
        let mut ledger = Ledger::found(session, (place, id), held);
        if is_due {
            ledger.renew();
        } else if is_touch_due {
            ledger.touch();
        }
        self.visit(ledger)
    }

    /// Ends again what was ended here and a failover brought back. Tried until the storage has answered, or nothing is
    /// remembered any more.
    pub(super) async fn end_again(&self) {
        loop {
            match self.engine.end_again().await {
                Ok(0) => return,
                Ok(count) => {
                    warn!(target: TARGET, event = "ended-again", count, "a failover had lost what was ended");
                    return;
                }
                Err(_) => sleep(PAUSE).await,
            }
        }
    }

    /// Tells of an outage, once.
    pub(super) fn met_outage(&self, cause: &Unavailable) {
        self.outages
            .met(cause, self.on_failure.name(), self.engine.now());
    }

    fn refused(&self, cause: &Unavailable) -> Failure {
        self.journal.unavailable.increment();
        Failure::new(Kind::UNAVAILABLE, "storage-unavailable", cause.to_string())
    }

    /// Refuses to begin a session that no response could tell of.
    pub(super) fn check_sinks(&self) -> Result<(), Failure> {
        if !self.sinks.is_empty() {
            return Ok(());
        }
        Err(Failure::internal(
            "keyLookup names only query parameters, so no session can begin here",
        ))
    }

    /// Tells the client what it has to know about its session.
    pub(super) fn tell(&self, exchange: &mut Exchange<'_>, notice: Notice, ledger: &Ledger) {
        match (notice, ledger.stored()) {
            (Notice::Issue, Some(session)) => {
                self.issue(exchange, session, ledger.place());
                self.remind(exchange, session, ledger);
            }
            (Notice::Remember, Some(session)) => self.remind(exchange, session, ledger),
            (Notice::Clear, _) => {
                self.sinks.clear(exchange, ledger.place());
                self.forget(exchange, ledger.place());
            }
            (Notice::Forget, _) => self.forget(exchange, ledger.place()),
            (Notice::Issue | Notice::Remember, None) | (Notice::Nothing, _) => {}
        }
    }

    /// Tells the client its id, and for how long.
    fn issue(&self, exchange: &mut Exchange<'_>, session: &Session, from: Option<usize>) {
        let now = self.engine.now();
        let lifetime = &self.engine.policy().lifetime;
        let remaining = lifetime
            .remaining(session.record(), now)
            .unwrap_or_default();
        self.sinks
            .issue(exchange, from, (session.id(), remaining, now));
    }

    /// Gives the client a snapshot of what is stored.
    fn remind(&self, exchange: &mut Exchange<'_>, session: &Session, ledger: &Ledger) {
        let (Some(snapshots), Some(held)) = (&self.snapshots, ledger.held()) else {
            return;
        };
        snapshots
            .set(session, ledger.place(), held, self.engine.now())
            .for_each(|cookie| self.sinks.set_cookie(exchange, &cookie));
    }

    fn forget(&self, exchange: &mut Exchange<'_>, from: Option<usize>) {
        let cookies = self.snapshots.iter();
        cookies
            .flat_map(|snapshots| snapshots.clear(from))
            .for_each(|cookie| self.sinks.set_cookie(exchange, &cookie));
    }

    /// Keeps a response from caches that was made without the session that may be there.
    pub(super) fn keep_out_of_caches(&self, exchange: &mut Exchange<'_>) {
        self.sinks.keep_out(exchange);
    }

    /// Tells caches that a response was made of a session.
    pub(super) fn part_caches(&self, exchange: &mut Exchange<'_>) {
        self.sinks.part(exchange);
    }
}

/// Between two attempts to reach a storage after its failover.
const PAUSE: Duration = Duration::from_millis(200);
