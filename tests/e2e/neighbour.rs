//! What a plugin of another library can do with sessions, stores, flags, counters and the log.

use e2e::{Browser, Gateway, Request, Site, Upstream, plugins};
use serde_json::{Value, json};

use crate::anna::{self, identity, is_anna, log_in};

#[test]
fn every_operation_on_a_session_works_from_another_library() {
    let (gateway, _upstream) = neighbours();
    let mut browser = log_in(&gateway);
    let mut desk = |operation: &str| desk(&mut browser, operation);

    assert_eq!(desk("look")["keys"], json!(["authorization", "user_id"]));
    assert_eq!(desk("set")["color"], "dark");
    assert_eq!(desk("look")["theme"], json!({ "color": "dark" }));
    assert_eq!(desk("delete")["theme"], Value::Null);
    assert_eq!(
        desk("save")["keys"],
        json!(["authorization", "saved", "user_id"])
    );
    assert_eq!(
        desk("look"),
        json!({ "fresh": false, "hasId": true, "keys": ["authorization", "saved", "user_id"], "theme": null, "color": null })
    );
}

#[test]
fn visitor_has_a_fresh_session_that_is_stored_when_something_is_set() {
    let (gateway, _upstream) = neighbours();
    let mut browser = gateway.browser();

    let before = desk(&mut browser, "look");
    let no_cookie = browser.cookie("session_id");
    desk(&mut browser, "set");
    let after = desk(&mut browser, "look");

    assert_eq!(
        (&before["fresh"], &before["hasId"]),
        (&json!(true), &json!(false))
    );
    assert_eq!(no_cookie, None);
    assert_eq!(
        (&after["fresh"], &after["color"]),
        (&json!(false), &json!("dark"))
    );
}

#[test]
fn regenerated_session_has_a_new_id_and_the_old_one_is_dead_at_once() {
    let (gateway, upstream) = neighbours();
    let mut browser = log_in(&gateway);
    let mut thief = browser.clone();

    desk(&mut browser, "regenerate");
    browser.get("/");
    let owner = identity(&upstream.last());
    thief.get("/");

    assert_ne!(browser.cookie("session_id"), thief.cookie("session_id"));
    assert_eq!(owner, is_anna());
    assert_eq!(identity(&upstream.last()), (None, None));
}

#[test]
fn session_can_be_given_a_life_of_its_own() {
    let (gateway, _upstream) = neighbours();
    let mut browser = log_in(&gateway);

    let response = browser.get("/desk/expire");

    let cookie = response.header("set-cookie").unwrap_or_default();
    assert!(anna::lives_for(&cookie, 7), "{cookie}");
}

#[test]
fn destroyed_session_is_over() {
    let (gateway, upstream) = neighbours();
    let mut browser = log_in(&gateway);
    let mut copy = browser.clone();

    desk(&mut browser, "destroy");
    copy.get("/");

    assert_eq!(browser.cookie("session_id"), None);
    assert_eq!(identity(&upstream.last()), (None, None));
}

#[test]
fn attribute_that_is_refused_changes_nothing() {
    let (gateway, upstream) = neighbours();
    let mut browser = log_in(&gateway);

    let refused = browser.get("/desk/refuse");
    browser.get("/");

    assert_eq!(refused.status(), 500);
    assert_eq!(identity(&upstream.last()), is_anna());
}

#[test]
fn store_logs_in_on_a_route_without_the_middleware() {
    let (gateway, upstream) = neighbours();
    let mut browser = gateway.browser();

    browser.get("/sign-in");
    browser.get("/");

    assert_eq!(identity(&upstream.last()).0.as_deref(), Some("ben"));
}

#[test]
fn reset_ends_every_session_and_counts_the_rows() {
    let (gateway, upstream) = neighbours();
    let mut browsers = [(); 3].map(|()| log_in(&gateway));

    let ended = gateway.browser().get("/reset").text();

    assert_eq!(
        ended, "4",
        "one for each session, and the roster of the one user"
    );
    for browser in &mut browsers {
        browser.get("/");
        assert_eq!(identity(&upstream.last()), (None, None));
    }
}

#[test]
fn flag_of_set_middleware_is_seen_in_another_library() {
    let (gateway, _upstream) = neighbours();

    let reports = ["/flagged", "/plain"].map(|path| gateway.browser().get(path).text());

    assert_eq!(reports, ["true", "false"]);
}

#[test]
fn log_lines_and_counters_of_a_plugin_reach_the_gateway() {
    let (gateway, _upstream) = neighbours();

    gateway.browser().get("/flagged");

    let line = gateway.logged("a report was made");
    assert!(
        line.contains("INFO neighbour::report") && line.contains("is_raised=true"),
        "{line}"
    );
    let metrics = gateway.admin().get("/metrics").text();
    assert!(
        metrics.contains("neighbour_reports_total{flag=\"disable_redirect\"} 1"),
        "{metrics}"
    );
}

#[test]
fn path_has_one_spelling_for_plugins_and_for_the_upstream() {
    let upstream = Upstream::start();
    let gateway = Site::new(&upstream)
        .plugin(plugins::fixture("neighbour"))
        .middleware("Show: { use: plugins.neighbour.middlewares.ShowPathMiddleware }")
        .route("path: /admin/*, middlewares: [Show], action: Forward")
        .run();

    gateway.browser().get("/%61dmin//x?q=%61");

    let seen = upstream.last();
    assert_eq!(seen.header("x-path").as_deref(), Some("/admin/x"));
    assert_eq!(seen.start_line(), "GET /admin/x?q=%61 HTTP/1.1");
}

#[track_caller]
fn desk(browser: &mut Browser, operation: &str) -> Value {
    browser
        .send(Request::get(&format!("/desk/{operation}")))
        .json()
}

fn neighbours() -> (Gateway, Upstream) {
    let upstream = anna::upstream();
    let action = |name: &str, config: &str| {
        format!("action: {{ use: plugins.neighbour.actions.{name}, config: {{ {config} }} }}")
    };
    let report = action("ReportAction", "flag: disable_redirect");
    let site = Site::new(&upstream)
        .plugin(plugins::fixture("neighbour"))
        .server("admin: { address: '127.0.0.1:0' }")
        .middleware("Flagged: { use: gateway.middlewares.SetMiddleware, config: { values: [disable_redirect] } }")
        .route(&format!("path: '/desk/:operation', middlewares: [Load], {}", action("DeskAction", "")))
        .route(&format!("path: /sign-in, {}", action("SignInAction", "store: Load")))
        .route(&format!("path: /reset, {}", action("ResetAction", "store: Load")))
        .route(&format!("path: /flagged, middlewares: [Flagged], {report}"))
        .route(&format!("path: /plain, {report}"));
    (site.run(), upstream)
}
