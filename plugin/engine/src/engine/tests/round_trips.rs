//! How often a storage behind a network is asked.

use std::sync::atomic::{AtomicUsize, Ordering};

use abi::storage::{Expected, Written};
use abi::testing::TestGateway;

use super::stage::Stage;
use super::*;
use crate::session::Address;
use crate::storage::cache::{Cached, Capacity};
use crate::storage::{Changes, Ear, Versioned};

#[tokio::test]
async fn a_session_that_was_loaded_before_comes_with_its_roster_in_one_round_trip() {
    let (engine, network) = engine();
    let session = begin(&engine).await;

    let first = network.waves_of(find(&engine, session.id())).await;
    let second = network.waves_of(find(&engine, session.id())).await;

    assert_eq!((first, second), (2, 1));
}

#[tokio::test]
async fn a_session_of_nobody_is_one_row() {
    let (engine, network) = engine();
    let session = engine.create(&deltas(&[("basket", 1)])).await.expect_done();

    for _ in 0..2 {
        assert_eq!(network.waves_of(find(&engine, session.id())).await, 1);
    }
    assert_eq!(network.loads(), 2);
}

#[tokio::test]
async fn an_unknown_id_is_asked_for_once() {
    let (engine, network) = engine();

    let id = SessionId::generate().unwrap();
    assert_eq!(network.waves_of(find(&engine, &id)).await, 1);

    assert_eq!(network.loads(), 1);
}

#[tokio::test]
async fn a_session_of_which_copies_are_kept_comes_at_once() {
    let desk = Desk::new();
    let session = begin(&desk.engine).await;

    for _ in 0..3 {
        let loaded = desk.engine.load(session.id());
        assert!(
            matches!(loaded, Maybe::Ready(Loaded::Found(_))),
            "{loaded:?}"
        );
    }
    assert_eq!(desk.network.loads(), 1, "of the roster that it was put on");
}

#[tokio::test]
async fn a_session_is_written_in_as_many_round_trips_with_copies_as_without() {
    let (engine, network) = engine();
    let desk = Desk::new();
    let [plain, cached] = [begin(&engine).await, begin(&desk.engine).await];
    let before = [network.loads(), desk.network.loads()];

    engine
        .patch(&plain, &deltas(&[("a", 1)]))
        .await
        .expect_done();
    let patched = desk.engine.patch(&cached, &deltas(&[("a", 1)])).await;

    let after = [network.loads(), desk.network.loads()];
    assert_eq!(
        after,
        before.map(|loads| loads + 1),
        "a patch reads the roster beside its write"
    );
    assert_eq!(
        find(&desk.engine, cached.id()).await,
        Some(patched.expect_done())
    );
    assert_eq!(desk.network.loads(), after[1], "and leaves a copy");
}

#[tokio::test]
async fn what_is_outdated_comes_with_one_round_trip() {
    let desk = Desk::new();
    let session = begin(&desk.engine).await;
    desk.clock().advance(STALE);
    find(&desk.engine, session.id()).await;

    let both = {
        desk.clock().advance(STALE);
        desk.network
            .waves_of(find(&desk.engine, session.id()))
            .await
    };
    desk.changes.changed(&session.key());
    let row = desk
        .network
        .waves_of(find(&desk.engine, session.id()))
        .await;
    desk.changes.changed(&session.record().roster().unwrap());
    let roster = desk
        .network
        .waves_of(find(&desk.engine, session.id()))
        .await;

    assert_eq!((both, row, roster), (1, 1, 1));
}

#[tokio::test]
async fn to_load_anew_is_to_ask_the_storage() {
    let desk = Desk::new();
    let session = begin(&desk.engine).await;
    let before = desk.network.loads();

    let loaded = desk.engine.load_anew(session.id()).wait().await;

    assert_eq!(loaded, Loaded::Found(session));
    assert_eq!(desk.network.loads(), before + 2);
}

#[tokio::test]
async fn to_load_anew_is_to_ask_no_replica() {
    let network = Arc::new(Network::new());
    let engine = engine_on(Arc::new(Replicated(network.clone())), &network.stage.clock);
    let session = begin(&engine).await;

    // The second time it is known which roster belongs to it.
    for _ in 0..2 {
        let loaded = engine.load_anew(session.id()).wait().await;
        assert_eq!(loaded, Loaded::Found(session.clone()));
    }
}

#[tokio::test]
async fn a_copy_alone_refuses_nobody() {
    let desk = Desk::new();
    let elsewhere = Engine::new(
        desk.network.stage.clone(),
        desk.network.stage.clock.clone(),
        policy(),
    );
    let first = begin(&desk.engine).await;
    find(&desk.engine, first.id()).await;

    // The news of it are still under way.
    let second = begin(&elsewhere).await;

    assert_eq!(find(&desk.engine, second.id()).await, Some(second));
}

#[tokio::test]
async fn whoever_ends_sessions_does_not_go_by_copies() {
    let desk = Desk::new();
    let elsewhere = Engine::new(
        desk.network.stage.clone(),
        desk.network.stage.clock.clone(),
        policy(),
    );
    begin(&desk.engine).await;

    // The news of it are still under way.
    let second = begin(&elsewhere).await;

    assert_eq!(desk.engine.revoke_all("1").await, Ok(2));
    assert_eq!(find(&elsewhere, second.id()).await, None);
}

fn engine() -> (Engine, Arc<Network>) {
    let network = Arc::new(Network::new());
    let engine = engine_on(network.clone(), &network.stage.clock);
    (engine, network)
}

/// An engine on a network, with copies of what came over it.
struct Desk {
    engine: Engine,
    network: Arc<Network>,
    changes: Changes,
    _ear: Ear,
}

impl Desk {
    fn new() -> Self {
        let network = Arc::new(Network::new());
        let changes = Changes::default();
        let mut ear = changes.ear();
        ear.hear();
        let capacity = Capacity {
            entries: 1000,
            max_staleness: STALE,
        };
        let clock = network.stage.clock.clone();
        let services = TestGateway::new().services();
        let desk = (clock.clone() as Arc<dyn Clock>, &services);
        let copied = ("Redis", capacity);
        let rows: Cached<_> = Cached::new(network.clone(), copied, changes.clone(), desk);
        Self {
            engine: engine_on(Arc::new(rows), &clock),
            network,
            changes,
            _ear: ear,
        }
    }

    fn clock(&self) -> &ManualClock {
        &self.network.stage.clock
    }
}

/// A storage that answers later. What is asked while nothing else waits begins a new round trip.
struct Network {
    stage: Arc<Stage>,
    loads: AtomicUsize,
    waiting: AtomicUsize,
    waves: AtomicUsize,
}

impl Network {
    fn new() -> Self {
        Self {
            stage: Stage::new(),
            loads: AtomicUsize::new(0),
            waiting: AtomicUsize::new(0),
            waves: AtomicUsize::new(0),
        }
    }

    async fn waves_of<T>(&self, work: impl Future<Output = T>) -> usize {
        self.waves.store(0, Ordering::Relaxed);
        work.await;
        self.waves.load(Ordering::Relaxed)
    }

    fn loads(&self) -> usize {
        self.loads.load(Ordering::Relaxed)
    }
}

impl Rows for Network {
    fn load(&self, address: Address) -> Maybe<'_, Loaded<Versioned>> {
        Maybe::task(async move {
            self.loads.fetch_add(1, Ordering::Relaxed);
            if self.waiting.fetch_add(1, Ordering::Relaxed) == 0 {
                self.waves.fetch_add(1, Ordering::Relaxed);
            }
            tokio::task::yield_now().await;
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            self.stage.load(address).wait().await
        })
    }

    fn write(
        &self,
        address: Address,
        expected: Expected,
        row: Versioned,
        keep: Duration,
    ) -> Maybe<'_, Written> {
        self.stage.write(address, expected, row, keep)
    }

    fn probe(&self) -> Maybe<'_, Result<(), Unavailable>> {
        self.stage.probe()
    }

    fn reset(&self) -> Maybe<'_, Result<u64, Unavailable>> {
        self.stage.reset()
    }
}

/// Rows that are read from a replica, which has none yet.
struct Replicated(Arc<Network>);

impl Rows for Replicated {
    fn load(&self, _: Address) -> Maybe<'_, Loaded<Versioned>> {
        Loaded::Absent.into()
    }

    fn reread(&self, address: Address) -> Maybe<'_, Loaded<Versioned>> {
        self.0.load(address)
    }

    fn load_together(&self, _: [Address; 2]) -> Option<Maybe<'_, [Loaded<Versioned>; 2]>> {
        Some([Loaded::Absent, Loaded::Absent].into())
    }

    fn write(
        &self,
        address: Address,
        expected: Expected,
        row: Versioned,
        keep: Duration,
    ) -> Maybe<'_, Written> {
        self.0.write(address, expected, row, keep)
    }

    fn probe(&self) -> Maybe<'_, Result<(), Unavailable>> {
        self.0.probe()
    }

    fn reset(&self) -> Maybe<'_, Result<u64, Unavailable>> {
        self.0.reset()
    }
}

const STALE: Duration = Duration::from_secs(2);
