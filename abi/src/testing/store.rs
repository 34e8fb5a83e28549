//! A session store that exists for one test.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

use serde_json::json;

use super::TestSession;
use crate::failure::{Failure, Kind};
use crate::session::{Session, SessionEntry, SessionStore, SessionStoreObject};
use crate::{Exchange, Maybe};

/// Sessions of principals that only exist in memory, for [`TestGateway::with_session_store`]. Clones share it.
///
/// ```
/// use abi::testing::{TestGateway, TestSessionStore, wait};
///
/// let store = TestSessionStore::default();
/// let gateway = TestGateway::new().with_session_store("Load", &store);
/// let here = store.log_in("anna").handle();
/// store.log_in("anna");
///
/// let ended = wait(gateway.services().session_store("Load").unwrap().revoke_others(&here)).unwrap();
///
/// assert_eq!(ended, 1);
/// assert_eq!(store.handles("anna"), [here.handle().unwrap()]);
/// ```
///
/// [`TestGateway::with_session_store`]: super::TestGateway::with_session_store
#[derive(Clone, Default)]
pub struct TestSessionStore {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared(Mutex<State>);

#[derive(Default)]
struct State {
    logins: u64,
    /// With the principal of each, oldest first.
    live: Vec<(String, SessionEntry)>,
    visitor: TestSession,
    is_lost: bool,
}

impl TestSessionStore {
    /// A store without sessions, to which the request of every exchange belongs to `visitor`.
    pub fn new(visitor: TestSession) -> Self {
        let state = State {
            visitor,
            ..State::default()
        };
        Self {
            shared: Arc::new(Shared(Mutex::new(state))),
        }
    }

    /// A new session of a principal, whose `user_id` it holds. The n-th login of a store is at the n-th second of 1970,
    /// for an hour.
    pub fn log_in(&self, principal: &str) -> TestSession {
        let mut state = self.shared.state();
        state.logins += 1;
        let created_at = UNIX_EPOCH + Duration::from_secs(state.logins);
        let handle = format!("login-{}", state.logins);
        let entry = SessionEntry::new(handle, created_at..created_at + HOUR);
        state.live.push((principal.to_owned(), entry.clone()));
        TestSession::new(json!({ "user_id": principal })).of(self.handle(), principal, entry)
    }

    /// From here on the storage does not answer.
    pub fn lose_storage(&self) {
        self.shared.state().is_lost = true;
    }

    /// The handles of a principal's live sessions, newest first.
    pub fn handles(&self, principal: &str) -> Vec<String> {
        let entries = self.shared.state().entries(principal);
        entries.into_iter().map(|entry| entry.handle).collect()
    }

    /// The store as a plugin sees it.
    pub fn handle(&self) -> SessionStore {
        SessionStore::new(Arc::clone(&self.shared))
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer<T>(
        &self,
        answer: impl FnOnce(&mut State) -> Result<T, Failure>,
    ) -> Maybe<'static, Result<T, Failure>> {
        let mut state = self.state();
        if state.is_lost {
            let message = "the storage was lost by the test";
            let failure = Failure::new(Kind::UNAVAILABLE, "storage-unavailable", message);
            return Maybe::Ready(Err(failure));
        }
        Maybe::Ready(answer(&mut state))
    }
}

impl State {
    fn entries(&self, principal: &str) -> Vec<SessionEntry> {
        let newest = self.live.iter().rev();
        let of_principal = newest.filter(|(owner, _)| owner == principal);
        of_principal.map(|(_, entry)| entry.clone()).collect()
    }

    fn end(&mut self, is_ended: impl Fn(&str, &SessionEntry) -> bool) -> u64 {
        let before = self.live.len();
        self.live
            .retain(|(principal, entry)| !is_ended(principal, entry));
        (before - self.live.len()) as u64
    }
}

impl SessionStoreObject for Shared {
    fn load<'a>(&'a self, _: Exchange<'a>) -> Maybe<'a, Result<Session, Failure>> {
        self.answer(|state| Ok(state.visitor.handle()))
    }

    fn reset(&self) -> Maybe<'_, Result<u64, Failure>> {
        self.answer(|state| Ok(state.end(|_, _| true)))
    }

    fn sessions<'a>(&'a self, principal: &'a str) -> Maybe<'a, Result<Vec<SessionEntry>, Failure>> {
        self.answer(|state| Ok(state.entries(principal)))
    }

    fn revoke<'a>(
        &'a self,
        principal: &'a str,
        handle: &'a str,
    ) -> Maybe<'a, Result<bool, Failure>> {
        self.answer(|state| {
            let ended = state.end(|owner, entry| owner == principal && entry.handle == handle);
            Ok(ended == 1)
        })
    }

    fn revoke_others<'a>(&'a self, session: &'a Session) -> Maybe<'a, Result<u64, Failure>> {
        self.answer(|state| {
            let handle = session.handle();
            let mut live = state.live.iter();
            let own = live.find(|(_, entry)| Some(&entry.handle) == handle.as_ref());
            let own = own.filter(|(owner, _)| session.get("user_id") == Some(json!(owner)));
            let Some((principal, this)) = own.cloned() else {
                let message = "the session is not stored, has ended, or has no principal";
                return Err(Failure::new(Kind::UNAUTHORIZED, "no-principal", message));
            };
            Ok(state.end(|owner, entry| owner == principal && *entry != this))
        })
    }

    fn revoke_all<'a>(&'a self, principal: &'a str) -> Maybe<'a, Result<u64, Failure>> {
        self.answer(|state| Ok(state.end(|owner, _| owner == principal)))
    }
}

impl fmt::Debug for TestSessionStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TestSessionStore(..)")
    }
}

const HOUR: Duration = Duration::from_secs(60 * 60);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::wait;

    #[test]
    fn sessions_are_listed_newest_first_as_they_were() {
        let store = TestSessionStore::default();
        store.log_in("anna");
        store.log_in("ben");
        store.log_in("anna");

        let listed = wait(store.handle().sessions("anna")).unwrap();

        let login = |n: u64| {
            let at = UNIX_EPOCH + Duration::from_secs(n);
            SessionEntry::new(format!("login-{n}"), at..at + HOUR)
        };
        assert_eq!(listed, [login(3), login(1)]);
        assert_eq!(wait(store.handle().sessions("nobody")), Ok(Vec::new()));
    }

    #[test]
    fn session_knows_its_store_and_how_it_stands_there() {
        let store = TestSessionStore::default();
        let session = store.log_in("anna").handle();

        let listed = wait(session.store().unwrap().sessions("anna")).unwrap();

        assert_eq!(session.principal().as_deref(), Some("anna"));
        assert_eq!(listed, [session.entry().unwrap()]);
        let stranger = TestSession::default().handle();
        assert!(stranger.store().is_none() && stranger.entry().is_none());
        assert!(!stranger.renew() && session.renew());
    }

    #[test]
    fn only_a_session_of_the_principal_is_revoked_and_only_once() {
        let store = TestSessionStore::default();
        let handle = store.log_in("anna").handle().handle().unwrap();
        let revoke = |principal| wait(store.handle().revoke(principal, &handle));

        assert_eq!(revoke("ben"), Ok(false));
        assert_eq!(revoke("anna"), Ok(true));
        assert_eq!(revoke("anna"), Ok(false));
        assert!(store.handles("anna").is_empty());
    }

    #[test]
    fn all_sessions_of_one_principal_are_revoked() {
        let store = TestSessionStore::default();
        for principal in ["anna", "anna", "ben"] {
            store.log_in(principal);
        }

        assert_eq!(wait(store.handle().revoke_all("anna")), Ok(2));
        assert_eq!(
            (store.handles("anna").len(), store.handles("ben").len()),
            (0, 1)
        );
    }

    #[test]
    fn session_that_is_not_on_the_list_revokes_no_others() {
        let store = TestSessionStore::default();
        let handle = store.log_in("anna").handle().handle().unwrap();
        let foreign = TestSession::new(json!({ "user_id": "ben" })).with_handle(&handle);
        let unstored = TestSession::new(json!({ "user_id": "anna" }));

        for session in [foreign, unstored, TestSession::default()] {
            let session = session.handle();
            let failure = wait(store.handle().revoke_others(&session)).unwrap_err();
            assert_eq!(failure.kind(), Kind::UNAUTHORIZED);
        }
        assert_eq!(store.handles("anna"), [handle]);
    }

    #[test]
    fn storage_that_was_lost_is_a_failure_and_ends_nothing() {
        let store = TestSessionStore::default();
        let session = store.log_in("anna").handle();
        store.lose_storage();
        let lost = store.handle();

        let kinds = [
            wait(lost.sessions("anna")).unwrap_err().kind(),
            wait(lost.revoke("anna", "login-1")).unwrap_err().kind(),
            wait(lost.revoke_others(&session)).unwrap_err().kind(),
            wait(lost.revoke_all("anna")).unwrap_err().kind(),
        ];

        assert_eq!(kinds, [Kind::UNAVAILABLE; 4]);
        assert_eq!(store.handles("anna"), ["login-1"]);
    }
}
