//! The operations on sessions, per second and storage.
//!
//! Each works on sessions of its own, of about 1 KB, made beforehand. `one at a time` is what a single request waits;
//! `64 at a time` is what one gateway gets out of one connection.
#![forbid(unsafe_code)]

use std::num::NonZeroUsize;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use abi::storage::{Loaded, StorageHandle};
use abi::testing::TestGateway;
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use e2e::Redis;
use engine::clock::SystemClock;
use engine::session::{Deltas, Keyring, Lifetime};
use engine::storage::{Encoded, MemoryConfig, MemoryStorage, RedisStorage, Rows};
use engine::{Engine, Policy, Revoked, Saved, Session};
use futures_util::future::join_all;
use serde_json::json;
use tokio::runtime::{Builder, Runtime};

criterion_group!(benches, memory, redis);
criterion_main!(benches);

fn memory(criterion: &mut Criterion) {
    let clock = Arc::new(SystemClock::new());
    let rows = MemoryStorage::open(&MemoryConfig::default(), clock).expect("the defaults are fine");
    let subject = Subject::new(Arc::new(rows), NonZeroUsize::MIN);

    operations(criterion.benchmark_group("memory, one at a time"), &subject);
}

fn redis(criterion: &mut Criterion) {
    if !has_redis() {
        eprintln!("Redis is not measured: redis-server is missing (apt-get install redis-server)");
        return;
    }
    let redis = Redis::new();
    // What is measured is the way there and back, not this machine's disk.
    redis.run(&["CONFIG", "SET", "appendonly", "no"]);
    for (name, lanes) in [("redis, one at a time", 1), ("redis, 64 at a time", 64)] {
        let lanes = NonZeroUsize::new(lanes).expect("not zero");
        let subject = Subject::new(rows(&redis), lanes);

        operations(criterion.benchmark_group(name), &subject);
    }
}

fn operations(mut group: BenchmarkGroup<'_, WallTime>, subject: &Subject) {
    // What a round prepares is not counted, and takes up to five times as long.
    group
        .throughput(Throughput::Elements(1))
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(2));
    subject.measure(&mut group, "create", async |engine, _| {
        done(engine.create(&login()).await);
    });
    subject.measure(&mut group, "load", async |engine, session| {
        let loaded = engine.load(session.id()).wait().await;
        assert!(matches!(loaded, Loaded::Found(_)), "{loaded:?}");
    });
    subject.measure(&mut group, "patch", async |engine, session| {
        done(engine.patch(session, &visited()).await);
    });
    subject.measure(&mut group, "rotate", async |engine, session| {
        done(engine.rotate(session).await);
    });
    subject.measure(&mut group, "revoke", async |engine, session| {
        assert_eq!(engine.revoke(session.id()).await, Revoked::Done);
    });
    group.finish();
}

/// Sessions in one storage, and how many operations are under way at once.
struct Subject {
    engine: Engine,
    lanes: NonZeroUsize,
    runtime: Runtime,
}

impl Subject {
    fn new(rows: Arc<dyn Rows>, lanes: NonZeroUsize) -> Self {
        let lifetime = Lifetime::new(Duration::from_secs(2 * 60 * 60), None);
        Self {
            engine: Engine::new(rows, Arc::new(SystemClock::new()), Policy::new(lifetime)),
            lanes,
            runtime: Builder::new_current_thread().build().expect("a runtime"),
        }
    }

    fn measure(
        &self,
        group: &mut BenchmarkGroup<'_, WallTime>,
        name: &str,
        operation: impl AsyncFn(&Engine, &Session),
    ) {
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|times| self.repeat(times, &operation));
        });
    }

    /// Round by round, so that a storage never holds more than one round's sessions.
    fn repeat(&self, times: u64, operation: &impl AsyncFn(&Engine, &Session)) -> Duration {
        let mut left = usize::try_from(times).unwrap_or(usize::MAX);
        let mut total = Duration::ZERO;
        while left > 0 {
            let round = left.min(ROUND);
            total += self.runtime.block_on(self.round(round, operation));
            left -= round;
        }
        total
    }

    async fn round(&self, size: usize, operation: &impl AsyncFn(&Engine, &Session)) -> Duration {
        let login = login();
        let logins = (0..size).map(|_| self.engine.create(&login));
        let sessions: Vec<Session> = join_all(logins).await.into_iter().map(done).collect();
        let lanes = sessions.chunks(size.div_ceil(self.lanes.get()));
        let lanes = lanes.map(|lane| async move {
            for session in lane {
                operation(&self.engine, session).await;
            }
        });

        let start = Instant::now();
        join_all(lanes).await;
        let taken = start.elapsed();

        self.engine
            .reset()
            .wait()
            .await
            .expect("the storage answers");
        taken
    }
}

fn rows(redis: &Redis) -> Arc<dyn Rows> {
    let config = serde_json::from_value(json!({ "host": redis.socket() })).expect("a socket");
    let storage = RedisStorage::open(&config, Arc::default()).expect("it is fine");
    let storage = StorageHandle::new(Arc::new(storage));
    let services = TestGateway::new().services();
    Arc::new(Encoded::new(storage, "Redis", Keyring::plain(), &services))
}

fn has_redis() -> bool {
    let mut version = Command::new("redis-server");
    version.arg("--version").stdout(Stdio::null());
    version.status().is_ok_and(|status| status.success())
}

fn login() -> Deltas {
    let mut deltas = Deltas::new();
    deltas.set("user_id", "3f6c1c9e-7a54-4d0b-9d3e-0f2a1c5b7e88");
    deltas.set("authorization", format!("Bearer {}", "t".repeat(593)));
    deltas.set("email", "anna.schmidt@example.org");
    deltas.set("name", "Anna Schmidt");
    deltas.set("roles", json!(["reader", "editor", "billing"]));
    deltas.set("notes", "n".repeat(250));
    deltas
}

fn visited() -> Deltas {
    let mut deltas = Deltas::new();
    deltas.set("last_page", "/dashboard");
    deltas
}

#[track_caller]
fn done(saved: Saved) -> Session {
    match saved {
        Saved::Done(session) => session,
        other => panic!("{other:?}"),
    }
}

const ROUND: usize = 1000;
