//! A plugin of another workspace logs people in, through the `Session` interface of `abi`.

use e2e::{Gateway, Request, Site, Upstream, plugins};

use crate::anna::identity;

#[test]
fn third_party_logs_a_guest_in_and_the_upstream_sees_the_guest() {
    let (gateway, upstream) =
        guestbook("path: /login, middlewares: [Load, Login], action: Forward");
    let mut browser = gateway.browser();

    let login = browser.send(Request::post(
        "/login",
        "application/json",
        r#"{"user":"anna"}"#,
    ));
    browser.get("/");

    assert_eq!(
        (login.status(), login.text().as_str()),
        (200, r#"{"user":"anna"}"#)
    );
    assert_eq!(
        login.header("content-type").as_deref(),
        Some("application/json")
    );
    assert!(login.header("set-cookie").is_some());
    assert_eq!(
        identity(&upstream.last()),
        (
            Some("anna".to_owned()),
            Some("Bearer guest-anna".to_owned())
        )
    );
    assert_eq!(upstream.seen().len(), 1, "the login itself goes no further");
}

#[test]
fn form_logs_in_as_well() {
    let (gateway, upstream) =
        guestbook("path: /login, middlewares: [Load, Login], action: Forward");
    let mut browser = gateway.browser();

    browser.send(Request::post(
        "/login",
        "application/x-www-form-urlencoded",
        "user=anna",
    ));
    browser.get("/");

    assert_eq!(identity(&upstream.last()).0.as_deref(), Some("anna"));
}

#[test]
fn stranger_gets_401_and_no_session() {
    let (gateway, _upstream) =
        guestbook("path: /login, middlewares: [Load, Login], action: Forward");

    let login = gateway.browser().send(Request::post(
        "/login",
        "application/json",
        r#"{"user":"mallory"}"#,
    ));

    assert_eq!((login.status(), login.header("set-cookie")), (401, None));
    assert!(!gateway.log().contains("mallory"));
}

#[test]
fn login_without_a_session_middleware_is_explained_in_the_log() {
    let (gateway, _upstream) = guestbook("path: /login, middlewares: [Login], action: Forward");

    let login = gateway.browser().send(Request::post(
        "/login",
        "application/json",
        r#"{"user":"anna"}"#,
    ));

    assert_eq!(login.status(), 500);
    gateway.logged("list LoadSessionMiddleware before LoginMiddleware");
}

#[test]
fn body_that_nobody_takes_reaches_the_upstream() {
    let (gateway, upstream) =
        guestbook("path: /other, middlewares: [Load, Login], action: Forward");

    gateway
        .browser()
        .send(Request::post("/other", "text/plain", "untouched"));

    assert_eq!(upstream.last().text(), "untouched");
}

fn guestbook(route: &str) -> (Gateway, Upstream) {
    let upstream = Upstream::start();
    let login =
        "Login: { use: plugins.guestbook.middlewares.LoginMiddleware, config: { guests: [anna] } }";
    let site = Site::new(&upstream)
        .plugin(plugins::guestbook())
        .middleware(login)
        .route(route);
    (site.run(), upstream)
}
