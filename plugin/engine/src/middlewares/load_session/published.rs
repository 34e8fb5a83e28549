//! How other plugins use these sessions, on routes without the middleware and for users as a whole.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use abi::failure::Kind;
use abi::session::{SessionEntry, SessionStoreObject};
use abi::storage::Loaded;
use abi::{Exchange, Failure, Maybe, Session as Handle};

use super::store::Store;
use crate::engine::{Revoked, Session};
use crate::session::{Device, Entry, SessionId, Timestamp};

/// The sessions of one `LoadSessionMiddleware`, under its name.
#[derive(Debug)]
pub(super) struct Published(pub(super) Arc<Store>);

impl SessionStoreObject for Published {
    fn is_shared(&self) -> bool {
        self.0.is_shared
    }

    fn load<'a>(&'a self, mut exchange: Exchange<'a>) -> Maybe<'a, Result<Handle, Failure>> {
        let opened = self.0.open(&mut exchange);
        opened.map(|visit| visit.map(|visit| Handle::new(Arc::new(visit))))
    }

    fn reset(&self) -> Maybe<'_, Result<u64, Failure>> {
        let reset = self.0.engine.reset();
        reset.map(|reset| reset.map_err(Failure::from))
    }

    fn sessions<'a>(&'a self, principal: &'a str) -> Maybe<'a, Result<Vec<SessionEntry>, Failure>> {
        Maybe::task(async move {
            let entries = self.0.engine.sessions_of(principal).await?;
            Ok(entries.iter().map(listed).collect())
        })
    }

    fn revoke<'a>(
        &'a self,
        principal: &'a str,
        handle: &'a str,
    ) -> Maybe<'a, Result<bool, Failure>> {
        // What cannot be a handle names no session.
        let Ok(family) = handle.parse() else {
            return Maybe::Ready(Ok(false));
        };
        Maybe::task(async move {
            match self.0.engine.revoke_one(principal, family).await {
                Revoked::Done => Ok(true),
                Revoked::Absent => Ok(false),
                Revoked::Unavailable(cause) => Err(cause.into()),
            }
        })
    }

    fn revoke_others<'a>(&'a self, session: &'a Handle) -> Maybe<'a, Result<u64, Failure>> {
        Maybe::task(async move {
            let current = self.current(session).await?;
            Ok(self.0.engine.revoke_others(&current).await? as u64)
        })
    }

    fn revoke_all<'a>(&'a self, principal: &'a str) -> Maybe<'a, Result<u64, Failure>> {
        Maybe::task(async move { Ok(self.0.engine.revoke_all(principal).await? as u64) })
    }
}

impl Published {
    /// What is stored of a session that says that it is this store's. It must belong to somebody, and to the one it
    /// says: a login that was not stored yet would end the sessions of the user before.
    async fn current(&self, session: &Handle) -> Result<Session, Failure> {
        let id = session.id().and_then(|id| SessionId::parse(id.as_bytes()));
        let stored = match id {
            Some(id) => self.0.engine.load_anew(&id).wait().await,
            None => Loaded::Absent,
        };
        match stored {
            Loaded::Found(stored) if self.belongs_to_the_same(&stored, session) => Ok(stored),
            Loaded::Found(_) | Loaded::Absent => Err(Failure::new(
                Kind::UNAUTHORIZED,
                "no-principal",
                "the session is not stored, or belongs to nobody",
            )),
            Loaded::Unavailable(cause) => Err(cause.into()),
        }
    }

    fn belongs_to_the_same(&self, stored: &Session, session: &Handle) -> bool {
        let policy = self.0.engine.policy();
        let Some(name) = policy.principal.as_deref() else {
            return false;
        };
        let attributes = stored.record().attributes();
        policy.principal_of(attributes).is_some()
            && attributes.value(name).map(|value| value.to_value()) == session.get(name)
    }
}

/// A session as a list shows it.
fn listed(entry: &Entry) -> SessionEntry {
    let life = time(entry.created_at)..time(entry.expires_at);
    let device = entry.device.as_ref();
    SessionEntry::new(entry.family.to_string(), life)
        .seen(time(entry.seen_at))
        .from_address(device.and_then(Device::ip))
        .from_agent(device.and_then(Device::user_agent).map(str::to_owned))
}

pub(super) fn time(at: Timestamp) -> SystemTime {
    let since = Duration::from_millis(at.as_millis());
    SystemTime::UNIX_EPOCH
        .checked_add(since)
        .unwrap_or(SystemTime::UNIX_EPOCH)
}
