//! `LogoutAction` in a real gateway: what is over afterwards, and for whom.

use e2e::{Browser, Gateway, Message, Provider, Redis, Request, Site, Upstream, until};
use serde_json::json;

use crate::anna::writes_session;
use crate::logging_in::providers::at_provider;

#[test]
fn logout_ends_this_session_and_no_other() {
    let (gateway, upstream) = door("");
    let [mut here, mut there] = [log_in(&gateway), log_in(&gateway)];
    let mut stolen = here.clone();

    let answer = log_out(&mut here, "redirect_path=/bye");

    assert_eq!(answer.status(), 303);
    assert_eq!(answer.header("location").as_deref(), Some("/bye"));
    assert_eq!(here.cookie("session_id"), None, "{:?}", answer.headers());
    assert_eq!(user(&upstream, &mut stolen), None);
    assert_eq!(user(&upstream, &mut there).as_deref(), Some("anna"));
}

#[test]
fn others_end_and_this_one_stays() {
    let (gateway, upstream) = door("");
    let [mut here, mut one, mut two] = [(); 3].map(|()| log_in(&gateway));

    let answer = here.send(Request::post(
        "/logout",
        "application/json",
        r#"{"others":true}"#,
    ));

    assert_eq!(
        (answer.status(), answer.json()),
        (200, json!({ "ended": 2 }))
    );
    assert_eq!(user(&upstream, &mut here).as_deref(), Some("anna"));
    for other in [&mut one, &mut two] {
        assert_eq!(user(&upstream, other), None);
    }
}

#[test]
fn everywhere_is_on_all_gateways() {
    let (upstream, redis) = (Upstream::start(), Redis::new());
    writes_session(&upstream, "/login", r#"{"user_id":"anna"}"#);
    let gateways = [(); 2].map(|()| site(&upstream, "").redis(&redis).run());
    let [mut here, mut there] = gateways.each_ref().map(log_in);
    let mut stranger = gateways[1].browser();

    let answer = log_out(&mut here, "everywhere=true");

    assert_eq!(answer.status(), 303);
    assert_eq!(here.cookie("session_id"), None);
    // Its gateway is told by the server, a moment later.
    until("the session is over elsewhere", || {
        user(&upstream, &mut there).is_none()
    });
    assert_eq!(user(&upstream, &mut stranger), None);
}

#[test]
fn other_sites_log_nobody_out_in_any_way_they_can_ask() {
    for (config, link) in [("", false), ("allowGet: true", true)] {
        let (gateway, upstream) = door(config);
        let mut browser = log_in(&gateway);
        let form = "application/x-www-form-urlencoded";
        for request in [
            Request::get("/logout"),
            Request::get("/logout").header("Sec-Fetch-Site", "cross-site"),
            Request::get("/logout").header("Sec-Fetch-Site", "same-site"),
            Request::get("/logout").header("Referer", "https://evil.test/"),
            Request::post("/logout", form, ""),
            Request::post("/logout", form, "everywhere=true").header("Origin", "https://evil.test"),
            Request::post("/logout", form, "").header("Origin", "null"),
            Request::post("/logout", form, "").header("Sec-Fetch-Site", "cross-site"),
            Request::post("/logout", "text/plain", "{}").header("Sec-Fetch-Site", "cross-site"),
            Request::post("/logout", "application/json", "{}")
                .header("Origin", "https://evil.test"),
        ] {
            let answer = browser.send(request.clone());

            assert!([403, 405].contains(&answer.status()), "{request:?}");
            assert_eq!(
                user(&upstream, &mut browser).as_deref(),
                Some("anna"),
                "{request:?}"
            );
        }
        let followed =
            browser.send(Request::get("/logout").header("Sec-Fetch-Site", "same-origin"));
        assert_eq!(followed.status(), if link { 303 } else { 405 });
    }
}

#[test]
fn logout_that_cannot_be_stored_is_not_promised() {
    let (upstream, mut redis) = (Upstream::start(), Redis::new());
    writes_session(&upstream, "/login", r#"{"user_id":"anna"}"#);
    let gateway = site(&upstream, "").redis(&redis).run();
    let mut browser = log_in(&gateway);
    redis.kill();

    for body in ["", "others=true", "everywhere=true"] {
        let answer = log_out(&mut browser, body);

        assert_eq!(answer.status(), 503, "{body}");
        assert!(browser.cookie("session_id").is_some(), "{body}");
    }
}

#[test]
fn logout_goes_on_at_the_provider_and_gives_its_tokens_back() {
    let portal = Portal::open();
    let mut browser = portal.log_in();
    let (tokens_before, mut stolen) = (portal.access_token(&mut browser), browser.clone());

    let answer = log_out(&mut browser, "redirect_path=/bye?x=1");

    let location = answer.header("location").unwrap();
    let end = format!("{}/session/end?", portal.provider.issuer());
    assert!(location.starts_with(&end), "{location}");
    for part in [
        "id_token_hint=ey",
        "client_id=gateway",
        "post_logout_redirect_uri=http%3A%2F%2Fgateway.test%2Flogout%2Fdone",
        "state=%2Fbye%3Fx%3D1",
    ] {
        assert!(location.contains(part), "{location}");
    }
    assert_eq!(
        user(&portal.upstream, &mut stolen),
        None,
        "over before the provider is asked"
    );
    let back = browser.get("/logout/done?state=%2Fbye%3Fx%3D1");
    assert_eq!(back.header("location").as_deref(), Some("/bye?x=1"));
    until("the tokens are given back", || {
        !portal.provider.calls("/token/revocation").is_empty()
    });
    assert!(tokens_before.is_some());
}

#[test]
fn logout_does_not_wait_for_a_provider_that_is_away() {
    let portal = Portal::open();
    let mut browser = portal.log_in();
    portal
        .provider
        .fault("/token/revocation", &json!({ "status": 503 }));

    let answer = browser.send(Request::post("/logout", "application/json", "{}"));

    assert_eq!(answer.status(), 200);
    assert_eq!(answer.json()["ended"], 1);
    let url = answer.json()["logoutUrl"].as_str().unwrap().to_owned();
    assert!(url.contains("/session/end?"), "{url}");
    assert_eq!(user(&portal.upstream, &mut browser), None);
}

/// A gateway whose people log in with a provider.
struct Portal {
    provider: Provider,
    gateway: Gateway,
    upstream: Upstream,
}

impl Portal {
    fn open() -> Self {
        let provider = Provider::start();
        provider.client(&json!({
            "redirect_uris": ["http://gateway.test/login/callback"],
            "post_logout_redirect_uris": ["http://gateway.test/logout/done"],
        }));
        let upstream = Upstream::start();
        let issuer = provider.issuer();
        let gateway = site(&upstream, "")
            .headers("X-User-Id: user_id, X-Token: token.access_token")
            .providers(&format!(
                "corporate: {{ issuer: '{issuer}', clientId: gateway, clientSecret: gateway-secret }}"
            ))
            .action("Login: { use: plugins.session.actions.LoginAction, config: { provider: corporate } }")
            .route("path: /login, middlewares: [Load], action: Login")
            .route("path: /login/callback, middlewares: [Load], action: Login")
            .route("path: /logout/done, middlewares: [Load], action: Logout")
            .run();
        Self {
            provider,
            gateway,
            upstream,
        }
    }

    fn log_in(&self) -> Browser {
        let mut browser = self.gateway.browser();
        let url = browser.get("/login").header("location").unwrap();
        let back = at_provider(&self.provider, &url, "anna");
        browser.get(&back);
        assert_eq!(user(&self.upstream, &mut browser).as_deref(), Some("anna"));
        browser
    }

    fn access_token(&self, browser: &mut Browser) -> Option<String> {
        browser.get("/who");
        self.upstream.last().header("x-token")
    }
}

fn door(config: &str) -> (Gateway, Upstream) {
    let upstream = Upstream::start();
    writes_session(&upstream, "/login", r#"{"user_id":"anna"}"#);
    (site(&upstream, config).run(), upstream)
}

fn site(upstream: &Upstream, config: &str) -> Site {
    Site::new(upstream)
        .action(&format!(
            "Logout: {{ use: plugins.session.actions.LogoutAction, config: {{ {config} }} }}"
        ))
        .route("path: /logout, middlewares: [Load], action: Logout")
}

fn log_in(gateway: &Gateway) -> Browser {
    let mut browser = gateway.browser();
    browser.get("/login");
    browser
}

/// Sends the form as a browser does from a page of this site.
fn log_out(browser: &mut Browser, body: &str) -> Message {
    let form = "application/x-www-form-urlencoded";
    browser.send(Request::post("/logout", form, body).header("Sec-Fetch-Site", "same-origin"))
}

/// Whom the service sees.
fn user(upstream: &Upstream, browser: &mut Browser) -> Option<String> {
    browser.get("/who");
    upstream.last().header("x-user-id")
}
