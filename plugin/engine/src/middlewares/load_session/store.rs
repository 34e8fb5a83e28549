//! Where the sessions of one middleware come from, and how the client is told about them.

use std::sync::Arc;

use abi::config::Faults;
use abi::failure::Kind;
use abi::storage::{Loaded, Unavailable};
use abi::{Exchange, Failure, Maybe, Services};

use super::config::Settings;
use super::journal::Journal;
use super::ledger::Notice;
use super::presented::{Places, Presented};
use super::sinks::Sinks;
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
        if !self.forwards_key {
            self.places.strip(exchange);
        }
        let Some((place, id)) = presented.first() else {
            self.journal.anonymous.increment();
            return Maybe::Ready(Ok(Visit::fresh(Arc::clone(self))));
        };
        match self.engine.load(id) {
            Maybe::Ready(Loaded::Found(session)) => {
                Maybe::Ready(Ok(self.found(session, place, id)))
            }
            first => Maybe::task(self.search(presented, first)),
        }
    }

    /// Tries each id that was presented; the first that leads to a session is the one.
    async fn search(
        self: &Arc<Self>,
        presented: Presented,
        first: Maybe<'_, Loaded<Session>>,
    ) -> Result<Visit, Failure> {
        let mut first = Some(first);
        for (place, id) in presented.iter() {
            let load = first.take().unwrap_or_else(|| self.engine.load(id));
            match load.wait().await {
                Loaded::Absent => {}
                Loaded::Unavailable(cause) => return Err(self.outage(&cause)),
                Loaded::Found(session) => return Ok(self.found(session, place, id)),
            }
        }
        self.journal.absent.increment();
        Ok(Visit::fresh(Arc::clone(self)))
    }

    /// A session that `id` led to. One that is due gets its new id when there is a response to tell of it: a client
    /// that breaks off before would be left with an id that is about to end.
    fn found(self: &Arc<Self>, session: Session, place: usize, id: &SessionId) -> Visit {
        self.journal.found.increment();
        if !session.is_newest() {
            self.journal.old_secret.increment();
        }
        let notice = match session.id() == id {
            true => Notice::Nothing,
            false => Notice::Issue,
        };
        let (is_due, is_touch_due) = (
            session.is_due() && self.sinks.reaches(place),
            session.is_touch_due(),
        );
        let visit = Visit::found(Arc::clone(self), session, place, notice);
        if is_due {
            visit.renew();
        } else if is_touch_due {
            visit.touch();
        }
        visit
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

    /// Tells the client its id, and for how long.
    pub(super) fn issue(
        &self,
        exchange: &mut Exchange<'_>,
        session: &Session,
        from: Option<usize>,
    ) {
        let now = self.engine.now();
        let lifetime = &self.engine.policy().lifetime;
        let remaining = lifetime
            .remaining(session.record(), now)
            .unwrap_or_default();
        self.sinks
            .issue(exchange, from, (session.id(), remaining, now));
    }

    /// Tells the client that its key is worth nothing any more.
    pub(super) fn clear(&self, exchange: &mut Exchange<'_>, from: Option<usize>) {
        self.sinks.clear(exchange, from);
    }

    /// Tells caches that a response was made of a session.
    pub(super) fn part_caches(&self, exchange: &mut Exchange<'_>) {
        self.sinks.part(exchange);
    }
}
