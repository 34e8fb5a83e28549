//! The operations on sessions, per second and storage.
//!
//! Each works on sessions of its own, of about 1 KB and a user each, made beforehand. `one at a time` is what a single
//! request waits; `64 at a time` is what one gateway gets out of one connection, or one file. What is allocated is what
//! the calling thread allocates in one operation, printed beside.
#![forbid(unsafe_code)]

use std::num::NonZeroUsize;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use abi::config::Secret;
use abi::storage::{Loaded, StorageHandle};
use abi::testing::TestGateway;
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use e2e::Redis;
use engine::clock::SystemClock;
use engine::session::{Deltas, Keyring, Lifetime, Secrets};
use engine::storage::{Encoded, FileStorage, MemoryConfig, MemoryStorage, RedisStorage, Rows};
use engine::{Engine, Policy, Revoked, Saved, Session};
use futures_util::future::join_all;
use serde_json::json;
use tokio::runtime::{Builder, Runtime};

criterion_group!(benches, memory, file, redis);
criterion_main!(benches);

fn memory(criterion: &mut Criterion) {
    let clock = Arc::new(SystemClock::new());
    let rows = MemoryStorage::open(&MemoryConfig::default(), clock).expect("the defaults are fine");
    let subject = Subject::new(Arc::new(rows), NonZeroUsize::MIN);

    operations(criterion.benchmark_group("memory, one at a time"), &subject);
}

fn file(criterion: &mut Criterion) {
    for (durability, lanes) in [("everyWrite", 1), ("everyWrite", 64), ("everySecond", 1)] {
        let config = json!({ "durability": durability });
        let config = serde_json::from_value(config).expect("a durability");
        let storage = FileStorage::open(&config, Arc::new(SystemClock::new()));
        let storage = StorageHandle::new(Arc::new(storage.expect("a temporary directory")));
        let lanes = NonZeroUsize::new(lanes).expect("not zero");
        let subject = Subject::new(encoded(storage, Keyring::plain()), lanes);

        let name = format!("file, {durability}, {lanes} at a time");
        operations(criterion.benchmark_group(name), &subject);
    }
}

fn redis(criterion: &mut Criterion) {
    if !has_redis() {
        eprintln!("Redis is not measured: redis-server is missing (apt-get install redis-server)");
        return;
    }
    let redis = Redis::new();
    // What is measured is the way there and back, not this machine's disk.
    redis.run(&["CONFIG", "SET", "appendonly", "no"]);
    for (name, lanes, keyring) in [
        ("redis, one at a time", 1, Keyring::plain()),
        ("redis, 64 at a time", 64, Keyring::plain()),
        ("redis, 64 at a time, sealed", 64, sealed()),
    ] {
        let lanes = NonZeroUsize::new(lanes).expect("not zero");
        let subject = Subject::new(rows(&redis, keyring), lanes);

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
        eprintln!("{name}: {} allocations", self.allocations(&operation));
    }

    /// What one operation allocates, once everything that is made at the first is there.
    fn allocations(&self, operation: &impl AsyncFn(&Engine, &Session)) -> u64 {
        let sessions = self.runtime.block_on(self.sessions(2));
        let once = |session| {
            allocation_counter::measure(|| self.runtime.block_on(operation(&self.engine, session)))
        };
        let [_, second] = [once(&sessions[0]), once(&sessions[1])];
        self.runtime.block_on(self.forget());
        second.count_total
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
        let sessions = self.sessions(size).await;
        let lanes = sessions.chunks(size.div_ceil(self.lanes.get()));
        let lanes = lanes.map(|lane| async move {
            for session in lane {
                operation(&self.engine, session).await;
            }
        });

        let start = Instant::now();
        join_all(lanes).await;
        let taken = start.elapsed();

        self.forget().await;
        taken
    }

    async fn sessions(&self, count: usize) -> Vec<Session> {
        let logins: Vec<_> = (0..count).map(|_| login()).collect();
        let logins = logins.iter().map(|login| self.engine.create(login));
        join_all(logins).await.into_iter().map(done).collect()
    }

    async fn forget(&self) {
        let reset = self.engine.reset().wait().await;
        reset.expect("the storage answers");
    }
}

fn rows(redis: &Redis, keyring: Keyring) -> Arc<dyn Rows> {
    let config = serde_json::from_value(json!({ "host": redis.socket() })).expect("a socket");
    let storage = RedisStorage::open(&config, Arc::default()).expect("it is fine");
    encoded(StorageHandle::new(Arc::new(storage)), keyring)
}

fn encoded(storage: StorageHandle, keyring: Keyring) -> Arc<dyn Rows> {
    let services = TestGateway::new().services();
    Arc::new(Encoded::new(storage, "Store", keyring, &services))
}

fn sealed() -> Keyring {
    let secrets = [Secret::new(
        "a secret of the benchmark, long enough for one",
    )];
    let secrets = Secrets::parse(&secrets).expect("long enough");
    Keyring::sealed(secrets.expect("one"))
}

fn has_redis() -> bool {
    let mut version = Command::new("redis-server");
    version.arg("--version").stdout(Stdio::null());
    version.status().is_ok_and(|status| status.success())
}

fn login() -> Deltas {
    let mut deltas = Deltas::new();
    let user = USERS.fetch_add(1, Ordering::Relaxed);
    deltas.set("user_id", format!("3f6c1c9e-7a54-4d0b-9d3e-{user:012x}"));
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

static USERS: AtomicU64 = AtomicU64::new(0);

const ROUND: usize = 1000;
