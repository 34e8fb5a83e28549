//! A user of Redis who may do what `docs/many-gateways.md` says, and nothing else, is enough for everything, and nothing
//! of it is too much.

use std::fs;

use e2e::{Redis, Request, Site, Upstream, plugins, until};
use engine::storage::server::{RedisCluster, RedisSentinels, RedisServer, Setup};
use serde_json::Value;

use crate::anna::{self, identity, is_anna, log_in, until_renewed};

#[test]
fn documented_commands_are_enough_and_each_of_them_is_used() {
    let rule = rule("user gateway ");
    let redis = Redis::with(setup(&rule).tcp());

    let servers = [redis.server()];
    live_a_life(as_gateway(redis.server().settings()), &servers);

    assert_exact(&rule, &servers);
}

#[test]
fn documented_commands_are_enough_with_sentinels() {
    let rule = format!("{} {}", rule("user gateway "), rule("# on the servers: "));
    let guard = self::rule("# on the Sentinels: user gateway ");
    let mut sentinels = RedisSentinels::with(setup(&rule), setup(&guard));
    let mut settings = as_gateway(sentinels.settings());
    settings["highAvailability"]["sentinelUsername"] = "gateway".into();
    settings["highAvailability"]["sentinelPassword"] = "secret".into();
    settings["highAvailability"]["routeRandomly"] = true.into();

    live_a_life(settings, &Vec::from_iter(sentinels.servers().iter()));

    assert_exact(&rule, &Vec::from_iter(sentinels.servers().iter()));
    // Sentinels do not count commands.
    for sentinel in sentinels.sentinels() {
        assert_eq!(sentinel.refused(), "");
    }
}

#[test]
fn documented_commands_are_enough_in_a_cluster() {
    let more = rule("# on every node: ");
    let rule = format!("{} {more}", rule("user gateway "));
    let cluster = RedisCluster::with(setup(&rule));
    let nodes: Vec<_> = (0..6).map(|number| cluster.node(number)).collect();
    let settings = as_gateway(cluster.settings());

    live_a_life(settings.clone(), &nodes);
    // Rows that were not read before are asked for where they are about to be.
    let upstream = anna::upstream();
    let gateway = Site::new(&upstream).redis_as(&settings).run();
    let mut browser = log_in(&gateway);
    let moved: Vec<_> = (0..6)
        .flat_map(|node| {
            cluster
                .node(node)
                .ask::<Vec<String>>(&["KEYS", "session:*"])
        })
        .map(|key| cluster.slot(&key))
        .collect();
    for slot in moved {
        let to = (cluster.owner(slot) + 1) % 3;
        let migration = cluster.migrate(slot, to);
        migration.move_keys();
        // A gateway that has no copies.
        let other = Site::new(&upstream).redis_as(&settings).run();
        browser.at(other.address()).get("/");
        assert_eq!(identity(&upstream.last()), is_anna());
        migration.finish();
    }
    browser.get("/");

    assert_exact(&rule, &nodes);
}

/// Servers with one user who may do what the `rule` says.
fn setup(rule: &str) -> Setup {
    Setup::default().user(&format!("gateway {}", rule.replace("...", "secret")))
}

fn as_gateway(mut settings: Value) -> Value {
    settings["username"] = "gateway".into();
    settings["password"] = "secret".into();
    settings
}

/// Everything a storage is asked for: a login, loads, touches, renewals, the end of one session and of all, a probe.
fn live_a_life(settings: Value, servers: &[&RedisServer]) {
    let upstream: Upstream = anna::upstream();
    for server in servers {
        server.ask::<()>(&["CONFIG", "RESETSTAT"]);
    }
    let action = |name: &str| {
        format!("action: {{ use: plugins.neighbour.actions.{name}, config: {{ store: Load }} }}")
    };
    let gateway = Site::new(&upstream)
        .redis_as(&settings)
        .load("autoRenewAfter: 300ms, touchInterval: 100ms")
        .plugin(plugins::fixture("neighbour"))
        .route(&format!(
            "path: '/sessions/:principal', {}",
            action("SessionsAction")
        ))
        .route(&format!("path: /reset, {}", action("ResetAction")))
        .run();
    let mut browser = log_in(&gateway);
    let mut other = log_in(&gateway);

    until_renewed(&mut browser);
    assert_eq!(identity(&upstream.last()), is_anna());
    assert_eq!(browser.get("/health/ready").status(), 200);
    other.get("/logout");
    let ended = browser.send(Request::new("DELETE", "/sessions/anna"));
    assert_eq!(ended.json(), 1);
    log_in(&gateway);
    // At least the row of the last session, and its roster.
    let removed: u64 = browser.get("/reset").text().parse().unwrap();
    assert!(removed >= 2, "{removed}");
    // Nobody asks for it: connections are checked all the time.
    let is_checked = || servers.iter().any(|server| server.calls("ping") > 0);
    until("connections are checked", is_checked);
}

/// Nothing was refused, and each of the commands was called somewhere.
#[track_caller]
fn assert_exact(rule: &str, servers: &[&RedisServer]) {
    for server in servers {
        assert_eq!(server.refused(), "");
    }
    let is_unused = |command: &&str| servers.iter().all(|server| server.calls(command) == 0);
    let commands = rule.split(' ').filter_map(|word| word.strip_prefix('+'));
    let unused: Vec<_> = commands.filter(is_unused).collect();
    assert!(unused.is_empty(), "documented and not used: {unused:?}");
}

/// What follows `start` in a line of the document.
#[track_caller]
fn rule(start: &str) -> String {
    let document = fs::read_to_string(plugins::root().join("docs/many-gateways.md")).unwrap();
    let rule = document.lines().find_map(|line| line.strip_prefix(start));
    rule.unwrap_or_else(|| panic!("no line begins with {start:?}"))
        .to_owned()
}
