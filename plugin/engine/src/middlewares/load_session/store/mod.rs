//! Where the sessions of one middleware come from, and how the client is told about them.

mod arrival;

use std::sync::Arc;
use std::time::Duration;

use abi::config::Faults;
use abi::failure::Kind;
use abi::storage::Unavailable;
use abi::{Exchange, Failure, HeaderName, Services, Side};
use tokio::time::sleep;
use tracing::warn;

use super::config::{OnStorageFailure, PathGlobs, Settings, Terms};
use super::journal::{Journal, TARGET};
use super::ledger::{Ledger, Notice};
use super::outages::Outages;
use super::presented::Places;
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
    /// That it is published under.
    pub(super) name: String,
    pub(super) engine: Engine,
    places: Places,
    user_agent: HeaderName,
    sinks: Sinks,
    /// None when every session is read from the storage.
    snapshots: Option<SnapshotCookies>,
    sensitive_paths: PathGlobs,
    forwards_key: bool,
    /// Whether other processes see the same sessions.
    pub(super) is_shared: bool,
    /// Whether a browser that another site sends here leaves the session's cookie out.
    pub(super) is_strict: bool,
    pub(super) terms: Terms,
    on_failure: OnStorageFailure,
    outages: Outages,
    journal: Arc<Journal>,
}

impl Store {
    pub(super) fn new(
        name: &str,
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
            name: name.to_owned(),
            engine: match backing.failovers {
                Some(_) => engine.remembering_ends(),
                None => engine,
            },
            sinks: Sinks::new(settings, &places, services)?,
            user_agent: services
                .header("user-agent")
                .map_err(|error| Faults::at("", error.to_string()))?,
            snapshots: SnapshotCookies::new(settings, &places, services)?,
            places,
            sensitive_paths: settings.sensitive_paths.clone(),
            forwards_key: settings.forwards_key,
            is_shared: backing.is_shared,
            is_strict: settings.is_strict(),
            terms: settings.terms.clone(),
            on_failure: settings.on_storage_failure,
            outages: Outages::default(),
            journal,
        })
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
    fn welcome(
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

    /// Ends again what was ended here and a failover or a restart brought back. Tried until the storage has answered, or nothing is
    /// remembered any more.
    pub(super) async fn end_again(&self) {
        loop {
            match self.engine.end_again().await {
                Ok(0) => return,
                Ok(count) => {
                    warn!(target: TARGET, event = "ended-again", count, "the storage had lost what was ended");
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

    /// What the client calls itself.
    pub(super) fn agent<'e>(&self, exchange: &'e Exchange<'_>) -> Option<&'e [u8]> {
        exchange.header(Side::Request, self.user_agent)
    }

    /// Whether a response can carry a new id back to where the old one was.
    pub(super) fn reaches(&self, place: usize) -> bool {
        self.sinks.reaches(place)
    }

    /// Refuses to begin a session that no response could tell of.
    pub(super) fn check_sinks(&self) -> Result<(), Failure> {
        if !self.sinks.is_empty() {
            return Ok(());
        }
        Err(Failure::internal(
            "keyLookup names only query parameters, so no session can begin here or get another id",
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
            (Notice::Issue | Notice::Remember, None) | (Notice::Nothing | Notice::Follow, _) => {}
        }
    }

    /// Tells the client its id, and for how long.
    fn issue(&self, exchange: &mut Exchange<'_>, session: &Session, from: Option<usize>) {
        let now = self.engine.now();
        let lifetime = &self.engine.policy().lifetime;
        let remaining = lifetime.remaining_in_use(session.record(), now);
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
