//! One request's session: what is read and changed on the way, and what comes of it at the end.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use abi::session::{Attribute, AttributeError, SessionObject};
use abi::{Exchange, Failure, Maybe};
use serde_json::{Map, Value};

use super::store::Store;
use crate::engine::{Revoked, Saved, Session};
use crate::session::{Attributes, Deltas, Record};

/// The session of one request, shared by everybody who works on it.
#[derive(Debug)]
pub struct Visit {
    store: Arc<Store>,
    state: Mutex<Visited>,
}

#[derive(Debug, Default)]
struct Visited {
    stored: Option<Session>,
    /// The place the id came from; none for a visitor without a session.
    place: Option<usize>,
    changes: Deltas,
    /// The attributes with the changes applied, made at the first change.
    merged: Option<Record>,
    fate: Fate,
    notice: Notice,
}

/// What is to become of the session, besides its changes.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum Fate {
    #[default]
    Keep,
    Regenerate,
    Destroy,
    /// It is over: ended here, or found ended when it was to be stored.
    Over,
}

/// What the client has to be told.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum Notice {
    #[default]
    Nothing,
    /// It has a new id, or a new end.
    Issue,
    /// Its key leads nowhere any more.
    Clear,
}

/// The operation that stores what happened.
enum Work {
    Create(Deltas),
    Patch(Session, Deltas),
    Regenerate(Session, Deltas),
    Revoke(Session),
}

impl Visit {
    /// A visitor without a session. Nothing is stored until something is set.
    pub(super) fn fresh(store: Arc<Store>) -> Self {
        Self {
            store,
            state: Mutex::default(),
        }
    }

    /// A visitor with a session, whose id stood in the given place.
    pub(super) fn found(store: Arc<Store>, stored: Session, place: usize, notice: Notice) -> Self {
        let state = Visited {
            stored: Some(stored),
            place: Some(place),
            notice,
            ..Visited::default()
        };
        Self {
            store,
            state: Mutex::new(state),
        }
    }

    fn state(&self) -> MutexGuard<'_, Visited> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether there is nothing to store and nothing to tell: so it is for nearly every request.
    pub(super) fn is_settled(&self) -> bool {
        let state = self.state();
        state.notice == Notice::Nothing && state.changes.is_empty() && !state.fate.is_pending()
    }

    async fn store(&self) -> Result<(), Failure> {
        let Some(work) = self.state().take_work() else {
            return Ok(());
        };
        let engine = &self.store.engine;
        let (event, saved, changes) = match work {
            Work::Revoke(session) => return self.revoke(&session).await,
            Work::Create(changes) => {
                self.store.check_sink()?;
                ("created", engine.create(&changes).await, changes)
            }
            Work::Patch(session, changes) => {
                ("changed", engine.patch(&session, &changes).await, changes)
            }
            Work::Regenerate(session, changes) => {
                let saved = engine.regenerate(&session, &changes).await;
                ("regenerated", saved, changes)
            }
        };
        self.state().accept(saved, changes).map(|outcome| {
            self.store.count(outcome.unwrap_or(event));
        })
    }

    async fn revoke(&self, session: &Session) -> Result<(), Failure> {
        match self.store.engine.revoke(session.id()).await {
            Revoked::Done | Revoked::Absent => {
                self.store.count("revoked");
                self.state().end();
                Ok(())
            }
            Revoked::Unavailable(cause) => Err(cause.into()),
        }
    }

    /// Tells the client, after the storage said yes.
    fn announce(&self, exchange: &mut Exchange<'_>) {
        let mut state = self.state();
        let notice = std::mem::take(&mut state.notice);
        match (notice, &state.stored) {
            (Notice::Issue, Some(session)) => self.store.issue(exchange, session, state.place),
            (Notice::Clear, _) => self.store.clear(exchange, state.place),
            (Notice::Issue, None) | (Notice::Nothing, _) => {}
        }
    }

    pub(super) async fn finish(&self, mut exchange: Exchange<'_>) -> Result<(), Failure> {
        self.store().await?;
        self.announce(&mut exchange);
        Ok(())
    }
}

impl SessionObject for Visit {
    fn read(&self, path: &str, visit: &mut dyn FnMut(Attribute<'_>)) {
        let state = self.state();
        let Some(attributes) = state.attributes() else {
            return;
        };
        if let Some(value) = resolve(attributes, path) {
            Attribute::lend(value, visit);
        }
    }

    fn set(&self, name: &str, value: Value) -> Result<(), AttributeError> {
        if name.is_empty() {
            return Err(AttributeError);
        }
        self.change(|changes| changes.set(name, value));
        Ok(())
    }

    fn delete(&self, name: &str) -> bool {
        let was_there = self
            .state()
            .attributes()
            .is_some_and(|attributes| attributes.value(name).is_some());
        if was_there {
            self.change(|changes| changes.delete(name));
        }
        was_there
    }

    fn keys(&self) -> Vec<String> {
        let state = self.state();
        let names = state.attributes().map(Attributes::iter);
        names
            .into_iter()
            .flatten()
            .map(|(name, _)| name.to_owned())
            .collect()
    }

    fn id(&self) -> Option<String> {
        let state = self.state();
        state.stored.as_ref().map(|session| session.id().encode())
    }

    fn fresh(&self) -> bool {
        self.state().place.is_none()
    }

    fn regenerate(&self) {
        let fate = &mut self.state().fate;
        if *fate == Fate::Keep {
            *fate = Fate::Regenerate;
        }
    }

    fn destroy(&self) {
        let state = &mut *self.state();
        if state.fate != Fate::Over {
            state.fate = Fate::Destroy;
        }
    }

    fn set_expiry(&self, life: Duration) {
        let now = self.store.engine.now();
        self.change(|changes| changes.expire(life, now));
    }

    fn save(&self) -> Maybe<'_, Result<(), Failure>> {
        Maybe::task(self.store())
    }

    fn commit<'a>(&'a self, exchange: Exchange<'a>) -> Maybe<'a, Result<(), Failure>> {
        if self.is_settled() {
            return Maybe::Ready(Ok(()));
        }
        Maybe::task(self.finish(exchange))
    }
}

impl Visit {
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

    fn change(&self, apply: impl FnOnce(&mut Deltas)) {
        let now = self.store.engine.now();
        let lifetime = self.store.lifetime;
        let state = &mut *self.state();
        if matches!(state.fate, Fate::Destroy | Fate::Over) {
            return;
        }
        apply(&mut state.changes);
        let base = match &state.stored {
            Some(session) => Record::clone(session.record()),
            None => lifetime.begin(Attributes::default(), now),
        };
        state.merged = Some(base.merge(&state.changes));
    }
}

impl Visited {
    /// What a reader sees: nothing once the end was decided.
    fn attributes(&self) -> Option<&Attributes> {
        if matches!(self.fate, Fate::Destroy | Fate::Over) {
            return None;
        }
        let merged = self.merged.as_ref();
        let stored = || self.stored.as_ref().map(|session| &**session.record());
        merged.or_else(stored).map(Record::attributes)
    }

    /// Takes what is to be done. It is done once, whoever asks.
    fn take_work(&mut self) -> Option<Work> {
        let changes = std::mem::take(&mut self.changes);
        let is_new_user = self.changes_principal();
        let fate = std::mem::take(&mut self.fate);
        match (fate, self.stored.clone()) {
            (Fate::Over, _) => {
                self.fate = Fate::Over;
                None
            }
            (Fate::Destroy, Some(session)) => {
                // Stays decided until the storage has said so: a request that fails here must not go on with it.
                self.fate = Fate::Destroy;
                Some(Work::Revoke(session))
            }
            (Fate::Destroy, None) => {
                self.end();
                None
            }
            (Fate::Keep | Fate::Regenerate, None) => self.begins().then_some(Work::Create(changes)),
            (Fate::Regenerate, Some(session)) => Some(Work::Regenerate(session, changes)),
            (Fate::Keep, Some(session)) if is_new_user => Some(Work::Regenerate(session, changes)),
            (Fate::Keep, Some(_)) if changes.is_empty() => None,
            (Fate::Keep, Some(session)) => Some(Work::Patch(session, changes)),
        }
    }

    /// Nothing is stored for somebody who left nothing.
    fn begins(&self) -> bool {
        let attributes = self.merged.as_ref().map(Record::attributes);
        attributes.is_some_and(|attributes| !attributes.is_empty())
    }

    fn changes_principal(&self) -> bool {
        let (Some(merged), Some(stored)) = (&self.merged, &self.stored) else {
            return false;
        };
        merged.attributes().value(PRINCIPAL) != stored.record().attributes().value(PRINCIPAL)
    }

    /// Takes the outcome of a write: what happened instead of what was meant, if it was something else.
    fn accept(&mut self, saved: Saved, changes: Deltas) -> Result<Option<&'static str>, Failure> {
        match saved {
            Saved::Done(session) => {
                let known = self.stored.as_ref();
                let is_told = known.is_some_and(|known| {
                    known.id() == session.id()
                        && known.record().expires_at() == session.record().expires_at()
                });
                if !is_told {
                    self.notice = Notice::Issue;
                }
                self.merged = None;
                self.stored = Some(session);
                Ok(None)
            }
            Saved::Lost => {
                self.end();
                Ok(Some("lost"))
            }
            Saved::Unavailable(cause) => {
                self.changes = changes;
                Err(cause.into())
            }
        }
    }

    fn end(&mut self) {
        self.fate = Fate::Over;
        self.notice = match self.place {
            Some(_) => Notice::Clear,
            // Never told, or told by a save in this very request: then nobody has the key.
            None => Notice::Nothing,
        };
        self.stored = None;
        self.merged = None;
    }
}

impl Fate {
    const fn is_pending(self) -> bool {
        match self {
            Self::Regenerate | Self::Destroy => true,
            Self::Keep | Self::Over => false,
        }
    }
}

/// An attribute of exactly this name, or the way that its dots lead through objects.
fn resolve<'a>(attributes: &'a Attributes, path: &str) -> Option<&'a Value> {
    if let Some(value) = attributes.value(path) {
        return Some(value);
    }
    let (name, rest) = path.split_once('.')?;
    rest.split('.')
        .try_fold(attributes.value(name)?, |value, step| value.get(step))
}

// The attribute that names the user. When it changes, so does the id: nobody who knew the old one shares the login.
const PRINCIPAL: &str = "user_id";
