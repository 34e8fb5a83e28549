//! Rows that cannot be read: what somebody changed, or a newer gateway wrote.

use std::sync::atomic::{AtomicUsize, Ordering};

use abi::storage::{Expected, Row, Storage, Written};
use abi::testing::TestGateway;

use super::stage::Stage;
use super::*;
use crate::session::{Address, Family, State, Timestamp};
use crate::storage::{ByteStorage, Encoded, Versioned};

#[tokio::test]
async fn a_roster_that_cannot_be_read_does_not_lock_its_user_out() {
    let scene = Scene::new();
    let before = scene.log_in().await;
    scene.garble(scene.roster());
    assert_eq!(find(&scene.engine, before.id()).await, None);

    let after = scene.log_in().await;

    assert!(find(&scene.engine, after.id()).await.is_some());
    assert_eq!(find(&scene.engine, before.id()).await, None);
    let listed = scene.engine.sessions_of("1").await.unwrap();
    assert_eq!(listed.len(), 1);
}

#[tokio::test]
async fn versions_of_a_row_that_was_written_over_go_on() {
    let scene = Scene::new();
    for _ in 0..3 {
        scene.log_in().await;
    }
    scene.garble(scene.roster());

    scene.log_in().await;

    assert_eq!(scene.row(scene.roster()).version, 4);
}

#[tokio::test]
async fn a_row_of_links_that_cannot_be_read_is_begun_anew() {
    let scene = Scene::new();
    let link = Link {
        principal: "1".into(),
        family: Family::new(7),
    };
    let linking = Linking {
        issued_at: Timestamp::default(),
        keep: HOUR,
    };
    scene.engine.link("sid:1", &link, linking).await.unwrap();
    scene.garble(scene.named("sid:1"));
    assert_eq!(scene.engine.linked("sid:1").await, Ok(vec![]));

    let linked = scene.engine.link("sid:1", &link, linking).await;

    assert_eq!(linked, Ok(Linked::Done));
    assert_eq!(scene.engine.linked("sid:1").await, Ok(vec![link]));
}

#[tokio::test]
async fn a_mark_is_made_also_where_there_is_one_that_cannot_be_read() {
    let scene = Scene::new();
    scene.engine.mark("jti:1", HOUR).await.unwrap();
    scene.garble(scene.named("jti:1"));

    scene.engine.mark("jti:1", HOUR).await.unwrap();

    assert_eq!(scene.engine.is_marked("jti:1").await, Ok(true));
}

#[tokio::test]
async fn what_can_neither_be_read_nor_replaced_is_an_outage_without_many_tries() {
    let stage = Stage::new();
    let stuck = Arc::new(Stuck {
        stage: stage.clone(),
        writes: AtomicUsize::new(0),
    });
    let engine = engine_on(stuck.clone(), &stage.clock);

    let saved = engine.create(&deltas(&[("user_id", 1)])).await;

    assert!(matches!(saved, Saved::Unavailable(_)), "{saved:?}");
    // The session, and both attempts at the roster.
    assert_eq!(stuck.writes.load(Ordering::Relaxed), 3);
}

/// Something lies where every roster would be.
struct Stuck {
    stage: Arc<Stage>,
    writes: AtomicUsize,
}

impl Rows for Stuck {
    fn load(&self, address: Address) -> Maybe<'_, Loaded<Versioned>> {
        self.stage.load(address)
    }

    fn unreadable(&self, _: Address) -> Maybe<'_, Loaded<u64>> {
        Loaded::Found(0).into()
    }

    fn write(
        &self,
        address: Address,
        expected: Expected,
        row: Versioned,
        keep: Duration,
    ) -> Maybe<'_, Written> {
        self.writes.fetch_add(1, Ordering::Relaxed);
        match row.state {
            State::Roster(_) => Written::Conflict.into(),
            _ => self.stage.write(address, expected, row, keep),
        }
    }

    fn probe(&self) -> Maybe<'_, Result<(), Unavailable>> {
        self.stage.probe()
    }

    fn reset(&self) -> Maybe<'_, Result<u64, Unavailable>> {
        self.stage.reset()
    }
}

/// An engine on bytes that somebody else can write to.
struct Scene {
    engine: Engine,
    bytes: Arc<ByteStorage>,
}

impl Scene {
    fn new() -> Self {
        let clock = Arc::new(ManualClock::new(START));
        let bytes = Arc::new(ByteStorage::new(clock.clone()));
        let services = TestGateway::new().services();
        let keyring = policy().keyring;
        let rows = Encoded::new(bytes.clone(), "Bytes", keyring, &services);
        let engine = engine_on(Arc::new(rows), &clock);
        Self { engine, bytes }
    }

    async fn log_in(&self) -> Session {
        begin(&self.engine).await
    }

    fn roster(&self) -> Key {
        self.engine.policy.keyring.rosters("1")[0].key()
    }

    fn named(&self, name: &str) -> Key {
        self.engine.policy.keyring.links(name)[0].key()
    }

    #[track_caller]
    fn row(&self, key: Key) -> Row {
        match self.bytes.load(&key) {
            Maybe::Ready(Loaded::Found(row)) => row,
            _ => panic!("no row"),
        }
    }

    #[track_caller]
    fn garble(&self, key: Key) {
        let mut row = self.row(key);
        row.payload[0] ^= 1;
        self.bytes.plant(key, row, HOUR);
    }
}
