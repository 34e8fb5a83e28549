//! What servers refuse, by name.

use super::*;

#[test]
fn a_full_server_refuses_writes_and_answers_reads() {
    let bench = Bench::open();
    assert_eq!(bench.write(KEY, Expected::Absent, row(1)), Written::Done);

    let _: () = bench.server.ask(&["CONFIG", "SET", "maxmemory", "1"]);

    for write in [
        bench.write(OTHER, Expected::Absent, row(1)),
        bench.write(KEY, Expected::Version(1), row(2)),
    ] {
        assert_eq!(write, unavailable("the server is out of memory"));
    }
    assert_eq!(bench.load(KEY), Loaded::Found(row(1)));
}

#[test]
fn a_server_that_cannot_save_refuses_writes_and_answers_reads() {
    let bench = Bench::open();
    assert_eq!(bench.write(KEY, Expected::Absent, row(1)), Written::Done);

    bench.server.break_saving();
    // Whoever connects anew is let in as well.
    let late = RedisStorage::open(&bench.server.config(), Arc::default()).unwrap();

    for write in [
        bench.write(OTHER, Expected::Absent, row(1)),
        bench.write(KEY, Expected::Version(1), row(2)),
    ] {
        assert_eq!(
            write,
            unavailable("the server cannot save its data, and refuses writes")
        );
    }
    assert_eq!(bench.load(KEY), Loaded::Found(row(1)));
    assert_eq!(block_on(late.load(&KEY).wait()), Loaded::Found(row(1)));
}

#[test]
fn a_server_that_became_a_replica_refuses_writes_until_it_is_a_master_again() {
    let bench = Bench::open();
    assert_eq!(bench.write(KEY, Expected::Absent, row(1)), Written::Done);

    let _: () = bench.server.ask(&["REPLICAOF", "127.0.0.1", "1"]);
    let refused = bench.write(KEY, Expected::Version(1), row(2));

    assert_eq!(
        refused,
        unavailable("the server is a replica that nobody may write to")
    );
    assert_eq!(bench.load(KEY), Loaded::Found(row(1)));
    let _: () = bench.server.ask(&["REPLICAOF", "NO", "ONE"]);
    until("a write", || {
        bench.write(KEY, Expected::Version(1), row(2)) == Written::Done
    });
}

#[test]
fn a_replica_without_data_is_left_until_it_has_some() {
    let bench = Bench::open();
    let _: () = bench
        .server
        .ask(&["CONFIG", "SET", "replica-serve-stale-data", "no"]);

    let _: () = bench.server.ask(&["REPLICAOF", "127.0.0.1", "1"]);

    let lost = Loaded::Unavailable(Unavailable::new("the replica has lost its master"));
    until("the reason", || bench.load(KEY) == lost);
    let _: () = bench.server.ask(&["REPLICAOF", "NO", "ONE"]);
    until("a server that answers", || {
        bench.load(KEY) == Loaded::Absent
    });
}

#[test]
fn a_server_that_lost_its_replicas_refuses_writes() {
    let bench = Bench::open();

    let _: () = bench
        .server
        .ask(&["CONFIG", "SET", "min-replicas-to-write", "1"]);

    assert_eq!(
        bench.write(KEY, Expected::Absent, row(1)),
        unavailable("the server has too few replicas to write")
    );
    assert_eq!(bench.load(KEY), Loaded::Absent);
}

#[test]
fn a_server_that_loads_its_data_is_waited_for() {
    let setup = Setup::default()
        .append_only()
        .line("aof-use-rdb-preamble no")
        .line("loading-process-events-interval-bytes 1024");
    let server = RedisServer::with(setup);
    let config = server.config();
    let mut bench = Bench::on(server, &config);
    for seed in 0..100 {
        let large = Row {
            version: 1,
            payload: vec![seed; 4096],
        };
        assert_eq!(
            bench.write(Key::new([seed; 32]), Expected::Absent, large),
            Written::Done
        );
    }

    bench.server.restart();

    let large = Row {
        version: 1,
        payload: vec![7; 4096],
    };
    until("a row that is as large as may be", || {
        bench.load(Key::new([7; 32])) == Loaded::Found(large.clone())
    });
}

#[test]
fn what_a_user_may_not_is_an_outage_that_says_what_to_change_and_names_no_key() {
    let of = |rule: &str, change: &dyn Fn(RedisConfig) -> RedisConfig| {
        let rule = format!("gateway on >secret {rule}");
        let server = RedisServer::with(Setup::default().user(&rule));
        let config = RedisConfig {
            username: "gateway".into(),
            password: Secret::new("secret"),
            timeout: ConfigDuration::of_secs(2),
            ..server.config()
        };
        refusal(&change(config))
    };
    let same = |config| config;
    let of_other_database = |config| RedisConfig {
        database_index: Some(1),
        ..config
    };

    for (told, expected) in [
        (
            of("~session:* +@all -get", &same),
            "the server does not let this user run the command get: \
             allow it in the server's access control list",
        ),
        (
            of("~other:* +@all", &same),
            "the server does not let this user use keys that begin with `prefix`: \
             allow them in its access control list, or change `prefix` or `username`",
        ),
        (
            of("~session:* +@all -select", &of_other_database),
            "the server does not let this user choose a database (select): \
             allow it there, or leave out `databaseIndex`",
        ),
    ] {
        assert_eq!(told, expected);
    }
}

#[test]
fn a_password_that_is_missing_is_told() {
    let server = RedisServer::with(Setup::default().password("right"));
    let config = RedisConfig {
        password: Secret::new(""),
        timeout: ConfigDuration::of_secs(2),
        ..server.config()
    };

    assert_eq!(
        refusal(&config),
        "the server wants a password: add `username` and `password`"
    );
}

#[test]
fn a_database_that_is_not_there_is_told() {
    let server = RedisServer::start();
    let config = RedisConfig {
        database_index: Some(99),
        timeout: ConfigDuration::of_secs(2),
        ..server.config()
    };

    assert_eq!(
        refusal(&config),
        "the server has no such database: change `databaseIndex`"
    );
}

fn refusal(config: &RedisConfig) -> String {
    let storage = RedisStorage::open(config, Arc::default()).unwrap();
    block_on(storage.probe().wait()).unwrap_err().to_string()
}

fn unavailable(cause: &str) -> Written {
    Written::Unavailable(Unavailable::new(cause))
}

const OTHER: Key = Key::new([8; 32]);
