//! Who asks: the user of the session that a LoadSessionMiddleware attached to the request.

use abi::session::SessionEntry;
use abi::{Exchange, Failure, Session, SessionStore};

/// A logged-in user with the session of this request and the store it is kept in. Nobody has to configure which: the
/// session says so.
pub(super) struct Visitor {
    pub(super) session: Session,
    pub(super) store: SessionStore,
    pub(super) principal: String,
    handle: String,
}

impl Visitor {
    /// None for somebody who is not logged in.
    ///
    /// # Errors
    /// When the storage did not answer and still does not: there may be somebody whom nobody could find just now. When the
    /// session was made by a plugin from before sessions knew their stores.
    pub(super) async fn of(exchange: &Exchange<'_>) -> Result<Option<Self>, Failure> {
        let Some(session) = exchange.session() else {
            return Ok(None);
        };
        if session.principal().is_none() && !session.reload().wait().await? {
            return Ok(None);
        }
        let (Some(principal), Some(handle)) = (session.principal(), session.handle()) else {
            return Ok(None);
        };
        let store = session.store().ok_or_else(|| {
            Failure::internal(
                "the plugin that loads sessions here is too old to say where they are",
            )
        })?;
        Ok(Some(Self {
            session: session.clone(),
            store,
            principal,
            handle,
        }))
    }

    /// The user's sessions, as the storage has them now, the newest login first. None when this one is not among them:
    /// it was ended, and what the request knows of it is a memory.
    pub(super) async fn sessions(&self) -> Result<Option<Vec<SessionEntry>>, Failure> {
        let sessions = self.store.sessions(&self.principal).wait().await?;
        let is_alive = sessions.iter().any(|entry| self.is_own(entry));
        Ok(is_alive.then_some(sessions))
    }

    pub(super) fn is_own(&self, entry: &SessionEntry) -> bool {
        entry.handle == self.handle
    }
}
