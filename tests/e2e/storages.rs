//! The same configuration behaves the same on every storage.

use std::fs;
use std::path::Path;

use e2e::{Gateway, Redis, Request, Site, Upstream, plugins, until};
use engine::storage::server::{Certificates, RedisCluster, RedisSentinels, RedisServer, Setup};
use serde_json::{Value, json};

use crate::anna::{self, identity, is_anna, log_in, writes_session};
use crate::outage::until_answered;

#[test]
fn memory_keeps_sessions() {
    let upstream = anna::upstream();
    let site = Site::new(&upstream).storage("plugins.session.storages.MemoryStorage", "");

    keeps_sessions(&site.run(), &upstream);
}

#[test]
fn file_keeps_sessions() {
    for durability in ["everyWrite", "everySecond"] {
        let upstream = anna::upstream();
        let config = format!("durability: {durability}");
        let site = Site::new(&upstream).storage("plugins.session.storages.FileStorage", &config);

        keeps_sessions(&site.run(), &upstream);
    }
}

#[test]
fn redis_keeps_sessions() {
    let redis = Redis::new();
    let upstream = anna::upstream();

    keeps_sessions(&Site::new(&upstream).redis(&redis).run(), &upstream);
}

#[test]
fn valkey_is_another_name_for_redis() {
    let redis = Redis::new();
    let upstream = anna::upstream();
    let config = format!("url: 'unix://{}'", redis.socket().display());

    keeps_sessions(
        &Site::new(&upstream)
            .storage("plugins.session.storages.ValkeyStorage", &config)
            .run(),
        &upstream,
    );
}

#[test]
fn user_with_a_password_keeps_sessions_in_a_database_over_tcp() {
    let user = "gateway on >secret ~session:* +@all";
    let redis = Redis::with(Setup::default().tcp().user(user));
    let port = redis.server().address().port();
    let upstream = anna::upstream();
    let config = format!(
        "host: 127.0.0.1, port: {port}, username: gateway, password: secret, databaseIndex: 3"
    );
    let site = Site::new(&upstream).storage("plugins.session.storages.RedisStorage", &config);

    keeps_sessions(&site.run(), &upstream);

    assert_eq!(redis.size(), 0, "database 0 is not ours");
    assert!(redis.run(&["-n", "3", "DBSIZE"]).parse::<u32>().unwrap() > 0);
}

#[test]
fn servers_that_want_certificates_keep_sessions() {
    let setup = Setup::default()
        .mutual_tls(&Certificates::issue())
        .password("right");
    let server = RedisServer::with(setup.clone());
    let cluster = RedisCluster::with(setup);

    for settings in [server.settings(), cluster.settings()] {
        let upstream = anna::upstream();
        let gateway = Site::new(&upstream).redis_as(&settings).run();
        // It listens before it has shaken hands with every server.
        let ready = until_answered(|| gateway.browser().get("/health/ready"));
        assert_eq!(ready.status(), 200);

        keeps_sessions(&gateway, &upstream);
    }
}

#[test]
fn wrong_password_is_an_outage_that_the_log_explains() {
    let redis = Redis::with(Setup::default().tcp().password("right"));
    let port = redis.server().address().port();
    let upstream = anna::upstream();
    let config = format!("url: 'redis://default:wrong-password@127.0.0.1:{port}/0'");
    let gateway = Site::new(&upstream)
        .storage("plugins.session.storages.RedisStorage", &config)
        .run();
    let mut browser = gateway.browser();

    let login = browser.get("/login");

    assert_eq!(login.status(), 503);
    assert_eq!(login.header("set-cookie"), None);
    let line = gateway.logged("the server refused the user or password");
    assert!(!gateway.log().contains("wrong-password"), "{line}");
}

#[test]
fn sentinels_lead_to_a_master_with_certificates_and_secrets_in_files() {
    let certificates = Certificates::issue();
    let secured = |password| {
        Setup::default()
            .password(password)
            .mutual_tls(&certificates)
    };
    let sentinels = RedisSentinels::with(secured("of-servers"), secured("of-sentinels"));
    let files = tempfile::tempdir().expect("a directory for secrets");
    let mut settings = sentinels.settings();
    into_file(&mut settings, "password", files.path());
    into_file(
        &mut settings["highAvailability"],
        "sentinelPassword",
        files.path(),
    );
    let upstream = anna::upstream();

    keeps_sessions(&Site::new(&upstream).redis_as(&settings).run(), &upstream);
}

/// Moves a secret from the configuration to a file that the configuration names.
fn into_file(settings: &mut Value, key: &str, directory: &Path) {
    let settings = settings.as_object_mut().expect("a block of settings");
    let secret = settings.remove(key).expect("a secret");
    let file = directory.join(key);
    fs::write(&file, format!("{}\n", secret.as_str().expect("a text"))).expect("a file");
    settings.insert(format!("{key}File"), json!(file));
}

#[test]
fn storage_of_a_third_party_keeps_sessions() {
    let upstream = anna::upstream();
    let site = Site::new(&upstream)
        .plugin(plugins::guestbook())
        .storage("plugins.guestbook.storages.LogbookStorage", "");

    keeps_sessions(&site.run(), &upstream);
}

#[test]
fn storage_may_come_from_a_plugin_that_is_listed_first() {
    let upstream = anna::upstream();
    let mut site = Site::new(&upstream).storage("plugins.guestbook.storages.LogbookStorage", "");
    site = site.plugins_in_order(&[plugins::guestbook(), plugins::session()]);

    keeps_sessions(&site.run(), &upstream);
}

#[test]
fn gateways_on_one_redis_share_sessions() {
    let redis = Redis::new();
    let upstream = anna::upstream();
    let [one, other] = [(); 2].map(|()| Site::new(&upstream).redis(&redis).run());
    let mut browser = log_in(&one);

    browser.at(other.address()).get("/");
    let shared = identity(&upstream.last());
    browser.at(other.address()).get("/logout");

    assert_eq!(shared, is_anna());
    // The news of it are on their way.
    until("the session is over", || {
        browser.get("/");
        identity(&upstream.last()) == (None, None)
    });
}

#[test]
fn sessions_in_redis_survive_the_gateway() {
    let redis = Redis::new();
    let upstream = anna::upstream();
    let site = Site::new(&upstream).redis(&redis);
    let gateway = site.run();
    let browser = log_in(&gateway);

    drop(gateway);
    let next = site.run();
    browser.at(next.address()).get("/");

    assert_eq!(identity(&upstream.last()), is_anna());
}

#[test]
fn each_thread_of_the_gateway_has_a_connection_of_its_own() {
    let redis = Redis::new();
    let upstream = anna::upstream();
    let gateway = Site::new(&upstream).redis(&redis).run();
    let mut browser = log_in(&gateway);

    // One that watches and listens, and the lane of the only thread.
    let connections = || {
        let clients: String = redis.server().ask(&["CLIENT", "LIST"]);
        let ours = |client: &&str| client.contains(" user=default ");
        clients.lines().filter(ours).count()
    };
    until("a lane is opened", || {
        assert_eq!(browser.get("/").status(), 200);
        connections() >= 2
    });
    assert_eq!(connections(), 2);
}

#[test]
fn redis_sees_neither_the_cookie_nor_a_key_without_an_end() {
    let redis = Redis::new();
    let upstream = anna::upstream();
    let gateway = Site::new(&upstream).redis(&redis).run();
    let id = log_in(&gateway).cookie("session_id").unwrap();

    let keys = redis.run(&["--raw", "KEYS", "*"]);

    assert!(!keys.contains(&id), "{keys}");
    for key in keys.lines() {
        assert!(key.starts_with("session:"), "{key}");
        assert!(
            redis.run(&["PTTL", key]).parse::<i64>().unwrap() > 0,
            "{key} has no end"
        );
    }
}

#[test]
fn prefixes_keep_two_sites_on_one_redis_apart() {
    let redis = Redis::new();
    let upstream = anna::upstream();
    let with_prefix = |prefix| {
        let config = format!("host: '{}', prefix: '{prefix}:'", redis.socket().display());
        Site::new(&upstream)
            .storage("plugins.session.storages.RedisStorage", &config)
            .run()
    };
    let [one, other] = ["one", "other"].map(with_prefix);

    log_in(&one).at(other.address()).get("/");

    assert_eq!(identity(&upstream.last()), (None, None));
}

/// Log in, change, be known, log out: with what the upstream sees at each step.
#[track_caller]
fn keeps_sessions(gateway: &Gateway, upstream: &Upstream) {
    writes_session(upstream, "/visit", r#"{"visits":1}"#);
    let mut browser = log_in(gateway);
    let mut second = log_in(gateway);
    let mut steps = vec![];

    for path in ["/", "/visit", "/", "/logout", "/"] {
        browser.send(Request::get(path));
        steps.push(identity(&upstream.last()) == is_anna());
    }
    second.get("/");

    assert_eq!(steps, [true, true, true, true, false]);
    assert_eq!(
        identity(&upstream.last()),
        is_anna(),
        "the session of another browser"
    );
}
