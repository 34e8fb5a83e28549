//! Logins with a real provider.

use e2e::{Browser, Gateway, Message, Provider, Request, Site, Upstream};
use serde_json::json;

use crate::anna::writes_session;

/// A gateway whose people log in with a provider.
struct Portal {
    provider: Provider,
    gateway: Gateway,
    upstream: Upstream,
}

impl Portal {
    fn open(login: &str) -> Self {
        Self::with(
            login,
            "clientSecret: gateway-secret, scopes: [openid, email]",
        )
    }

    fn with(login: &str, keys: &str) -> Self {
        let provider = Provider::start();
        provider.client(&json!({ "redirect_uris": [CALLBACK] }));
        let upstream = Upstream::start();
        let gateway = site(&upstream, &provider, login, keys).run();
        Self {
            provider,
            gateway,
            upstream,
        }
    }

    /// Begins a login and says where at the provider it goes on.
    fn begin(&self, browser: &mut Browser, target: &str) -> String {
        let answer = browser.get(target);
        let location = answer.header("location").unwrap_or_default();
        assert_eq!(answer.status(), 303, "{}", answer.text());
        assert!(location.starts_with(self.provider.issuer()), "{location}");
        location
    }

    fn user(&self, browser: &mut Browser) -> Option<String> {
        browser.get("/who");
        self.upstream.last().header("x-user-id")
    }
}

fn site(upstream: &Upstream, provider: &Provider, login: &str, keys: &str) -> Site {
    let issuer = provider.issuer();
    Site::new(upstream)
        .headers("X-User-Id: user_id, X-Email: email, X-Name: name, X-Token: token.access_token, X-Cart: cart")
        .providers(&format!(
            "corporate: {{ issuer: '{issuer}', clientId: gateway, {keys}, claims: {{ email: email, name: name }} }}"
        ))
        .action(&format!(
            "Login: {{ use: plugins.session.actions.LoginAction, config: {{ provider: corporate, {login} }} }}"
        ))
        .route("path: /login, middlewares: [Load], action: Login")
        .route("path: /login/callback, middlewares: [Load], action: Login")
}

#[test]
fn user_of_the_provider_logs_in_and_the_service_sees_what_the_provider_says() {
    let portal = Portal::open("");
    let mut browser = portal.gateway.browser();

    let url = portal.begin(&mut browser, "/login?redirect_path=/reports?year=2026");
    let back = at_provider(&portal.provider, &url, "anna");
    let answer = browser.get(&back);

    assert_eq!(answer.status(), 303, "{}", answer.text());
    assert_eq!(
        answer.header("location").as_deref(),
        Some("/reports?year=2026")
    );
    assert_eq!(portal.user(&mut browser).as_deref(), Some("anna"));
    let seen = portal.upstream.last();
    assert_eq!(seen.header("x-email").as_deref(), Some("anna@example.test"));
    assert!(seen.header("x-token").unwrap().starts_with("ey"));
    let parameters = |name: &str| parameter(&url, name);
    assert_eq!(parameters("code_challenge_method").as_deref(), Some("S256"));
    assert_eq!(parameters("redirect_uri").as_deref(), Some(CALLBACK));
    assert_eq!(parameters("state").unwrap().len(), 43);
    assert_eq!(parameters("nonce").unwrap().len(), 43);
    let attempt = browser.get("/login/callback?state=x").header("set-cookie");
    assert_eq!(attempt, None, "the attempt is over, and its cookie gone");
}

#[test]
fn logins_in_several_tabs_do_not_disturb_each_other() {
    let portal = Portal::open("");
    let mut browser = portal.gateway.browser();
    let urls: Vec<_> = ["/a", "/b", "/c"]
        .map(|path| portal.begin(&mut browser, &format!("/login?redirect_path={path}")))
        .into();

    let mut locations = Vec::new();
    for url in urls.iter().rev() {
        let back = at_provider(&portal.provider, url, "anna");
        locations.push(browser.get(&back).header("location").unwrap());
    }

    assert_eq!(locations, ["/c", "/b", "/a"]);
    assert_eq!(portal.user(&mut browser).as_deref(), Some("anna"));
}

#[test]
fn attempts_that_are_never_ended_do_not_pile_up() {
    let portal = Portal::open("");
    let mut browser = portal.gateway.browser();
    let mut cookies = Vec::new();
    for _ in 0..30 {
        let answer = browser.get("/login");
        cookies.extend(answer.values("set-cookie"));
    }

    let set = cookies.iter().filter(|line| !line.contains("Max-Age=0"));
    let gone = cookies.iter().filter(|line| line.contains("Max-Age=0"));
    assert_eq!((set.count(), gone.count()), (30, 22), "eight are left");
    for line in &cookies {
        assert!(
            line.contains("; HttpOnly; SameSite=Lax; Path=/login; Max-Age="),
            "{line}"
        );
    }
    let url = portal.begin(&mut browser, "/login?redirect_path=/last");
    let back = at_provider(&portal.provider, &url, "anna");
    assert_eq!(
        browser.get(&back).header("location").as_deref(),
        Some("/last")
    );
}

#[test]
fn answer_is_good_once_and_only_in_the_browser_that_asked() {
    let portal = Portal::open("");
    let mut browser = portal.gateway.browser();
    let url = portal.begin(&mut browser, "/login");
    let back = at_provider(&portal.provider, &url, "anna");
    let mut other = portal.gateway.browser();
    // One that has an attempt of its own.
    portal.begin(&mut other, "/login");

    let elsewhere = other.get(&back);
    let first = browser.get(&back);
    let again = browser.get(&back);

    let expired = "/login?error=expired";
    assert_eq!(elsewhere.header("location").as_deref(), Some(expired));
    assert_eq!(portal.user(&mut other), None);
    assert_eq!(first.header("location").as_deref(), Some("/"));
    assert_eq!(again.header("location").as_deref(), Some(expired));
    assert_eq!(portal.user(&mut browser).as_deref(), Some("anna"));
}

#[test]
fn answer_with_another_state_or_of_another_issuer_logs_nobody_in() {
    let portal = Portal::open("");
    for (from, to, location) in [
        ("state=", "state=A", "/login?error=expired"),
        ("iss=", "iss=x", "/login?error=refused"),
        ("iss=", "kiss=", "/login?error=refused"),
        ("code=", "code=x", "/login?error=refused"),
        ("code=", "kode=", "/login?error=refused"),
        ("code=", "code=1&code=", "/login?error=expired"),
    ] {
        let mut browser = portal.gateway.browser();
        let url = portal.begin(&mut browser, "/login");
        let back = at_provider(&portal.provider, &url, "anna");
        assert!(back.contains("iss="), "{back}");

        let answer = browser.get(&back.replacen(from, to, 1));

        assert_eq!(answer.header("location").as_deref(), Some(location), "{to}");
        assert_eq!(portal.user(&mut browser), None, "{to}");
    }
}

#[test]
fn refusal_of_the_provider_is_shown_in_our_words() {
    let portal = Portal::open("");
    let mut browser = portal.gateway.browser();
    let url = portal.begin(&mut browser, "/login?redirect_path=/a");
    let state = parameter(&url, "state").unwrap();

    let answer = browser.get(&format!(
        "/login/callback?state={state}&error=access_denied&error_description=%3Cscript%3Ealert(1)%3C/script%3E"
    ));

    let location = answer.header("location").unwrap();
    assert_eq!(location, "/login?redirect_path=%2Fa&error=refused");
    let page = browser.get(&location);
    assert_eq!(page.status(), 200, "not to the provider again at once");
    assert!(page.text().contains("Signing in was cancelled or refused."));
    assert!(!page.text().contains("alert(1)") && !portal.gateway.log().contains("alert(1)"));
    assert!(page.text().contains("Continue with corporate"));
}

#[test]
fn provider_that_is_away_logs_nobody_in_and_says_so() {
    let portal = Portal::open("");
    let mut browser = portal.gateway.browser();
    let url = portal.begin(&mut browser, "/login?redirect_path=/a");
    let back = at_provider(&portal.provider, &url, "anna");
    portal
        .provider
        .fault("/token", &json!({ "status": 503, "times": 1 }));

    let answer = browser.get(&back);

    assert_eq!(
        answer.header("location").as_deref(),
        Some("/login?redirect_path=%2Fa&error=unavailable")
    );
    assert_eq!(portal.user(&mut browser), None);
    portal.gateway.logged("came to nothing");
}

#[test]
fn id_that_was_known_before_the_login_is_worth_nothing_after_it() {
    let portal = Portal::open("");
    let mut victim = portal.gateway.browser();
    writes_session(&portal.upstream, "/shop", r#"{"cart":"full"}"#);
    victim.get("/shop");
    let mut thief = victim.clone();

    let url = portal.begin(&mut victim, "/login");
    let back = at_provider(&portal.provider, &url, "anna");
    victim.get(&back);

    assert_ne!(victim.cookie("session_id"), thief.cookie("session_id"));
    assert_eq!(portal.user(&mut thief), None);
    assert_eq!(portal.user(&mut victim).as_deref(), Some("anna"));
    let cart = portal.upstream.last().header("x-cart");
    assert_eq!(
        cart.as_deref(),
        Some("full"),
        "what was gathered goes along"
    );
}

#[test]
fn host_that_nobody_vouches_for_is_nowhere_to_come_back_to() {
    let portal = Portal::open("");
    let request = Request::get("/login")
        .header("X-Forwarded-Host", "evil.test")
        .header("X-Forwarded-Proto", "https")
        .header("Forwarded", "host=evil.test");

    let answer = portal.gateway.browser().send(request);

    let url = answer.header("location").unwrap();
    assert_eq!(parameter(&url, "redirect_uri").as_deref(), Some(CALLBACK));
    let fixed = "redirectUri: 'https://login.example.test/login/callback'";
    let portal = Portal::open(fixed);
    let answer = portal.gateway.browser().get("/login");
    let url = answer.header("location").unwrap();
    assert_eq!(
        parameter(&url, "redirect_uri").as_deref(),
        Some("https://login.example.test/login/callback")
    );
}

#[test]
fn login_that_began_at_one_gateway_ends_at_another() {
    let portal = Portal::open("");
    let other = site(
        &portal.upstream,
        &portal.provider,
        "",
        "clientSecret: gateway-secret, scopes: [openid, email]",
    );
    let other = other.run();
    let mut browser = portal.gateway.browser();
    let url = portal.begin(&mut browser, "/login?redirect_path=/a");
    let back = at_provider(&portal.provider, &url, "anna");

    let mut there = browser.at(other.address());
    let answer = there.get(&back);

    assert_eq!(answer.header("location").as_deref(), Some("/a"));
    there.get("/who");
    let user = portal.upstream.last().header("x-user-id");
    assert_eq!(user.as_deref(), Some("anna"));
}

#[test]
fn password_that_the_provider_knows_logs_in_and_another_does_not() {
    let provider = Provider::start();
    let upstream = Upstream::start();
    let issuer = provider.issuer();
    let gateway = Site::new(&upstream)
        .headers("X-User-Id: user_id, X-Token: token.access_token")
        .providers(&format!(
            "corporate: {{ issuer: '{issuer}', clientId: gateway, clientSecret: gateway-secret }}"
        ))
        .action("Login: { use: plugins.session.actions.LoginAction, config: { passwordGrant: { provider: corporate } } }")
        .route("path: /login, middlewares: [Load], action: Login")
        .run();
    let log_in = |browser: &mut Browser, password: &str| {
        let body = json!({ "username": "anna", "password": password }).to_string();
        browser.send(Request::post("/login", "application/json", &body))
    };
    let mut browser = gateway.browser();

    let wrong = log_in(&mut browser, "wrong");
    provider.fault("/token", &json!({ "status": 503, "times": 1 }));
    let away = log_in(&mut browser, "secret");
    let right = log_in(&mut browser, "secret");

    assert_eq!(
        (wrong.status(), away.status(), right.status()),
        (401, 503, 200)
    );
    assert_eq!(
        right.json(),
        json!({ "user_id": "anna" }),
        "without the tokens"
    );
    browser.get("/who");
    assert_eq!(upstream.last().header("x-user-id").as_deref(), Some("anna"));
    assert!(upstream.last().header("x-token").is_some());
}

/// Goes through the provider's own pages as a person does, and says where they lead in the end: path and query.
pub(crate) fn at_provider(provider: &Provider, url: &str, user: &str) -> String {
    enter_at_provider(&mut Browser::new(provider.address()), url, user)
}

/// The same with a browser that stays logged in there.
pub(crate) fn enter_at_provider(browser: &mut Browser, url: &str, user: &str) -> String {
    let mut answer = browser.get(path(url));
    for _ in 0..12 {
        let location = answer.header("location");
        answer = match location {
            Some(location) if location.starts_with(CALLBACK) => return path(&location).to_owned(),
            Some(location) => browser.get(path(&location)),
            None => submit_at_provider(browser, &answer, user),
        };
    }
    panic!("the provider leads nowhere: {}", answer.text());
}

fn submit_at_provider(browser: &mut Browser, page: &Message, user: &str) -> Message {
    let html = page.text();
    let action = html.split("action=\"").nth(1);
    let action = action.and_then(|rest| rest.split('"').next());
    let action = action.unwrap_or_else(|| panic!("no form: {} {html}", page.status()));
    let body = match html.contains("name=\"login\"") {
        true => format!("prompt=login&login={user}&password=any"),
        false => "prompt=consent".to_owned(),
    };
    let form = "application/x-www-form-urlencoded";
    browser.send(Request::post(path(action), form, &body))
}

/// From the first single slash on.
fn path(url: &str) -> &str {
    match url.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("/", |at| &rest[at..]),
        None => url,
    }
}

fn parameter(url: &str, name: &str) -> Option<String> {
    let (_, query) = url.split_once('?')?;
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.find(|(known, _)| *known == name)?;
    let value = value.replace("%3A", ":").replace("%2F", "/");
    Some(value)
}

const CALLBACK: &str = "http://gateway.test/login/callback";
