mod hearing;
mod refusals;
mod tls;

use super::server::{RedisServer, Setup, until};
use super::*;
use crate::clock::ManualClock;
use crate::session::Keyring;
use crate::storage::conformance::{Subject, block_on};
use crate::storage::{Encoded, Rows, Together};
use abi::config::{ConfigDuration, Secret};
use abi::testing::TestGateway;

crate::conformance_suite!(RedisSubject::open);

#[test]
fn every_key_has_a_time_of_life_and_none_holds_a_session_id() {
    let bench = Bench::open();

    assert_eq!(bench.write(KEY, Expected::Absent, row(1)), Written::Done);
    assert_eq!(
        bench.write(KEY, Expected::Version(1), row(2)),
        Written::Done
    );

    let names: Vec<String> = bench.ask(redis::cmd("KEYS").arg("*"));
    assert_eq!(
        names,
        ["session:CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk"]
    );
    let left: i64 = bench.ask(redis::cmd("PTTL").arg(&names[0]));
    assert!((3_500_000..=3_600_000).contains(&left), "{left}");
}

#[test]
fn a_value_that_is_not_a_row_is_quarantined_and_stays() {
    let bench = Bench::open();
    let name = bench.storage.target.names.of(&KEY);
    let _: () = bench.ask(redis::cmd("SET").arg(&name).arg("somebody else's"));

    let nothing = Row {
        version: 0,
        payload: vec![],
    };
    assert_eq!(bench.load(KEY), Loaded::Found(nothing));
    assert_eq!(
        bench.write(KEY, Expected::Absent, row(1)),
        Written::Conflict
    );
    assert_eq!(
        bench.write(KEY, Expected::Version(0), row(1)),
        Written::Conflict
    );

    let value: String = bench.ask(redis::cmd("GET").arg(&name));
    assert_eq!(value, "somebody else's");

    let rows = encoded(bench.storage);
    assert_eq!(block_on(rows.load(KEY.into()).wait()), Loaded::Absent);
    assert_eq!(rows.quarantined(), 1);
}

#[test]
fn a_value_of_another_type_is_an_outage_of_that_row_only() {
    let bench = Bench::open();
    let _: () = bench.ask(
        redis::cmd("LPUSH")
            .arg(bench.storage.target.names.of(&KEY))
            .arg("x"),
    );

    assert_eq!(
        bench.load(KEY),
        Loaded::Unavailable(Unavailable::new("the server answered WRONGTYPE"))
    );
    assert_eq!(bench.load(Key::new([8; 32])), Loaded::Absent);
}

#[test]
fn two_rows_come_with_one_message() {
    let bench = Bench::open();
    let other = Key::new([8; 32]);
    assert_eq!(
        bench.load_together([KEY, other]),
        [Loaded::Absent, Loaded::Absent]
    );

    bench.write(KEY, Expected::Absent, row(1));
    bench.write(other, Expected::Absent, row(1));

    let found = Loaded::Found(row(1));
    assert_eq!(bench.load_together([KEY, other]), [found.clone(), found]);
}

#[test]
fn of_two_rows_each_has_an_outage_of_its_own() {
    let bench = Bench::open();
    let other = Key::new([8; 32]);
    let name = bench.storage.target.names.of(&other);
    let _: () = bench.ask(redis::cmd("LPUSH").arg(name).arg("x"));
    bench.write(KEY, Expected::Absent, row(1));

    let [found, not] = bench.load_together([KEY, other]);

    assert_eq!(found, Loaded::Found(row(1)));
    let cause = Unavailable::new("the server answered WRONGTYPE");
    assert_eq!(not, Loaded::Unavailable(cause));
}

#[test]
fn a_server_that_is_back_may_have_lost_what_it_acknowledged() {
    let mut bench = Bench::open();
    assert_eq!(bench.load(KEY), Loaded::Absent);
    let moved = bench.storage.moved();
    assert_eq!(*moved.borrow(), 0, "the first connection is no return");

    bench.server.restart();

    until("a return", || *moved.borrow() == 1);
}

#[test]
fn reset_leaves_what_is_not_a_row() {
    let bench = Bench::with(RedisConfig {
        prefix: "s*[x]?".into(),
        ..RedisConfig::default()
    });
    assert_eq!(bench.write(KEY, Expected::Absent, row(1)), Written::Done);
    let others = [
        "s*[x]?other",
        "sAx",
        "s*[x]?deep:CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk",
    ];
    for name in others {
        let _: () = bench.ask(redis::cmd("SET").arg(name).arg(1));
    }

    assert_eq!(block_on(bench.storage.reset().wait()), Ok(1));

    let left: Vec<String> = bench.ask(redis::cmd("KEYS").arg("*"));
    assert_eq!(left.len(), others.len());
}

#[test]
fn a_forgotten_script_is_loaded_again() {
    let bench = Bench::open();
    assert_eq!(bench.write(KEY, Expected::Absent, row(1)), Written::Done);
    let _: () = bench.ask(redis::cmd("SCRIPT").arg("FLUSH"));

    assert_eq!(
        bench.write(KEY, Expected::Version(1), row(2)),
        Written::Done
    );
}

#[test]
fn a_killed_server_is_an_outage_and_is_found_again() {
    let mut bench = Bench::open();
    assert_eq!(bench.write(KEY, Expected::Absent, row(1)), Written::Done);

    bench.server.kill();
    assert!(matches!(bench.load(KEY), Loaded::Unavailable(_)));
    assert!(matches!(
        bench.write(KEY, Expected::Version(1), row(2)),
        Written::Unavailable(_)
    ));
    bench.server.restart();

    assert_eq!(block_on(bench.storage.probe().wait()), Ok(()));
    assert_eq!(bench.write(KEY, Expected::Absent, row(1)), Written::Done);
}

#[test]
fn a_read_does_not_notice_that_the_server_closed_the_connection() {
    let mut bench = Bench::open();
    bench.storage.patience = Duration::from_secs(60);
    assert_eq!(bench.write(KEY, Expected::Absent, row(1)), Written::Done);

    for _ in 0..5 {
        let _: i64 = bench.ask(
            redis::cmd("CLIENT")
                .arg("KILL")
                .arg("TYPE")
                .arg("normal")
                .arg("SKIPME")
                .arg("no"),
        );
        assert_eq!(bench.load(KEY), Loaded::Found(row(1)));
    }
}

#[test]
fn a_server_that_only_hangs_runs_into_the_deadline() {
    let bench = Bench::open();
    let config = RedisConfig {
        timeout: ConfigDuration::try_from(Duration::from_millis(200)).unwrap(),
        ..bench.server.config()
    };
    let hasty = RedisStorage::open(&config, Arc::default()).unwrap();
    assert_eq!(block_on(bench.storage.probe().wait()), Ok(()));
    while block_on(hasty.probe().wait()).is_err() {}
    let _: () = bench.ask(redis::cmd("CLIENT").arg("PAUSE").arg(600_000));

    let loaded = block_on(hasty.load(&KEY).wait());

    assert_eq!(
        loaded,
        Loaded::Unavailable(Unavailable::new("no answer within 200ms"))
    );
}

#[test]
fn a_server_that_stalls_for_less_than_the_timeout_is_waited_for() {
    let bench = Bench::open();
    assert_eq!(bench.write(KEY, Expected::Absent, row(1)), Written::Done);

    let _: () = bench.server.ask(&["CLIENT", "PAUSE", "2000"]);

    assert_eq!(bench.load(KEY), Loaded::Found(row(1)));
    assert_eq!(*bench.storage.moved().borrow(), 0, "the connection stays");
}

#[test]
fn a_server_that_does_not_answer_is_left_and_found_again() {
    let bench = Bench::open();
    assert_eq!(bench.write(KEY, Expected::Absent, row(1)), Written::Done);

    bench.server.freeze();
    assert!(matches!(bench.load(KEY), Loaded::Unavailable(_)));
    bench.server.thaw();

    until("a connection", || bench.load(KEY) == Loaded::Found(row(1)));
}

#[test]
fn a_wrong_password_is_told_and_never_shown() {
    let server = RedisServer::with(Setup::default().password("right"));
    let wrong = RedisConfig {
        host: Some(Hosts::One(server.socket().display().to_string())),
        password: Secret::new("hunter2"),
        timeout: ConfigDuration::of_secs(2),
        ..RedisConfig::default()
    };
    let storage = RedisStorage::open(&wrong, Arc::default()).unwrap();

    let Err(cause) = block_on(storage.probe().wait()) else {
        panic!("let in")
    };

    assert_eq!(
        cause,
        Unavailable::new(
            "the server refused the user or password: change `username` and `password`"
        )
    );
}

#[test]
fn no_server_at_all_is_told_with_the_reason() {
    let directory = tempfile::tempdir().unwrap();
    let config = RedisConfig {
        host: Some(Hosts::One(
            directory.path().join("none").display().to_string(),
        )),
        ..RedisConfig::default()
    };
    let storage = RedisStorage::open(&config, Arc::default()).unwrap();

    let Loaded::Unavailable(cause) = block_on(storage.load(&KEY).wait()) else {
        panic!("answered")
    };

    assert!(cause.to_string().contains("No such file"), "{cause}");
}

/// A server, a storage on it, and a way around the storage.
struct Bench {
    storage: RedisStorage,
    server: RedisServer,
}

impl Bench {
    fn open() -> Self {
        Self::with(RedisConfig::default())
    }

    fn with(config: RedisConfig) -> Self {
        let server = RedisServer::start();
        let config = RedisConfig {
            prefix: config.prefix,
            ..server.config()
        };
        Self::on(server, &config)
    }

    fn on(server: RedisServer, config: &RedisConfig) -> Self {
        let storage = RedisStorage::open(config, Arc::default()).unwrap();
        assert_eq!(block_on(storage.probe().wait()), Ok(()));
        Self { storage, server }
    }

    fn load(&self, key: Key) -> Loaded<Row> {
        block_on(self.storage.load(&key).wait())
    }

    fn load_together(&self, keys: [Key; 2]) -> [Loaded<Row>; 2] {
        block_on(self.storage.load_together(keys).unwrap().wait())
    }

    fn write(&self, key: Key, expected: Expected, row: Row) -> Written {
        block_on(
            self.storage
                .write(&key, expected, row, Duration::from_secs(3600))
                .wait(),
        )
    }

    fn ask<T: FromRedisValue + Send>(&self, command: &redis::Cmd) -> T {
        let command = Command::Repeatable(command.clone());
        block_on(
            self.storage
                .task(async move { self.storage.run(Aim::Row(&KEY), command).await })
                .wait(),
        )
        .unwrap()
    }
}

pub(crate) struct RedisSubject {
    rows: Arc<Encoded<RedisStorage>>,
    _server: RedisServer,
}

impl RedisSubject {
    pub(crate) fn open() -> Self {
        Self::of(Bench::open())
    }

    fn of(Bench { storage, server }: Bench) -> Self {
        Self {
            rows: Arc::new(encoded(storage)),
            _server: server,
        }
    }
}

impl Subject for RedisSubject {
    fn rows(&self) -> Arc<dyn Rows> {
        self.rows.clone()
    }

    fn clock(&self) -> Option<&ManualClock> {
        None
    }
}

fn encoded(storage: RedisStorage) -> Encoded<RedisStorage> {
    let services = TestGateway::new().services();
    Encoded::new(storage, "Redis", Keyring::plain(), &services)
}

fn row(version: u64) -> Row {
    Row {
        version,
        payload: b"payload".to_vec(),
    }
}

const KEY: Key = Key::new([9; 32]);
