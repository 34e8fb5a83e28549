//! One request's session, as everybody who works on the request sees it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use abi::session::{Attribute, AttributeError, SessionEntry, SessionObject, Standing};
use abi::storage::Loaded;
use abi::{Exchange, Failure, Maybe, SessionStore};
use serde_json::{Map, Value};

use super::attention::Attention;
use super::basis::{Basis, Remembered};
use super::ledger::{Ledger, Work};
use super::published::{Published, time};
use super::store::Store;
use crate::engine::{Claim, Revoked, Saved, Session};
use crate::session::{AttributesRef, Deltas, Family, Record, SessionId, is_too_deep};

/// The session of one request, shared by everybody who works on it.
#[derive(Debug)]
pub struct Visit {
    pub(super) store: Arc<Store>,
    ledger: Mutex<Ledger>,
    pub(super) attention: Attention,
}

impl Visit {
    pub(super) fn new(store: Arc<Store>, ledger: Ledger) -> Self {
        Self {
            store,
            ledger: Mutex::new(ledger),
            attention: Attention::default(),
        }
    }

    /// Notes what the client calls itself while that can be asked, if its request may become a login. Who is logged in
    /// already pays nothing.
    pub(super) fn note_agent(&mut self, exchange: &Exchange<'_>) {
        let ledger = self.ledger.get_mut();
        let ledger = ledger.unwrap_or_else(PoisonError::into_inner);
        if ledger.may_be_login() {
            ledger.note_agent(self.store.agent(exchange));
        }
    }

    /// Lets nothing but the storage say whether the session still stands.
    pub(super) fn closely(mut self) -> Self {
        self.attention = Attention::close();
        self
    }

    pub(super) fn is_settled(&self) -> bool {
        self.ledger().is_settled()
    }

    /// Tells caches if the response was made of somebody's session, or for want of it.
    pub(super) fn part_caches(&self, exchange: &mut Exchange<'_>) {
        let ledger = self.ledger();
        if ledger.was_missed() {
            self.store.keep_out_of_caches(exchange);
        } else if ledger.was_read() {
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
        let agent = self.store.agent(&exchange);
        self.ledger().come_from(exchange.peer(), agent);
        self.write().await?;
        self.follow().await;
        self.announce(&mut exchange);
        Ok(())
    }

    /// Looks once more for a session that was found through a retired id: a login or a logout may have come first, and a
    /// slow response must not bring back what the browser has replaced.
    async fn follow(&self) {
        let Some(id) = self.ledger().followed() else {
            return;
        };
        if self.load_again(id, Claim::Held).await.is_err() {
            // The id that the client has leads on when the storage answers again.
            self.ledger().take_notice();
        }
    }

    pub(super) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, apply: impl FnOnce(&mut Deltas)) {
        let policy = self.store.engine.policy();
        self.ledger().change(apply, policy, || self.blank());
    }

    /// For the readers of this request. The family of what is stored is drawn when it is.
    fn blank(&self) -> Record {
        let engine = &self.store.engine;
        engine.policy().lifetime.begin(Family::new(0), engine.now())
    }

    async fn write(&self) -> Result<(), Failure> {
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
            Work::Refuse(cause) => return Err(cause.into()),
            Work::Confirm(remembered) => return self.confirm(&remembered).await,
            Work::Revoke(session) => return self.revoke(&session).await,
            Work::Create(changes) => {
                self.store.check_sinks()?;
                (engine.create(&changes).await, changes)
            }
            Work::Patch(session, changes) => (engine.patch(&session, &changes).await, changes),
            Work::Regenerate(session, changes) => {
                self.leave_unreachable_place()?;
                (engine.regenerate(&session, &changes).await, changes)
            }
            Work::Renew(session) => return self.keep_up(engine.rotate(&session).await),
            Work::Prolong(session) => (engine.rotate(&session).await, Deltas::new()),
            Work::Touch(session) => return self.keep_up(engine.touch(&session).await),
        };
        self.ledger().accept(saved, changes, engine.policy())
    }

    /// An id that nobody has seen yet is told wherever one is looked for, if the place of the old one cannot be told: a
    /// login would be lost, and with it what was there before.
    fn leave_unreachable_place(&self) -> Result<(), Failure> {
        let mut ledger = self.ledger();
        let is_unreachable = |place| !self.store.reaches(place);
        if ledger.place().is_some_and(is_unreachable) {
            self.store.check_sinks()?;
            ledger.leave_place();
        }
        Ok(())
    }

    /// What the gateway wanted for itself may fail: the session was read, so it is valid, and a storage that can only be
    /// read is no reason to turn its user away.
    fn keep_up(&self, saved: Saved) -> Result<(), Failure> {
        if let Saved::Unavailable(cause) = saved {
            self.store.met_outage(&cause);
            return Ok(());
        }
        let policy = self.store.engine.policy();
        self.ledger().accept(saved, Deltas::new(), policy)
    }

    /// Asks the storage for what is only remembered. From here on, its answer counts.
    async fn confirm(&self, remembered: &Remembered) -> Result<(), Failure> {
        let engine = &self.store.engine;
        let loaded = engine.load_for(&remembered.id, remembered.claim());
        match loaded.wait().await {
            Loaded::Found(session) => self.ledger().confirm(session, engine.policy()),
            Loaded::Absent => self.ledger().refute(engine.policy(), || self.blank()),
            Loaded::Unavailable(cause) => return Err(cause.into()),
        }
        Ok(())
    }

    async fn load_again(&self, id: SessionId, claim: Claim<'_>) -> Result<bool, Failure> {
        match self.store.engine.load_for(&id, claim).wait().await {
            Loaded::Found(session) => {
                let policy = self.store.engine.policy();
                self.ledger().renew_basis(session, policy);
                Ok(true)
            }
            Loaded::Absent => {
                let policy = self.store.engine.policy();
                self.ledger().miss(policy, || self.blank());
                Ok(false)
            }
            Loaded::Unavailable(cause) => Err(cause.into()),
        }
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
        let notice = ledger.take_notice();
        self.store.tell(exchange, notice, &ledger);
        ledger.has_told(notice);
    }
}

impl SessionObject for Visit {
    fn read(&self, path: &str, visit: &mut dyn FnMut(Attribute<'_>)) {
        if let Some(attributes) = self.ledger().read().attributes() {
            attributes.lend(path, visit);
        }
    }

    fn set(&self, name: &str, value: Value) -> Result<(), AttributeError> {
        let max_bytes = self.store.engine.policy().max_bytes;
        let is_too_large = || self.ledger().len_with(name, &value) > max_bytes;
        if name.is_empty() || is_too_deep(&value) || is_too_large() {
            return Err(AttributeError);
        }
        self.change(|changes| changes.set(name, value));
        Ok(())
    }

    fn delete(&self, name: &str) -> bool {
        let is_there = self
            .ledger()
            .attributes()
            .is_some_and(|all| all.value(name).is_some());
        if is_there {
            self.change(|changes| changes.delete(name));
        }
        is_there
    }

    fn keys(&self) -> Vec<String> {
        let mut ledger = self.ledger();
        let names = ledger
            .read()
            .attributes()
            .into_iter()
            .flat_map(AttributesRef::iter);
        names.map(|(name, _)| name.to_owned()).collect()
    }

    fn id(&self) -> Option<String> {
        let mut ledger = self.ledger();
        ledger.read().basis().id().map(SessionId::encode)
    }

    fn handle(&self) -> Option<String> {
        let mut ledger = self.ledger();
        let record = ledger.read().basis().record()?;
        Some(record.family().to_string())
    }

    fn principal(&self) -> Option<String> {
        let mut ledger = self.ledger();
        let attributes = ledger.read().basis().record()?.attributes();
        let principal = self.store.engine.policy().principal_of(attributes)?;
        Some(principal.into_owned())
    }

    fn store(&self) -> Option<SessionStore> {
        let published = Published(Arc::clone(&self.store));
        Some(SessionStore::new(Arc::new(published)))
    }

    fn entry(&self) -> Option<SessionEntry> {
        let mut ledger = self.ledger();
        let record = ledger.read().basis().record()?;
        let ends_at = self.store.engine.policy().lifetime.ends_at(record);
        let life = time(record.created_at())..time(ends_at);
        let entry = SessionEntry::new(record.family().to_string(), life);
        Some(entry.seen(time(record.seen_at())))
    }

    fn fresh(&self) -> bool {
        self.ledger().read().place().is_none()
    }

    fn regenerate(&self) {
        self.ledger().regenerate();
    }

    fn renew(&self) -> bool {
        let mut ledger = self.ledger();
        let is_told = ledger
            .place()
            .is_some_and(|place| self.store.reaches(place));
        if is_told && ledger.basis().record().is_some() {
            ledger.prolong();
            return true;
        }
        false
    }

    fn peek(&self) {
        self.ledger().peek();
    }

    fn destroy(&self) {
        self.ledger().destroy();
    }

    fn set_expiry(&self, life: Duration) {
        let now = self.store.engine.now();
        self.change(|changes| changes.expire(life, now));
    }

    fn standing(&self) -> Maybe<'_, Standing> {
        self.attend()
    }

    fn kept_by(&self) -> Option<String> {
        Some(self.store.name.clone())
    }

    fn reload(&self) -> Maybe<'_, Result<bool, Failure>> {
        match self.ledger().basis() {
            Basis::Nothing => Maybe::Ready(Ok(false)),
            Basis::Unknown(cause) => Maybe::Ready(Err(cause.clone().into())),
            Basis::Remembered(remembered) => {
                let remembered = remembered.clone();
                Maybe::task(async move {
                    let claim = remembered.claim();
                    self.load_again(remembered.id.clone(), claim).await
                })
            }
            Basis::Stored(session) => {
                Maybe::task(self.load_again(session.id().clone(), Claim::Held))
            }
        }
    }

    fn save(&self) -> Maybe<'_, Result<(), Failure>> {
        Maybe::task(self.write())
    }

    fn commit<'a>(&'a self, mut exchange: Exchange<'a>) -> Maybe<'a, Result<(), Failure>> {
        self.part_caches(&mut exchange);
        if self.is_settled() {
            return Maybe::Ready(Ok(()));
        }
        Maybe::task(self.finish(exchange))
    }
}
