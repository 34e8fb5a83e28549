//! Anna, who logs in in most tests.

use e2e::{Answer, Browser, Gateway, Message, Upstream, until_some};

/// What the upstream's `/login` writes into the session.
pub(crate) const SESSION: &str = r#"{"user_id":"anna","authorization":"Bearer anna-token"}"#;

/// An upstream where `/login` logs Anna in and `/logout` out again.
pub(crate) fn upstream() -> Upstream {
    let upstream = Upstream::start();
    writes_session(&upstream, "/login", SESSION);
    writes_session(&upstream, "/logout", "destroy");
    upstream
}

/// Lets the upstream answer a path with this `X-Session-Set`.
pub(crate) fn writes_session(upstream: &Upstream, path: &str, value: &str) {
    upstream.answer(path, Answer::ok().header("X-Session-Set", value));
}

/// A browser that has been to `/login`.
#[track_caller]
pub(crate) fn log_in(gateway: &Gateway) -> Browser {
    let mut browser = gateway.browser();
    let response = browser.get("/login");
    assert_eq!(response.status(), 200);
    assert!(
        browser.cookie("session_id").is_some(),
        "no cookie: {:?}",
        response.headers()
    );
    browser
}

/// Asks until an answer gives the browser another id, and returns that answer.
#[track_caller]
pub(crate) fn until_renewed(browser: &mut Browser) -> Message {
    let first = browser.cookie("session_id");
    until_some("the session is renewed", || {
        let response = browser.get("/");
        (browser.cookie("session_id") != first).then_some(response)
    })
}

/// `X-User-Id` and `Authorization` of a request, as an upstream got it.
#[track_caller]
pub(crate) fn identity(request: &Message) -> (Option<String>, Option<String>) {
    (request.header("x-user-id"), request.header("authorization"))
}

/// [`identity`] of a request that Anna made.
pub(crate) fn is_anna() -> (Option<String>, Option<String>) {
    (
        Some("anna".to_owned()),
        Some("Bearer anna-token".to_owned()),
    )
}

/// Whether a `Set-Cookie` ends in so many seconds. A part of a second may have passed since the clock was read.
pub(crate) fn lives_for(cookie: &str, seconds: u32) -> bool {
    let ages = [seconds, seconds - 1].map(|age| format!("Max-Age={age};"));
    ages.iter().any(|age| format!("{cookie};").contains(age))
}
