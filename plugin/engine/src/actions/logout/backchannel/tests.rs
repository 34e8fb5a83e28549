use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::*;
use crate::actions::links::Login;
use crate::clock::{Clock, ManualClock};
use crate::engine::{Link, Linked, Linking, Policy, Saved};
use crate::session::{Deltas, Family, Lifetime};
use crate::storage::{MemoryConfig, MemoryStorage};

#[tokio::test]
async fn sid_ends_the_session_of_its_login_and_no_other() {
    let scene = Scene::new();
    let [meant, other] = [scene.log_in("1").await, scene.log_in("2").await];

    let verdict = scene.told("a", &json!({ "sid": "1", "sub": "anna" })).await;

    assert_eq!(verdict, Verdict::Done(1));
    assert_eq!(scene.alive(&[meant, other]).await, [other]);
}

#[tokio::test]
async fn subject_alone_ends_all_of_its_sessions() {
    let scene = Scene::new();
    let all = [
        scene.log_in("1").await,
        scene.log_in("2").await,
        scene.log_in("").await,
    ];

    let verdict = scene.told("a", &json!({ "sub": "anna" })).await;

    assert_eq!(verdict, Verdict::Done(3));
    assert!(scene.alive(&all).await.is_empty());
}

#[tokio::test]
async fn sid_that_is_no_text_names_no_login_and_all_of_the_subject_end() {
    for sid in [json!(1), json!(["1"]), json!({ "1": 1 }), json!("")] {
        let scene = Scene::new();
        let all = [scene.log_in("1").await, scene.log_in("2").await];

        let verdict = scene.told("a", &json!({ "sid": sid, "sub": "anna" })).await;

        assert_eq!(verdict, Verdict::Done(2), "{sid}");
        assert!(scene.alive(&all).await.is_empty(), "{sid}");
    }
}

#[tokio::test]
async fn login_without_a_sid_ends_with_any_of_its_user() {
    let scene = Scene::new();
    let [named, nameless] = [scene.log_in("1").await, scene.log_in("").await];

    let alone = scene.told("a", &json!({ "sid": "2" })).await;
    let with_subject = scene.told("b", &json!({ "sid": "2", "sub": "anna" })).await;

    assert_eq!(alone, Verdict::Done(0), "nobody knows whose it is");
    assert_eq!(with_subject, Verdict::Done(1));
    assert_eq!(scene.alive(&[named, nameless]).await, [named]);
}

#[tokio::test]
async fn login_that_is_stored_and_not_linked_is_over_with_the_logout_that_overtakes_it() {
    for (claims, sid) in [
        (json!({ "sid": "1", "sub": "anna" }), "1"),
        (json!({ "sid": "1" }), "1"),
        (json!({ "sub": "anna" }), "1"),
        (json!({ "sub": "anna" }), ""),
        (json!({ "sid": "1", "sub": "anna" }), ""),
    ] {
        let scene = Scene::new();
        let family = scene.begin().await;

        let told = scene.told("a", &claims).await;

        assert_eq!(told, Verdict::Done(0), "{claims}");
        let linked = scene.link(family, sid).await;
        assert_eq!(linked, Linked::Over, "{claims} and sid {sid:?}");
    }
}

#[tokio::test]
async fn logout_is_over_for_logins_after_it_and_for_others() {
    for (claims, sid, wait) in [
        (json!({ "sid": "1", "sub": "anna" }), "2", 0),
        (json!({ "sub": "anna" }), "1", 1),
        (json!({ "sub": "anna" }), "", 1),
        (json!({ "sid": "1", "sub": "anna" }), "", 1),
        (json!({ "sid": "1" }), "", 0),
        // Nobody has it under way for so long.
        (json!({ "sid": "1" }), "1", 15 * 60),
    ] {
        let scene = Scene::new();
        scene.told("a", &claims).await;
        scene.clock.advance(Duration::from_secs(wait));

        let family = scene.log_in(sid).await;

        assert_eq!(scene.alive(&[family]).await, [family], "{claims}");
    }
}

#[tokio::test]
async fn token_counts_once_for_as_long_as_it_is_good() {
    let scene = Scene::new();
    let claims = json!({ "sub": "anna" });
    let first = scene.told("a", &claims).await;
    scene.clock.advance(Duration::from_secs(1));
    let family = scene.log_in("1").await;

    let again = scene.told("a", &claims).await;
    scene.clock.advance(Duration::from_secs(LIFE + 5 * 60));
    let late = scene.told("a", &claims).await;

    assert_eq!(first, Verdict::Done(0));
    assert_eq!(again, Verdict::Refused("replayed"));
    assert_eq!(late, Verdict::Refused("replayed"), "within any leeway");
    assert_eq!(scene.alive(&[family]).await, [family]);
    assert_eq!(scene.told("b", &claims).await, Verdict::Done(1));
}

#[tokio::test]
async fn names_of_one_provider_lead_nowhere_at_another() {
    let scene = Scene::new();
    let family = scene.log_in("1").await;
    for claims in [
        json!({ "sid": "1" }),
        json!({ "sub": "anna" }),
        json!({ "sid": "1", "sub": "anna" }),
    ] {
        let claims = scene.claims(&claims.to_string(), &claims);

        let verdict = obey("another", &claims, &scene.engine).await;

        assert_eq!(verdict, Verdict::Done(0));
    }
    assert_eq!(scene.alive(&[family]).await, [family]);
}

#[tokio::test]
async fn token_that_nobody_could_remember_ends_nothing() {
    let scene = Scene::new();
    let family = scene.log_in("1").await;
    for (change, reason) in [
        (json!({ "jti": 1 }), "missing-claim"),
        (json!({ "jti": "" }), "missing-claim"),
        (json!({ "exp": 4_000_000_000_u64 }), "lifetime"),
        (json!({ "exp": u64::MAX }), "lifetime"),
    ] {
        let mut claims = json!({ "sub": "anna" });
        let changes = change.as_object().unwrap().clone();
        claims.as_object_mut().unwrap().extend(changes);

        let verdict = scene.told("a", &claims).await;

        assert_eq!(verdict, Verdict::Refused(reason), "{change}");
    }
    assert_eq!(scene.alive(&[family]).await, [family]);
}

struct Scene {
    engine: Engine,
    clock: Arc<ManualClock>,
}

impl Scene {
    fn new() -> Self {
        let clock = Arc::new(ManualClock::new(Timestamp::from_millis(1_700_000_000_000)));
        let rows = MemoryStorage::open(&MemoryConfig::default(), clock.clone()).unwrap();
        let policy = Policy::new(Lifetime::new(DAY, None));
        Self {
            engine: Engine::new(Arc::new(rows), clock.clone(), policy),
            clock,
        }
    }

    /// A session of anna, under the names of a login with this `sid`.
    async fn log_in(&self, sid: &str) -> Family {
        let family = self.begin().await;
        assert_eq!(self.link(family, sid).await, Linked::Done);
        family
    }

    /// A session of anna that is stored, and nothing else.
    async fn begin(&self) -> Family {
        let mut deltas = Deltas::new();
        deltas.set("user_id", "anna");
        let Saved::Done(session) = self.engine.create(&deltas).await else {
            panic!("it is stored");
        };
        session.record().family()
    }

    /// Puts a session under the names of a login that is issued now.
    async fn link(&self, family: Family, sid: &str) -> Linked {
        let link = Link {
            principal: "anna".to_owned(),
            family,
        };
        let login = Login::of(
            PROVIDER,
            &self.claims("", &json!({ "sid": sid, "sub": "anna" })),
        );
        let linking = Linking {
            issued_at: login.issued_at,
            keep: DAY,
        };
        for name in &login.names {
            if self.engine.link(name, &link, linking).await.unwrap() == Linked::Over {
                return Linked::Over;
            }
        }
        Linked::Done
    }

    /// What comes of a token that was found to be good.
    async fn told(&self, jti: &str, claims: &Value) -> Verdict {
        obey(PROVIDER, &self.claims(jti, claims), &self.engine).await
    }

    fn claims(&self, jti: &str, claims: &Value) -> Claims {
        let now = self.clock.now().as_millis() / 1000;
        let mut all = Map::from_iter([
            ("jti".to_owned(), jti.into()),
            ("iat".to_owned(), now.into()),
            ("exp".to_owned(), (now + LIFE).into()),
        ]);
        all.extend(claims.as_object().unwrap().clone());
        all.into()
    }

    async fn alive(&self, families: &[Family]) -> Vec<Family> {
        let entries = self.engine.sessions_of("anna").await.unwrap();
        let alive: Vec<_> = entries.iter().map(|entry| entry.family).collect();
        let families = families.iter().copied();
        families.filter(|family| alive.contains(family)).collect()
    }
}

/// Of a token, in seconds.
const LIFE: u64 = 120;
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const PROVIDER: &str = "corporate";
