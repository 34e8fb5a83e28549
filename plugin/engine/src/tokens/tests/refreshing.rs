//! How often a provider is called for the tokens of one session, and what that does to the session, by a clock that the
//! test moves.

use std::time::Duration;

use abi::Entry;
use abi::storage::Loaded;

use super::grants::set;
use super::*;
use crate::engine::{Saved, Session};
use crate::middlewares::{Keeper, LoadSessionMiddleware};
use crate::session::{Deltas, SessionId};
use crate::storage::{MemoryConfig, MemoryStorage, Rows};

#[test]
fn five_minutes_of_an_outage_are_ten_calls_and_end_no_session() {
    let house = House::new();
    let id = house.log_in(json!({ "access_token": "a1", "refresh_token": "r1" }), 400);
    house.answers(503, json!({}));

    for _ in 0..300 {
        for _ in 0..5 {
            let outcome = house.refresh(&id, Due::Before(600));
            assert_eq!(outcome, Outcome::Failed("server-error"));
        }
        house.scene.stage.later(Duration::from_secs(1));
    }

    assert_eq!(house.calls(), 10);
    assert_eq!(house.tokens(&id).unwrap().access_token, "a1");
    house.answers(200, json!({ "access_token": "a2", "expires_in": 60 }));
    house.scene.stage.later(Duration::from_secs(60));
    assert_eq!(house.refresh(&id, Due::Before(600)), Outcome::Renewed);
    assert_eq!(house.tokens(&id).unwrap().access_token, "a2");
}

#[test]
fn a_margin_longer_than_tokens_live_renews_them_once_in_half_of_their_life() {
    let house = House::new();
    let id = house.log_in(json!({ "access_token": "a1", "refresh_token": "r1" }), 60);
    house.answers(200, json!({ "access_token": "a2", "expires_in": 60 }));

    for _ in 0..120 {
        let outcome = house.refresh(&id, Due::Before(3600));
        assert!(matches!(outcome, Outcome::Renewed | Outcome::Found));
        house.scene.stage.later(Duration::from_secs(1));
    }

    // At once, for nobody knows how long the first ones live, and then at 30, 60 and 90.
    assert_eq!(house.calls(), 4);
}

#[test]
fn whoever_asks_all_the_time_has_the_provider_called_once_in_five_seconds() {
    let house = House::new();
    let id = house.log_in(json!({ "access_token": "a1", "refresh_token": "r1" }), 60);
    house.answers(200, json!({ "access_token": "a2", "expires_in": 60 }));

    for _ in 0..20 {
        for _ in 0..10 {
            let outcome = house.refresh(&id, Due::Asked);
            assert!(matches!(outcome, Outcome::Renewed | Outcome::Found));
        }
        house.scene.stage.later(Duration::from_secs(1));
    }

    assert_eq!(house.calls(), 4);
}

#[test]
fn tokens_that_end_are_renewed_for_who_asks_however_new_they_are() {
    let house = House::new();
    let id = house.log_in(json!({ "access_token": "a1", "refresh_token": "r1" }), 60);
    house.answers(200, json!({ "access_token": "a2", "expires_in": 2 }));
    assert_eq!(house.refresh(&id, Due::Asked), Outcome::Renewed);

    house.scene.stage.later(Duration::from_secs(1));
    assert_eq!(house.refresh(&id, Due::Asked), Outcome::Found);
    house.scene.stage.later(Duration::from_secs(1));
    assert_eq!(house.refresh(&id, Due::Asked), Outcome::Renewed);
}

#[test]
fn tokens_are_renewed_for_a_request_whose_session_got_another_id_long_ago() {
    let house = House::new();
    let id = house.log_in(json!({ "access_token": "a1", "refresh_token": "r1" }), 60);
    house.answers(200, json!({ "access_token": "a2", "expires_in": 60 }));
    let new = house.renew_and_use(&id);
    house.scene.stage.later(Duration::from_secs(30));

    assert_eq!(house.refresh(&id, Due::Asked), Outcome::Renewed);

    assert_eq!(house.tokens(&new).unwrap().access_token, "a2");
}

/// A gateway with sessions in memory.
pub(super) struct House {
    pub(super) scene: Scene,
    keeper: Keeper,
    refresher: Arc<Refresher>,
}

impl House {
    pub(super) fn new() -> Self {
        let scene = Scene::new();
        let clock = scene.stage.clock();
        let services = scene.stage.gateway.services();
        let rows = MemoryStorage::open(&MemoryConfig::default(), clock.clone()).unwrap();
        let rows: Arc<dyn Rows> = Arc::new(rows);
        let (entry, config) = (Entry { name: "Load" }, json!({}));
        let config = serde_json::from_value(config).unwrap();
        let load =
            LoadSessionMiddleware::new(entry, &config, |_| Ok(rows.into()), clock, &services);
        let refresher = Refresher::new(scene.stage.runtime(), &services);
        Self {
            keeper: load.unwrap().keeper(),
            refresher: Arc::new(refresher),
            scene,
        }
    }

    /// A session that holds these tokens, which end so many seconds from now.
    pub(super) fn log_in(&self, mut tokens: Value, seconds: u64) -> SessionId {
        tokens["provider"] = "main".into();
        tokens["expires_at"] = (self.scene.stage.now() + seconds).into();
        let mut deltas = Deltas::new();
        deltas.set("user_id", "anna");
        deltas.set(TokenSet::ATTRIBUTE, tokens);
        let created = self.keeper.engine().create(&deltas);
        match self.scene.stage.wait(created) {
            Saved::Done(session) => session.id().clone(),
            other => panic!("{other:?}"),
        }
    }

    /// The client comes with the id, and then with the next one.
    fn renew_and_use(&self, id: &SessionId) -> SessionId {
        let engine = self.keeper.engine();
        let work = async {
            let Loaded::Found(session) = engine.load(id).wait().await else {
                panic!("no session")
            };
            let Saved::Done(renewed) = engine.rotate(&session).await else {
                panic!("not renewed")
            };
            assert!(matches!(engine.touch(&renewed).await, Saved::Done(_)));
            renewed.id().clone()
        };
        self.scene.stage.wait(work)
    }

    pub(super) fn answers(&self, status: u16, body: Value) {
        self.scene.stage.answers("/token", status, &body);
    }

    pub(super) fn refresh(&self, id: &SessionId, due: Due) -> Outcome {
        let place = (self.keeper.clone(), id.clone());
        let whose = (Arc::clone(&self.scene.provider), due);
        let asked = self.refresher.refresh("handle", place, whose);
        self.scene.stage.wait(asked)
    }

    pub(super) fn calls(&self) -> usize {
        self.scene.stage.calls("/token").len()
    }

    /// The tokens of the session; none when it is over.
    pub(super) fn tokens(&self, id: &SessionId) -> Option<TokenSet> {
        let loaded = self.keeper.engine().load_anew(id).wait();
        match self.scene.stage.wait(loaded) {
            Loaded::Found(session) => Some(held(&session)),
            Loaded::Absent => None,
            Loaded::Unavailable(cause) => panic!("{cause}"),
        }
    }
}

fn held(session: &Session) -> TokenSet {
    let attributes = session.record().attributes();
    set(attributes.value(TokenSet::ATTRIBUTE).unwrap().to_value())
}
