//! One request's session, as everybody who works on the request sees it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use abi::session::{Attribute, AttributeError, SessionObject};
use abi::{Exchange, Failure, Maybe};
use serde_json::{Map, Value};
use tracing::warn;

use super::ledger::{Ledger, Notice, Work};
use super::store::Store;
use crate::engine::{Revoked, Saved, Session};
use crate::session::{Attributes, Deltas, Family};

/// The session of one request, shared by everybody who works on it.
#[derive(Debug)]
pub struct Visit {
    store: Arc<Store>,
    ledger: Mutex<Ledger>,
}

impl Visit {
    /// A visitor without a session. Nothing is stored until something is set.
    pub(super) fn fresh(store: Arc<Store>) -> Self {
        Self {
            store,
            ledger: Mutex::default(),
        }
    }

    /// A visitor with a session, whose id stood in the given place.
    pub(super) fn found(store: Arc<Store>, stored: Session, place: usize, notice: Notice) -> Self {
        Self {
            store,
            ledger: Mutex::new(Ledger::found(stored, place, notice)),
        }
    }

    /// Gives the session a new id with the response.
    pub(super) fn renew(&self) {
        self.ledger().renew();
    }

    /// Writes down with the response that the session is in use.
    pub(super) fn touch(&self) {
        self.ledger().touch();
    }

    pub(super) fn is_settled(&self) -> bool {
        self.ledger().is_settled()
    }

    /// Tells caches if the response was made of somebody's session.
    pub(super) fn part_caches(&self, exchange: &mut Exchange<'_>) {
        if self.ledger().was_read() {
            self.store.part_caches(exchange);
        }
    }

    /// Sets and removes attributes as an upstream wrote them.
    pub(super) fn merge(&self, attributes: Map<String, Value>) {
        self.change(|changes| {
            for (name, value) in attributes {
                match value {
                    Value::Null => changes.delete(name),
                    value => changes.set(name, value),
                }
            }
        });
    }

    /// Stores what happened, and only then tells the client.
    pub(super) async fn finish(&self, mut exchange: Exchange<'_>) -> Result<(), Failure> {
        self.store().await?;
        self.announce(&mut exchange);
        Ok(())
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, apply: impl FnOnce(&mut Deltas)) {
        let engine = &self.store.engine;
        // For the readers of this request. The family of what is stored is drawn when it is.
        let blank = || engine.policy().lifetime.begin(Family::new(0), engine.now());
        self.ledger().change(apply, blank);
    }

    async fn store(&self) -> Result<(), Failure> {
        loop {
            let Some(work) = self.ledger().take_work(self.store.engine.policy()) else {
                return Ok(());
            };
            self.work(work).await?;
        }
    }

    async fn work(&self, work: Work) -> Result<(), Failure> {
        let engine = &self.store.engine;
        let (saved, changes) = match work {
            Work::Revoke(session) => return self.revoke(&session).await,
            Work::Create(changes) => {
                self.store.check_sinks()?;
                (engine.create(&changes).await, changes)
            }
            Work::Patch(session, changes) => (engine.patch(&session, &changes).await, changes),
            Work::Regenerate(session, changes) => {
                (engine.regenerate(&session, &changes).await, changes)
            }
            Work::Renew(session) => (
                readable(engine.rotate(&session).await, session),
                Deltas::new(),
            ),
            Work::Touch(session) => (
                readable(engine.touch(&session).await, session),
                Deltas::new(),
            ),
        };
        self.ledger().accept(saved, changes)
    }

    async fn revoke(&self, session: &Session) -> Result<(), Failure> {
        match self.store.engine.revoke(session.id()).await {
            Revoked::Done | Revoked::Absent => {
                self.ledger().end();
                Ok(())
            }
            Revoked::Unavailable(cause) => Err(cause.into()),
        }
    }

    fn announce(&self, exchange: &mut Exchange<'_>) {
        let mut ledger = self.ledger();
        let place = ledger.place();
        match (ledger.take_notice(), ledger.stored()) {
            (Notice::Issue, Some(session)) => self.store.issue(exchange, session, place),
            (Notice::Clear, _) => self.store.clear(exchange, place),
            (Notice::Issue, None) | (Notice::Nothing, _) => {}
        }
    }
}

/// What the gateway wanted for itself may fail: the session was read, so it is valid, and a storage that can only be
/// read is no reason to turn its user away.
fn readable(saved: Saved, session: Session) -> Saved {
    if let Saved::Unavailable(cause) = saved {
        warn!(%cause, "a session could be read and not be written");
        return Saved::Done(session);
    }
    saved
}

impl SessionObject for Visit {
    fn read(&self, path: &str, visit: &mut dyn FnMut(Attribute<'_>)) {
        if let Some(value) = self.ledger().read().find(path) {
            Attribute::lend(value, visit);
        }
    }

    fn set(&self, name: &str, value: Value) -> Result<(), AttributeError> {
        let max_bytes = self.store.engine.policy().max_bytes;
        if name.is_empty() || self.ledger().len_with(name, &value) > max_bytes {
            return Err(AttributeError);
        }
        self.change(|changes| changes.set(name, value));
        Ok(())
    }

    fn delete(&self, name: &str) -> bool {
        let attribute = self
            .ledger()
            .attributes()
            .and_then(|all| all.value(name).cloned());
        if attribute.is_some() {
            self.change(|changes| changes.delete(name));
        }
        attribute.is_some()
    }

    fn keys(&self) -> Vec<String> {
        let mut ledger = self.ledger();
        let names = ledger
            .read()
            .attributes()
            .into_iter()
            .flat_map(Attributes::iter);
        names.map(|(name, _)| name.to_owned()).collect()
    }

    fn id(&self) -> Option<String> {
        let mut ledger = self.ledger();
        ledger.read().stored().map(|session| session.id().encode())
    }

    fn handle(&self) -> Option<String> {
        let mut ledger = self.ledger();
        let stored = ledger.read().stored()?;
        Some(stored.record().family().to_string())
    }

    fn fresh(&self) -> bool {
        self.ledger().read().place().is_none()
    }

    fn regenerate(&self) {
        self.ledger().regenerate();
    }

    fn destroy(&self) {
        self.ledger().destroy();
    }

    fn set_expiry(&self, life: Duration) {
        let now = self.store.engine.now();
        self.change(|changes| changes.expire(life, now));
    }

    fn save(&self) -> Maybe<'_, Result<(), Failure>> {
        Maybe::task(self.store())
    }

    fn commit<'a>(&'a self, mut exchange: Exchange<'a>) -> Maybe<'a, Result<(), Failure>> {
        self.part_caches(&mut exchange);
        if self.is_settled() {
            return Maybe::Ready(Ok(()));
        }
        Maybe::task(self.finish(exchange))
    }
}
