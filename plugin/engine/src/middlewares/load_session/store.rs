//! Where the sessions of one middleware come from, and how the client is told about them.

use std::sync::Arc;

use abi::config::Faults;
use abi::failure::Kind;
use abi::storage::{Loaded, Unavailable};
use abi::{Exchange, Failure, Maybe, Services};

use super::config::Settings;
use super::journal::Journal;
use super::ledger::{Ledger, Notice};
use super::presented::{Places, Presented};
use super::sinks::Sinks;
use super::snapshots::{Held, Recalled, SnapshotCookies};
use super::visit::Visit;
use crate::clock::Clock;
use crate::engine::{Engine, Session};
use crate::session::SessionId;
use crate::storage::Rows;

/// The sessions of one `LoadSessionMiddleware`, also for plugins that ask for them by its name.
#[derive(Debug)]
pub(super) struct Store {
    pub(super) engine: Engine,
    places: Places,
    sinks: Sinks,
    /// None when every session is read from the storage.
    snapshots: Option<SnapshotCookies>,
    forwards_key: bool,
    journal: Arc<Journal>,
}

impl Store {
    pub(super) fn new(
        settings: &Settings,
        rows: Arc<dyn Rows>,
        clock: Arc<dyn Clock>,
        services: &Services,
    ) -> Result<Self, Faults> {
        let places = Places::new(&settings.lookup, services)?;
        let journal = Arc::new(Journal::new(services));
        let observer = Arc::clone(&journal);
        Ok(Self {
            engine: Engine::new(rows, clock, settings.policy.clone()).observed_by(observer),
            sinks: Sinks::new(settings, &places, services)?,
            snapshots: SnapshotCookies::new(settings, &places, services)?,
            places,
            forwards_key: settings.forwards_key,
            journal,
        })
    }

    /// Finds the session of a request and takes its key out of what is forwarded.
    pub(super) fn open<'a>(
        self: &'a Arc<Self>,
        exchange: &mut Exchange<'_>,
    ) -> Maybe<'a, Result<Visit, Failure>> {
        let presented = self.places.find(exchange);
        let (held, recalled) = self.recall(exchange, &presented);
        self.strip(exchange);
        let Some((place, id)) = presented.first() else {
            self.journal.anonymous.increment();
            return Maybe::Ready(Ok(self.visit(Ledger::fresh(held))));
        };
        if let Some(recalled) = recalled.as_ref().filter(|recalled| !recalled.is_due) {
            return Maybe::Ready(Ok(self.remembered(recalled, held)));
        }
        match self.engine.load(id) {
            Maybe::Ready(Loaded::Found(session)) => {
                Maybe::Ready(Ok(self.found(session, (place, id), held)))
            }
            first => Maybe::task(self.search(presented, first, (held, recalled))),
        }
    }

    /// Tries each id that was presented; the first that leads to a session is the one. A snapshot counts again when
    /// the storage does not answer.
    async fn search(
        self: &Arc<Self>,
        presented: Presented,
        first: Maybe<'_, Loaded<Session>>,
        (held, recalled): (Option<Held>, Option<Recalled>),
    ) -> Result<Visit, Failure> {
        let mut first = Some(first);
        for (place, id) in presented.iter() {
            let load = first.take().unwrap_or_else(|| self.engine.load(id));
            match (load.wait().await, &recalled) {
                (Loaded::Absent, _) => {}
                (Loaded::Unavailable(_), Some(recalled)) => {
                    return Ok(self.remembered(recalled, held));
                }
                (Loaded::Unavailable(cause), None) => return Err(self.outage(&cause)),
                (Loaded::Found(session), _) => return Ok(self.found(session, (place, id), held)),
            }
        }
        self.journal.absent.increment();
        Ok(self.visit(Ledger::fresh(held)))
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

    fn outage(&self, cause: &Unavailable) -> Failure {
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

    /// Tells caches that a response was made of a session.
    pub(super) fn part_caches(&self, exchange: &mut Exchange<'_>) {
        self.sinks.part(exchange);
    }
}
