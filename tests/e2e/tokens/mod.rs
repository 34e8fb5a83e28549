//! Sessions that hold tokens of a real provider.

mod bearer;
mod keys;
mod on_demand;
mod options;
mod outage;
mod provider;
mod refresh;
mod require;
mod secured;
mod silent;
mod turns;

use std::thread;
use std::time::SystemTime;

use e2e::{Answer, Browser, Gateway, Message, Provider, Request, Site, Upstream};
use serde_json::{Value, json};

/// What requests to `/app` need: a session with tokens of `provider`, which are good.
fn site(provider: &Provider, upstream: &Upstream) -> Site {
    site_with(provider, upstream, "")
}

/// The same, with more keys of the provider.
fn site_with(provider: &Provider, upstream: &Upstream, keys: &str) -> Site {
    let known = format!(
        "main: {{ issuer: '{}', clientId: gateway, clientSecret: gateway-secret, \
         audience: ['https://api.test'], claims: {{ email: email, roles: roles }}, {keys} }}",
        provider.issuer()
    );
    Site::new(upstream)
        .providers(&known)
        .headers("X-User-Id: user_id, X-Email: email, X-Refresh: token.refresh_token")
        .middleware("Flags: { use: gateway.middlewares.SetMiddleware, config: { values: [token_header] } }")
        .middleware("Silent: { use: gateway.middlewares.SetMiddleware, config: { values: [disable_redirect] } }")
        .action("Echo: { use: gateway.actions.EchoAction }")
        .route("path: /app/*, middlewares: [Load, Flags, Require, Map], action: Echo")
        .route("path: /plain/*, middlewares: [Load, Require, Map], action: Echo")
        .route("path: /silent/*, middlewares: [Silent, Load, Require, Map], action: Echo")
}

/// The same, with the middleware as most tests want it.
fn usual(provider: &Provider, upstream: &Upstream) -> Site {
    site(provider, upstream).middleware(&require("token: { provider: main }"))
}

fn require(config: &str) -> String {
    format!(
        "Require: {{ use: plugins.session.middlewares.RequireSessionMiddleware, config: {{ {config} }} }}"
    )
}

/// Tokens of a login at the provider, as a session holds them, which end so many seconds from now.
fn tokens(provider: &Provider, seconds: i64) -> Value {
    let mut tokens = provider.log_in("anna");
    let tokens = tokens.as_object_mut().unwrap();
    tokens.remove("expires_in");
    tokens.insert("provider".into(), "main".into());
    tokens.insert("expires_at".into(), (now() + seconds).into());
    Value::Object(tokens.clone())
}

fn now() -> i64 {
    let since = SystemTime::UNIX_EPOCH.elapsed().unwrap();
    i64::try_from(since.as_secs()).unwrap()
}

/// A browser with a session that holds these tokens.
#[track_caller]
fn log_in(gateway: &Gateway, upstream: &Upstream, tokens: &Value) -> Browser {
    let session = json!({ "user_id": "anna", "token": tokens });
    let answer = Answer::ok().header("X-Session-Set", &session.to_string());
    upstream.answer("/login", answer);
    let mut browser = gateway.browser();
    assert_eq!(browser.get("/login").status(), 200);
    assert!(browser.cookie("session_id").is_some());
    browser
}

/// What the upstream of `/app` is shown in `Authorization`.
fn shown(message: &Message) -> String {
    let json = message.json();
    let header = json["headers"]["authorization"]
        .as_str()
        .unwrap_or_default();
    header.to_owned()
}

/// A browser that goes to a page.
fn navigation(target: &str) -> Request {
    Request::get(target)
        .header("Sec-Fetch-Mode", "navigate")
        .header("Sec-Fetch-Dest", "document")
        .header("Accept", "text/html,*/*;q=0.8")
}

/// The answers to so many requests at once.
fn at_once(browser: &Browser, count: usize) -> Vec<Message> {
    let together = std::sync::Barrier::new(count);
    thread::scope(|scope| {
        let ask = || {
            let (mut browser, together) = (browser.clone(), &together);
            scope.spawn(move || {
                together.wait();
                browser.get("/app/a")
            })
        };
        let asked: Vec<_> = (0..count).map(|_| ask()).collect();
        let answers = asked.into_iter().map(|asked| asked.join().unwrap());
        answers.collect()
    })
}

/// How a request is answered that brings the access token of these.
fn bring(gateway: &Gateway, tokens: &Value) -> u16 {
    let token = tokens["access_token"].as_str().unwrap();
    let request = Request::get("/app/a").header("Authorization", &format!("Bearer {token}"));
    gateway.browser().send(request).status()
}
