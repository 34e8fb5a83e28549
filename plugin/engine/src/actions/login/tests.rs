use std::fs;
use std::time::Duration;

use abi::handle::ActionHandle;
use abi::testing::{TestExchange, TestGateway, TestSession};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;
use crate::clock::ManualClock;
use crate::runtime::Runtime;
use crate::session::Timestamp;
use users::tests::{ARGON2ID, BCRYPT};

#[test]
fn program_with_the_right_password_gets_the_user() {
    let scene = Scene::new(json!({}));

    let exchange = scene.post(&json!({ "username": "anna", "password": PASSWORD }));

    assert_eq!(exchange.status(), Some(200));
    assert_eq!(body(&exchange), json!({ "user_id": "anna" }));
    assert_eq!(exchange.response_headers("cache-control"), ["no-store"]);
    assert_eq!(scene.user(), Some(json!("anna")));
    assert!(
        scene.session.is_regenerated(),
        "a new id, whatever came before"
    );
    assert_eq!(scene.session.handle().get("remember_me"), None);
}

#[test]
fn program_without_the_right_password_gets_401_and_nothing_happens() {
    let scene = Scene::new(json!({}));
    for (username, password) in [("anna", "wrong"), ("nobody", PASSWORD)] {
        let exchange = scene.post(&json!({ "username": username, "password": password }));

        assert_eq!(exchange.status(), Some(401));
        assert_eq!(body(&exchange), json!({ "error": "credentials" }));
    }
    assert!(scene.session.handle().keys().is_empty());
    assert!(!scene.session.is_regenerated());
}

#[test]
fn browser_with_the_right_password_goes_where_it_came_from() {
    let scene = Scene::new(json!({ "allowedReturnOrigins": ["https://app.test"] }));
    for (asked, location) in [
        ("/reports?year=2026", "/reports?year=2026"),
        ("https://app.test/a", "https://app.test/a"),
        ("http://gateway.test/b", "/b"),
        ("https://evil.test/", "/"),
        ("//evil.test", "/"),
        ("/\\evil.test", "/"),
        ("javascript:alert(1)", "/"),
        ("", "/"),
    ] {
        let fields = [
            ("username", "anna"),
            ("password", PASSWORD),
            ("redirect_path", asked),
        ];
        let exchange = scene.submit(&fields);

        assert_eq!(exchange.status(), Some(303), "{asked}");
        assert_eq!(exchange.response_headers("location"), [location], "{asked}");
    }
}

#[test]
fn browser_without_the_right_password_comes_back_and_keeps_its_target() {
    let scene = Scene::new(json!({}));
    let fields = [
        ("username", "anna"),
        ("password", "wrong"),
        ("redirect_path", "/a?b=c&d"),
    ];

    let exchange = scene.submit(&fields);

    assert_eq!(exchange.status(), Some(303));
    let location = exchange.response_headers("location")[0];
    assert_eq!(
        location,
        "?redirect_path=%2Fa%3Fb%3Dc%26d&error=credentials"
    );
    let page = scene.get(&format!("/login{location}"));
    let html = text(&page);
    assert!(html.contains("role=\"alert\">The user name or the password is wrong."));
    assert!(html.contains("name=\"redirect_path\" value=\"/a?b=c&amp;d\""));
    assert!(html.contains("<title>Error: Sign in</title>"));
    assert!(!html.contains("wrong\""), "what was typed is nowhere");
}

#[test]
fn remembering_is_asked_for_in_json_and_by_a_box() {
    for (value, remembered) in [("true", true), ("on", true), ("", false), ("false", false)] {
        let scene = Scene::new(json!({}));
        let fields = [
            ("username", "anna"),
            ("password", PASSWORD),
            ("remember_me", value),
        ];
        scene.submit(&fields);

        let expected = remembered.then_some(json!(true));
        assert_eq!(scene.session.handle().get("remember_me"), expected);
    }
    let scene = Scene::new(json!({}));
    scene.post(&json!({ "username": "anna", "password": PASSWORD, "remember_me": true }));
    assert_eq!(scene.session.handle().get("remember_me"), Some(json!(true)));

    scene.post(&json!({ "username": "anna", "password": PASSWORD }));
    assert_eq!(
        scene.session.handle().get("remember_me"),
        None,
        "the latest login counts"
    );
}

#[test]
fn visitor_keeps_what_was_gathered_and_another_user_gets_nothing_of_it() {
    let scene = Scene::with_session(json!({}), json!({ "cart": [1] }));
    scene.post(&json!({ "username": "anna", "password": PASSWORD }));
    assert_eq!(scene.session.handle().get("cart"), Some(json!([1])));

    scene.session.handle().set("token", json!({})).unwrap();
    scene.post(&json!({ "username": "anna", "password": PASSWORD }));
    assert_eq!(scene.session.handle().get("cart"), Some(json!([1])));
    assert_eq!(
        scene.session.handle().get("token"),
        None,
        "of another login"
    );

    scene.post(&json!({ "username": "bob", "password": PASSWORD }));
    assert_eq!(scene.session.handle().keys(), ["user_id"]);
    assert_eq!(scene.user(), Some(json!("bob")));
}

#[test]
fn another_site_logs_nobody_in() {
    let scene = Scene::new(json!({}));
    let fields = form(&[("username", "anna"), ("password", PASSWORD)]);
    for (name, value) in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "https://evil.test"),
        ("origin", "null"),
        ("referer", "https://evil.test/"),
        ("x-nothing", "at all"),
    ] {
        let exchange = scene.exchange("POST", "/login").with_header(name, value);
        let mut exchange = exchange
            .with_header("content-type", FORM)
            .with_body(fields.clone());

        let failure = exchange.call(&scene.action).unwrap_err();

        assert_eq!(failure.reason(), "cross-origin", "{name}: {value}");
    }
    assert_eq!(scene.user(), None);
}

#[test]
fn get_changes_nothing() {
    let scene = Scene::new(json!({}));

    scene.get(&format!("/login?username=anna&password={PASSWORD}"));

    assert!(scene.session.handle().keys().is_empty());
}

#[test]
fn guessing_has_to_wait_and_is_told_how_long() {
    let scene = Scene::new(json!({}));
    let wrong = json!({ "username": "anna", "password": "wrong" });
    for _ in 0..5 {
        assert_eq!(scene.post(&wrong).status(), Some(401));
    }

    let right = json!({ "username": "ANNA ", "password": PASSWORD });
    let exchange = scene.post(&right);
    assert_eq!(exchange.status(), Some(429));
    assert_eq!(exchange.response_headers("retry-after"), ["1"]);
    assert_eq!(
        body(&exchange),
        json!({ "error": "throttled", "retryAfter": 1 })
    );
    let exchange = scene.submit(&[("username", "anna"), ("password", PASSWORD)]);
    assert_eq!(
        exchange.response_headers("location"),
        ["?error=throttled&wait=1"]
    );
    let page = scene.get("/login?error=throttled&wait=1");
    assert!(text(&page).contains("Try again in 1 s."));

    scene.clock.advance(Duration::from_secs(1));
    let right = json!({ "username": "anna", "password": PASSWORD });
    assert_eq!(scene.post(&right).status(), Some(200));
    assert_eq!(scene.counted("done"), 1);
    assert_eq!(scene.counted("credentials"), 5);
    assert_eq!(scene.counted("throttled"), 2);
}

#[test]
fn request_that_asks_for_no_login_is_malformed() {
    let scene = Scene::new(json!({}));
    let long = "a".repeat(1025);
    let pair = |name: &str, password: &str| form(&[("username", name), ("password", password)]);
    for (kind, body) in [
        ("application/json", b"{}".to_vec()),
        ("application/json", b"[]".to_vec()),
        (
            "application/json",
            br#"{"username":["anna"],"password":"x"}"#.to_vec(),
        ),
        ("application/json", br#"{"username":"anna"}"#.to_vec()),
        ("text/plain", pair("anna", "x")),
        ("multipart/form-data", pair("anna", "x")),
        ("", pair("anna", "x")),
        (FORM, pair("", "x")),
        (FORM, pair("anna", "")),
        (FORM, pair("an\nna", "x")),
        (FORM, pair("anna", "x\0")),
        (FORM, pair("anna", &long)),
        (FORM, pair(&long, "x")),
        (FORM, b"username=anna&username=bob&password=x".to_vec()),
        (FORM, b"username=anna&password=x&password=y".to_vec()),
        (FORM, Vec::new()),
    ] {
        let mut exchange = scene
            .exchange("POST", "/login")
            .with_header("sec-fetch-site", "same-origin")
            .with_header("content-type", kind)
            .with_body(body.clone());

        let failure = exchange.call(&scene.action).unwrap_err();

        let body = String::from_utf8_lossy(&body).into_owned();
        assert_eq!(failure.reason(), "malformed-login", "{kind}: {body}");
    }
}

#[test]
fn page_says_what_it_is_told_to_say() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("de.yaml");
    fs::write(
        &file,
        "title: Anmelden\nusername: Benutzer\npassword: Kennwort\n",
    )
    .unwrap();
    let scene = Scene::new(json!({ "page": {
        "language": "de",
        "rememberMe": true,
        "messagesFile": file,
        "messages": { "username": "<Name>" },
    } }));

    let page = scene.get("/login");

    let html = text(&page);
    for part in [
        "<html lang=\"de\">",
        "<h1>Anmelden</h1>",
        "<label for=\"username\">&lt;Name&gt;</label>",
        "<label for=\"password\">Kennwort</label>",
        "<label for=\"remember_me\">Stay signed in on this device</label>",
    ] {
        assert!(html.contains(part), "{part} is not in {html}");
    }
    assert_eq!(page.response_headers("content-language"), ["de"]);
}

#[test]
fn page_of_somebody_who_is_logged_in_leads_on() {
    let scene = Scene::with_session(json!({}), json!({ "user_id": "<anna>" }));

    let html = text(&scene.get("/login?redirect_path=/reports"));

    assert!(html.contains("You are signed in as &lt;anna&gt;."));
    assert!(html.contains("<a href=\"/reports\">Continue</a>"));
}

#[test]
fn page_carries_no_target_that_leads_elsewhere() {
    let scene = Scene::with_session(json!({}), json!({ "user_id": "anna" }));
    for asked in ["//evil.test", "https://evil.test", "javascript:alert(1)"] {
        let html = text(&scene.get(&format!("/login?redirect_path={asked}")));

        assert!(!html.contains("evil") && !html.contains("alert("), "{html}");
        assert!(html.contains("<a href=\"/\">"));
    }
}

#[test]
fn without_a_page_only_programs_log_in() {
    let scene = Scene::new(json!({ "page": "none" }));

    let exchange = scene.get("/login");
    assert_eq!(exchange.status(), Some(405));
    assert_eq!(exchange.response_headers("allow"), ["POST"]);

    let exchange = scene.post(&json!({ "username": "bob", "password": PASSWORD }));
    assert_eq!(exchange.status(), Some(200));
}

#[test]
fn other_methods_are_answered_with_those_that_work() {
    let scene = Scene::new(json!({}));
    let mut exchange = scene.exchange("DELETE", "/login");

    exchange.call(&scene.action).unwrap();

    assert_eq!(exchange.status(), Some(405));
    assert_eq!(exchange.response_headers("allow"), ["GET, HEAD, POST"]);
}

#[test]
fn login_without_a_session_is_a_fault_of_the_route() {
    let scene = Scene::new(json!({}));
    let mut exchange = scene
        .gateway
        .exchange("POST", "/login")
        .with_header("content-type", "application/json")
        .with_body(json!({ "username": "anna", "password": PASSWORD }).to_string());

    let failure = exchange.call(&scene.action).unwrap_err();

    assert!(failure.message().contains("LoadSessionMiddleware"));
}

#[test]
fn everything_that_is_wrong_is_said_at_once() {
    let config = json!({
        "usersFile": "/nonexistent/users",
        "principal": "",
        "returnParameter": "",
        "returnTo": "//evil.test",
        "allowedReturnOrigins": ["https://app.test", "app.test", "https://*.com"],
        "page": { "language": "german!", "themeFile": "/nonexistent/css", "messagesFile": "/nonexistent/yaml", "messages": { "titel": "" } },
    });

    let faults = Scene::faults(config);

    let paths: Vec<_> = faults.iter().map(|fault| fault.path.clone()).collect();
    assert_eq!(
        paths,
        [
            "principal",
            "usersFile",
            "returnParameter",
            "allowedReturnOrigins[1]",
            "allowedReturnOrigins[2]",
            "returnTo",
            "page.language",
            "page.messagesFile",
            "page.messages.titel",
            "page.themeFile",
        ]
    );
    assert_eq!(
        Scene::faults(json!({})).to_string(),
        "nobody can log in; name a `usersFile`, a `provider` or a `passwordGrant`"
    );
}

#[test]
fn page_offers_the_providers_that_are_shown_in_their_order() {
    let scene = Scene::new(json!({ "provider": ["corporate", "partners", "hidden"] }));

    let html = text(&scene.get("/login?redirect_path=/a?b=c"));

    let partners = "<a class=\"button quiet\" href=\"?redirect_path=%2Fa%3Fb%3Dc&amp;provider=partners\">Continue with partners</a>";
    let corporate =
        "href=\"?redirect_path=%2Fa%3Fb%3Dc&amp;provider=corporate\">Continue with Corporate</a>";
    let places = [partners, corporate].map(|part| html.find(part).unwrap());
    assert!(places[0] < places[1], "by priority: {html}");
    assert!(html.contains("<p class=\"or\">or</p>"));
    assert!(!html.contains("hidden.test") && !html.contains("provider=hidden"));
}

#[test]
fn browser_that_comes_back_without_an_attempt_of_its_own_is_logged_in_by_nobody() {
    let scene = Scene::new(json!({ "provider": "corporate" }));
    for query in [
        "",
        "?code=c",
        "?state=s",
        "?state=s&code=c",
        "?state=s&state=t&code=c",
        "?error=access_denied",
        "?state=&code=c",
    ] {
        let exchange = scene.get(&format!("/login/callback{query}"));

        assert_eq!(exchange.status(), Some(303), "{query}");
        assert_eq!(
            exchange.response_headers("location"),
            ["/login?error=expired"]
        );
    }
    assert_eq!(scene.user(), None);
    let html = text(&scene.get("/login?error=expired"));
    assert!(html.contains("begun in another browser"), "{html}");
}

#[test]
fn provider_that_cannot_be_asked_costs_the_login_and_not_the_place() {
    let scene = Scene::new(json!({ "provider": "corporate" }));

    let exchange = scene.get("/login?provider=corporate&redirect_path=/a");

    assert_eq!(
        exchange.response_headers("location"),
        ["/login?redirect_path=%2Fa&error=unavailable"]
    );
    assert_eq!(exchange.response_headers("set-cookie"), [""; 0]);
}

#[test]
fn what_is_wrong_about_providers_is_said() {
    for (config, fault) in [
        (
            json!({ "provider": "corporatee" }),
            "provider: no provider is called `corporatee`",
        ),
        (
            json!({ "provider": ["corporate", "x"] }),
            "provider[1]: no provider is called `x`",
        ),
        (json!({ "provider": [] }), "provider: expected a name"),
        (
            json!({ "passwordGrant": { "provider": "x" } }),
            "passwordGrant.provider: no provider is called `x`",
        ),
        (
            json!({ "passwordGrant": { "provider": "corporate" }, "usersFile": "/x" }),
            "passwordGrant: cannot be given together with usersFile",
        ),
        (
            json!({ "provider": "corporate", "redirectUri": "/login/callback" }),
            "redirectUri: `/login/callback` is not where browsers come back to",
        ),
        (
            json!({ "provider": "corporate", "redirectUri": "https://a.test/login" }),
            "redirectUri: `https://a.test/login` is not where",
        ),
    ] {
        let faults = Scene::faults(config).to_string();

        assert!(faults.contains(fault), "{faults}");
    }
}

struct Scene {
    gateway: TestGateway,
    action: ActionHandle,
    session: TestSession,
    clock: Arc<ManualClock>,
    _directory: TempDir,
}

impl Scene {
    fn new(config: Value) -> Self {
        Self::with_session(config, json!({}))
    }

    fn with_session(mut config: Value, attributes: Value) -> Self {
        let directory = TempDir::new().unwrap();
        let users = directory.path().join("users");
        fs::write(&users, format!("anna:{ARGON2ID}\nbob:{BCRYPT}\n")).unwrap();
        config["usersFile"] = json!(users);
        let gateway = TestGateway::new();
        let clock = Arc::new(ManualClock::new(Timestamp::from_millis(1_700_000_000_000)));
        let config = serde_json::from_value(config).unwrap();
        let providers = providers(&gateway);
        let made = LoginAction::new(
            &config,
            (&providers, Arc::default()),
            clock.clone(),
            &gateway.services(),
        );
        let action = made.unwrap();
        Self {
            action: ActionHandle::new(action),
            gateway,
            session: TestSession::new(attributes),
            clock,
            _directory: directory,
        }
    }

    fn faults(config: Value) -> Faults {
        let config = serde_json::from_value(config).unwrap();
        let clock = Arc::new(ManualClock::new(Timestamp::default()));
        let gateway = TestGateway::new();
        let providers = providers(&gateway);
        let made = LoginAction::new(
            &config,
            (&providers, Arc::default()),
            clock,
            &gateway.services(),
        );
        made.err().unwrap()
    }

    fn exchange(&self, method: &str, target: &str) -> TestExchange {
        let exchange = self.gateway.exchange(method, target);
        exchange.with_session(self.session.handle())
    }

    fn get(&self, target: &str) -> TestExchange {
        let mut exchange = self.exchange("GET", target);
        exchange.call(&self.action).unwrap();
        exchange
    }

    fn post(&self, json: &Value) -> TestExchange {
        let mut exchange = self
            .exchange("POST", "/login")
            .with_header("content-type", "application/json")
            .with_body(json.to_string());
        exchange.call(&self.action).unwrap();
        exchange
    }

    fn submit(&self, fields: &[(&str, &str)]) -> TestExchange {
        let mut exchange = self
            .exchange("POST", "/login")
            .with_header("content-type", FORM)
            .with_header("origin", "http://gateway.test")
            .with_body(form(fields));
        exchange.call(&self.action).unwrap();
        exchange
    }

    fn user(&self) -> Option<Value> {
        self.session.handle().get("user_id")
    }

    fn counted(&self, outcome: &str) -> u64 {
        let labels = format!("outcome={outcome}");
        self.gateway.counter("session_logins_total", &labels)
    }
}

/// None of them is there.
fn providers(gateway: &TestGateway) -> Providers {
    let config = json!({
        "corporate": { "issuer": "https://corporate.test", "clientId": "gateway", "clientSecret": "s", "title": "Corporate", "priority": 1 },
        "partners": { "issuer": "https://partners.test", "clientId": "gateway", "clientSecret": "s" },
        "hidden": { "issuer": "https://hidden.test", "clientId": "gateway", "clientSecret": "s", "hide": true },
    });
    let config = serde_json::from_value(config).unwrap();
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::new(Timestamp::default()));
    let desk = (clock, Arc::new(Runtime::default()));
    Providers::new(config, desk, &gateway.services()).unwrap()
}

fn form(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(fields).finish().into_bytes()
}

fn body(exchange: &TestExchange) -> Value {
    serde_json::from_slice(exchange.response_body()).unwrap()
}

fn text(exchange: &TestExchange) -> String {
    String::from_utf8(exchange.response_body().to_vec()).unwrap()
}

const FORM: &str = "application/x-www-form-urlencoded";
const PASSWORD: &str = "correct horse";
