//! How often a storage behind a network is asked.

use std::sync::atomic::{AtomicUsize, Ordering};

use abi::storage::{Expected, Written};

use super::stage::Stage;
use super::*;
use crate::session::Address;
use crate::storage::Versioned;

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

fn engine() -> (Engine, Arc<Network>) {
    let stage = Stage::new();
    let network = Arc::new(Network {
        stage: stage.clone(),
        loads: AtomicUsize::new(0),
        waiting: AtomicUsize::new(0),
        waves: AtomicUsize::new(0),
    });
    let engine = Engine::new(network.clone(), stage.clock.clone(), policy());
    (engine, network)
}

/// A storage that answers later. What is asked while nothing else waits begins a new round trip.
struct Network {
    stage: Arc<Stage>,
    loads: AtomicUsize,
    waiting: AtomicUsize,
    waves: AtomicUsize,
}

impl Network {
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
