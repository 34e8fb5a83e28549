//! A user of Redis who may do what `docs/many-gateways.md` says, and nothing else, is enough for everything, and nothing
//! of it is too much.

use std::collections::BTreeSet;
use std::fs;

use e2e::{Redis, Request, Site, Upstream, plugins};
use engine::storage::server::Setup;

use crate::anna::{self, identity, is_anna, log_in, until_renewed};

#[test]
fn documented_commands_are_enough_and_each_of_them_is_used() {
    let rule = rule("user gateway ");
    let user = rule.replace("...", "secret");
    let redis = Redis::with(Setup::default().tcp().user(&format!("gateway {user}")));
    let upstream = anna::upstream();
    redis.run(&["CONFIG", "RESETSTAT"]);

    live_a_life(&redis, &upstream);

    let refused = redis.run(&["--raw", "ACL", "LOG"]);
    assert_eq!(refused, "", "refused");
    let unused: Vec<_> = commands(&rule)
        .into_iter()
        .filter(|command| redis.server().calls(command) == 0)
        .collect();
    assert!(unused.is_empty(), "documented and not used: {unused:?}");
}

/// Everything a storage is asked for: a login, loads, touches, renewals, the end of one session and of all, a probe.
fn live_a_life(redis: &Redis, upstream: &Upstream) {
    let mut settings = redis.server().settings();
    settings["username"] = "gateway".into();
    settings["password"] = "secret".into();
    let action = |name: &str| {
        format!("action: {{ use: plugins.neighbour.actions.{name}, config: {{ store: Load }} }}")
    };
    let gateway = Site::new(upstream)
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
    // Nobody asks for it: the connection is checked all the time.
    while redis.server().calls("ping") == 0 {}
}

/// What follows `start` in a line of the document.
#[track_caller]
fn rule(start: &str) -> String {
    let document = fs::read_to_string(plugins::root().join("docs/many-gateways.md")).unwrap();
    let rule = document.lines().find_map(|line| line.strip_prefix(start));
    rule.unwrap_or_else(|| panic!("no line begins with {start:?}"))
        .to_owned()
}

fn commands(rule: &str) -> BTreeSet<&str> {
    rule.split(' ')
        .filter_map(|word| word.strip_prefix('+'))
        .collect()
}
