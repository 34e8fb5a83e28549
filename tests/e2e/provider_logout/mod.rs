//! Logouts that begin at the provider.

mod front_channel;

use std::io::Write;
use std::sync::Mutex;
use std::time::Instant;

use e2e::{
    Answer, Browser, Gateway, Message, PATIENCE, Provider, Redis, Request, Site, Upstream, until,
};
use serde_json::json;

use crate::logging_in::providers::enter_at_provider;

#[test]
fn logout_at_the_provider_ends_its_session_on_every_gateway_and_no_other() {
    let redis = Redis::new();
    let house = House::open(Some(&redis));
    let other_gateway = house.site(Some(&redis)).run();
    house.tells(&format!(
        "http://{}/logout/backchannel",
        house.gateway.address()
    ));
    let (mut here, mut at_provider) = house.log_in("anna");
    let (mut elsewhere, _) = house.log_in("anna");
    let mut there = here.at(other_gateway.address());

    log_out_at_provider(&mut at_provider);

    house.until_nobody(&mut here);
    house.until_nobody(&mut there);
    assert_eq!(house.user(&mut elsewhere).as_deref(), Some("anna"));
    house.gateway.logged("event=\"provider-logout\"");
}

#[test]
fn logout_token_counts_once_whichever_gateway_gets_it() {
    let redis = Redis::new();
    let house = House::open(Some(&redis));
    let other_gateway = house.site(Some(&redis)).run();
    let (mut browser, token) = house.logout_token();

    let first = house.send(&token);
    let again = send(&other_gateway, &token);

    assert_eq!(first.status(), 200, "{}", first.text());
    assert_eq!(first.header("cache-control").as_deref(), Some("no-store"));
    assert_eq!(again.status(), 400);
    assert_eq!(again.header("cache-control").as_deref(), Some("no-store"));
    assert_eq!(again.json(), json!({ "error": "invalid_request" }));
    assert_eq!(house.user(&mut browser), None);
    other_gateway.logged("replayed");
}

#[test]
fn only_a_logout_token_of_the_provider_ends_anything() {
    let house = House::open(None);
    let (mut browser, token) = house.logout_token();
    let form = "application/x-www-form-urlencoded";
    let id_token = house.token(&mut browser, "id_token");
    let forged = {
        let (message, _) = token.rsplit_once('.').unwrap();
        format!("{message}.{}", "A".repeat(342))
    };
    let mut requests = vec![
        Request::get(&format!("/logout/backchannel?logout_token={token}")),
        Request::post("/logout/backchannel", form, ""),
        Request::post(
            "/logout/backchannel",
            form,
            &format!("logout_token={token}&logout_token={token}"),
        ),
        Request::post(
            "/logout/backchannel",
            "text/plain",
            &format!("logout_token={token}"),
        ),
    ];
    for wrong in [
        "x",
        "a.b.c",
        &forged,
        &id_token,
        &token.replacen("ey", "eY", 1),
    ] {
        let body = format!("logout_token={wrong}");
        requests.push(Request::post("/logout/backchannel", form, &body));
    }
    for request in requests {
        let answer = house.gateway.browser().send(request.clone());

        assert!([400, 405].contains(&answer.status()), "{request:?}");
        assert_eq!(
            house.user(&mut browser).as_deref(),
            Some("anna"),
            "{request:?}"
        );
    }
    assert_eq!(house.send(&token).status(), 200);
    assert_eq!(house.user(&mut browser), None);
}

#[test]
fn storage_that_is_away_takes_no_logout_token_and_takes_it_later() {
    let mut redis = Redis::new();
    let house = House::open(Some(&redis));
    let (mut browser, token) = house.logout_token();
    redis.kill();

    let away = house.send(&token);
    redis.start();
    let began = Instant::now();
    let mut back = house.send(&token);
    while back.status() == 503 {
        assert!(began.elapsed() < PATIENCE, "the storage does not come back");
        back = house.send(&token);
    }

    assert_eq!(away.status(), 503);
    assert_eq!(away.header("cache-control").as_deref(), Some("no-store"));
    assert_eq!(back.status(), 200);
    assert_eq!(house.user(&mut browser), None);
}

#[test]
fn logout_that_overtakes_its_login_ends_it() {
    // By `sid`, and by `sub` alone.
    for names_login in [true, false] {
        let house = House::with(None, "claims: { nickname: nickname }, ");
        let gateway = house.gateway.address();
        house.provider.client(&json!({
            "backchannel_logout_uri": format!("http://{gateway}/logout/backchannel"),
            "backchannel_logout_session_required": names_login,
        }));
        let mut browser = house.gateway.browser();
        let mut there = Browser::new(house.provider.address());
        let url = browser.get("/login").header("location").unwrap();
        let back = enter_at_provider(&mut there, &url, "anna");
        // The gateway has the tokens and asks for more. Meanwhile the user logs out, and the gateway is told.
        let there = Mutex::new(there);
        house.upstream.by_hand("/userinfo", move |_, mut line| {
            log_out_at_provider(&mut there.lock().unwrap());
            let body = r#"{"sub":"anna","nickname":"anna"}"#;
            let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length";
            let _ = write!(line.get_mut(), "{head}: {}\r\n\r\n{body}", body.len());
        });

        let answer = browser.get(&back);

        house.gateway.logged("event=\"provider-logout\" ended=0");
        let location = answer.header("location");
        assert_eq!(location.as_deref(), Some("/login?error=refused"));
        assert_eq!(house.user(&mut browser), None, "{names_login}");
    }
}

/// A gateway whose people log in with a provider, and out there.
struct House {
    provider: Provider,
    upstream: Upstream,
    gateway: Gateway,
}

impl House {
    fn open(redis: Option<&Redis>) -> Self {
        Self::with(redis, "")
    }

    /// With more `keys` of the provider. What it does not say of users is looked up at `/userinfo` of the upstream.
    fn with(redis: Option<&Redis>, keys: &str) -> Self {
        let provider = Provider::start();
        provider.client(&json!({ "redirect_uris": ["http://gateway.test/login/callback"] }));
        let upstream = Upstream::start();
        let gateway = site(&upstream, &provider, redis, keys).run();
        Self {
            provider,
            upstream,
            gateway,
        }
    }

    fn site(&self, redis: Option<&Redis>) -> Site {
        site(&self.upstream, &self.provider, redis, "")
    }

    /// A browser that is logged in here, and the same one at the provider.
    fn log_in(&self, user: &str) -> (Browser, Browser) {
        let mut browser = self.gateway.browser();
        let mut there = Browser::new(self.provider.address());
        let url = browser.get("/login").header("location").unwrap();
        let back = enter_at_provider(&mut there, &url, user);
        browser.get(&back);
        assert_eq!(self.user(&mut browser).as_deref(), Some(user));
        (browser, there)
    }

    /// From now on the provider tells this address of logouts, and its id tokens have a `sid`.
    fn tells(&self, url: &str) {
        self.provider.client(&json!({
            "backchannel_logout_uri": url,
            "backchannel_logout_session_required": true,
        }));
    }

    /// A browser that is logged in, and the provider's word that it is not any more, which has not arrived.
    fn logout_token(&self) -> (Browser, String) {
        self.upstream.answer("/captured", Answer::ok());
        self.tells(&format!("http://{}/captured", self.upstream.address()));
        let (browser, mut there) = self.log_in("anna");
        log_out_at_provider(&mut there);
        let began = Instant::now();
        loop {
            assert!(began.elapsed() < PATIENCE, "the provider tells nobody");
            let seen = self.upstream.seen();
            let told = seen.iter().find(|request| request.path() == "/captured");
            if let Some(told) = told {
                let text = told.text();
                return (browser, text.trim_start_matches("logout_token=").to_owned());
            }
        }
    }

    fn send(&self, token: &str) -> Message {
        send(&self.gateway, token)
    }

    fn user(&self, browser: &mut Browser) -> Option<String> {
        browser.get("/who");
        self.upstream.last().header("x-user-id")
    }

    fn token(&self, browser: &mut Browser, part: &str) -> String {
        browser.get("/who");
        let header = format!("x-{}", part.replace('_', "-"));
        self.upstream.last().header(&header).unwrap()
    }

    #[track_caller]
    fn until_nobody(&self, browser: &mut Browser) {
        until("the session is over", || self.user(browser).is_none());
    }
}

fn log_out_at_provider(browser: &mut Browser) {
    let page = browser.get("/session/end").text();
    let xsrf = page.split("name=\"xsrf\" value=\"").nth(1).unwrap();
    let xsrf = xsrf.split('"').next().unwrap();
    let form = "application/x-www-form-urlencoded";
    let body = format!("xsrf={xsrf}&logout=yes");
    browser.send(Request::post("/session/end/confirm", form, &body));
}

fn send(gateway: &Gateway, token: &str) -> Message {
    let form = "application/x-www-form-urlencoded";
    let body = format!("logout_token={token}");
    let request = Request::post("/logout/backchannel", form, &body);
    gateway.browser().send(request)
}

fn site(upstream: &Upstream, provider: &Provider, redis: Option<&Redis>, keys: &str) -> Site {
    let (issuer, more) = (provider.issuer(), upstream.address());
    let site = Site::new(upstream)
        .headers("X-User-Id: user_id, X-Id-Token: token.id_token")
        .providers(&format!(
            "corporate: {{ issuer: '{issuer}', {keys} userinfoUrl: 'http://{more}/userinfo', clientId: gateway, clientSecret: gateway-secret }}"
        ))
        .action(
            "Login: { use: plugins.session.actions.LoginAction, config: { provider: corporate } }",
        )
        .action("Logout: { use: plugins.session.actions.LogoutAction }")
        .route("path: /login, middlewares: [Load], action: Login")
        .route("path: /login/callback, middlewares: [Load], action: Login")
        .route("path: /logout, middlewares: [Load], action: Logout")
        .route("path: /logout/backchannel, middlewares: [Load], action: Logout")
        .route("path: /logout/frontchannel, middlewares: [Load], action: Logout");
    match redis {
        Some(redis) => site.redis(redis),
        None => site,
    }
}
