//! Who is sent to log in, who is told, and where the way back leads.

use abi::failure::Kind;
use abi::handle::MiddlewareHandle;
use abi::testing::{TestExchange, TestGateway, TestSession, TestSessionStore};
use serde_json::{Value, json};

use super::*;
use crate::clock::{Clock, SystemClock};
use crate::tokens::{Providers, ProvidersConfig, Refresher};

const PAGE: &[(&str, &str)] = &[("Accept", "text/html,*/*;q=0.8")];

#[test]
fn what_a_browser_says_about_itself_counts_alone() {
    for (mode, status) in [
        ("navigate", 302),
        ("Navigate", 302),
        ("cors", 401),
        ("no-cors", 401),
        ("same-origin", 401),
        ("websocket", 401),
        ("nonsense", 401),
        ("", 401),
    ] {
        for others in [
            &[][..],
            PAGE,
            &[("Accept", "application/json")],
            &[("X-Requested-With", "XMLHttpRequest")],
        ] {
            let headers = [&[("Sec-Fetch-Mode", mode)], others].concat();

            let answer = Door::new(json!({})).ask("GET", "/app", &headers);

            assert_eq!(answer.status(), Some(status), "{headers:?}");
        }
    }
}

#[test]
fn who_says_nothing_is_known_by_what_it_takes() {
    for (headers, status) in [
        (&[("Accept", "text/html")][..], 302),
        (&[("Accept", "application/xhtml+xml;q=0.9")], 302),
        (&[("Accept", "image/webp, Text/HTML ; q=0.5")], 302),
        (&[("Accept", "image/webp"), ("Accept", "text/html")], 302),
        (&[("Accept", "*/*")], 401),
        (&[("Accept", "text/*")], 401),
        (&[("Accept", "text/htmlx")], 401),
        (&[("Accept", "application/json")], 401),
        (&[], 401),
        (
            &[
                ("Accept", "text/html"),
                ("X-Requested-With", "XMLHttpRequest"),
            ],
            401,
        ),
        (
            &[
                ("Accept", "text/html"),
                ("X-Requested-With", " xmlhttprequest "),
            ],
            401,
        ),
        (
            &[
                ("Accept", "text/html"),
                ("X-Requested-With", "com.example.app"),
            ],
            302,
        ),
        (
            &[
                ("Accept", "text/html"),
                ("Upgrade", "websocket"),
                ("Connection", "Upgrade"),
            ],
            401,
        ),
    ] {
        let answer = Door::new(json!({})).ask("GET", "/app", headers);

        assert_eq!(answer.status(), Some(status), "{headers:?}");
    }
}

#[test]
fn what_cannot_be_sent_again_goes_on_as_a_get() {
    for (method, status) in [
        ("GET", 302),
        ("HEAD", 302),
        ("POST", 303),
        ("PUT", 303),
        ("PATCH", 303),
        ("DELETE", 303),
    ] {
        let answer = Door::new(json!({})).ask(method, "/app", PAGE);

        assert_eq!(answer.status(), Some(status), "{method}");
        assert_eq!(
            answer.response_headers("location"),
            ["/login/?redirect_path=%2Fapp"]
        );
        assert_eq!(answer.response_headers("cache-control"), ["no-store"]);
        assert_eq!(answer.response_body(), b"");
    }
}

#[test]
fn programs_are_told_with_the_configured_status() {
    for (status, error) in [
        (401, "Unauthorized"),
        (407, "Proxy Authentication Required"),
    ] {
        let door = Door::new(json!({ "unauthenticatedStatus": status }));

        let answer = door.ask("POST", "/app?a=1", &[("Accept", "application/json")]);

        assert_eq!(answer.status(), Some(status));
        let body: Value = serde_json::from_slice(answer.response_body()).unwrap();
        let login = "/login/?redirect_path=%2Fapp%3Fa%3D1";
        assert_eq!(
            body,
            json!({ "error": error, "reason": "no-session", "login": login })
        );
        assert!(answer.response_headers("location").is_empty());
        // There is nothing that a program could send in `Authorization`.
        assert!(answer.response_headers("www-authenticate").is_empty());
        let page = door.ask("GET", "/app", PAGE);
        assert_eq!(page.status(), Some(302), "browsers are sent as ever");
    }
}

#[test]
fn with_disable_redirect_browsers_are_told_too() {
    let door = Door::new(json!({}));
    let asked = door.gateway.exchange("GET", "/app");
    let asked = asked.with_header("Sec-Fetch-Mode", "navigate");

    let nobody = TestSession::new(json!({}));
    let asked = asked.with_session(nobody.handle());

    let answer = door.answer(asked.with_flag("disable_redirect"));

    assert_eq!(answer.status(), Some(407));
    assert!(answer.response_headers("location").is_empty());
}

#[test]
fn the_way_back_is_the_whole_target_written_once_as_one_value() {
    for (target, location) in [
        ("/app", "/login/?redirect_path=%2Fapp"),
        (
            "/app?a=1&b=%2F#x",
            "/login/?redirect_path=%2Fapp%3Fa%3D1%26b%3D%252F%23x",
        ),
        (
            "/app?redirect_path=//evil.test",
            "/login/?redirect_path=%2Fapp%3Fredirect_path%3D%2F%2Fevil.test",
        ),
        ("/", "/login/"),
    ] {
        let answer = Door::new(json!({})).ask("GET", target, PAGE);

        assert_eq!(answer.response_headers("location"), [location], "{target}");
    }
}

#[test]
fn the_way_back_joins_the_query_of_the_page_under_the_configured_name() {
    let door = Door::new(json!({ "loginPath": "/enter?lang=en", "returnParameter": "rd" }));

    let answer = door.ask("GET", "/app", PAGE);

    assert_eq!(
        answer.response_headers("location"),
        ["/enter?lang=en&rd=%2Fapp"]
    );
}

#[test]
fn a_page_elsewhere_is_told_of_no_host_that_nobody_has_allowed() {
    let door = Door::new(json!({
        "loginPath": "https://login.example.com/",
        "allowedReturnOrigins": ["http://app.example.com"],
    }));
    for (host, location) in [
        (
            "app.example.com",
            "https://login.example.com/?redirect_path=http%3A%2F%2Fapp.example.com%2Fapp",
        ),
        ("evil.test", "https://login.example.com/"),
        ("app.example.com.evil.test", "https://login.example.com/"),
        ("app.example.com:8080", "https://login.example.com/"),
    ] {
        let answer = door.ask("GET", "/app", &[PAGE, &[("Host", host)]].concat());

        assert_eq!(answer.response_headers("location"), [location], "{host}");
    }
}

#[test]
fn the_login_page_behind_its_own_door_is_no_circle() {
    for (login, target) in [
        ("/login/", "/login/"),
        ("/login/", "/login/?redirect_path=%2Fapp"),
        ("/login/?lang=en", "/login/"),
        ("/lo%67in", "/login"),
    ] {
        let door = Door::new(json!({ "loginPath": login }));

        let answer = door.ask("GET", target, PAGE);

        assert_eq!(answer.status(), Some(401), "{login}, {target}");
        assert!(answer.response_headers("location").is_empty());
        let body: Value = serde_json::from_slice(answer.response_body()).unwrap();
        assert_eq!(body.get("login"), None);
    }
}

#[test]
fn a_session_that_belongs_to_somebody_passes_and_one_of_nobody_does_not() {
    let (store, door) = (TestSessionStore::default(), Door::new(json!({})));
    let session = store.log_in("anna");
    let asked = door.gateway.exchange("GET", "/app");

    let answer = door.answer(asked.with_session(session.handle()));

    assert_eq!(answer.status(), Some(200));
    assert_eq!(door.ask("GET", "/app", &[]).status(), Some(401));
}

#[test]
fn without_a_session_middleware_before_it_nobody_passes() {
    let door = Door::new(json!({}));
    let mut asked = door.gateway.exchange("GET", "/app");

    let failure = asked.run(&door.middleware, 200).unwrap_err();

    assert_eq!(failure.kind(), Kind::INTERNAL);
}

/// A middleware, and somebody without a session before it.
struct Door {
    gateway: TestGateway,
    middleware: MiddlewareHandle,
}

impl Door {
    fn new(config: Value) -> Self {
        let gateway = TestGateway::new();
        let services = gateway.services();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let threads = (clock, Arc::default());
        let providers = Providers::new(ProvidersConfig::default(), threads, &services).unwrap();
        let desk = TokenDesk {
            refresher: &Arc::new(Refresher::new(Arc::clone(providers.runtime()), &services)),
            providers: &Arc::new(providers),
            keepers: &Arc::default(),
        };
        let config = serde_json::from_value(config).unwrap();
        let entry = Entry { name: "Require" };
        let middleware = RequireSessionMiddleware::new(entry, &config, desk, &services);
        Self {
            middleware: MiddlewareHandle::new(middleware.unwrap()),
            gateway,
        }
    }

    fn ask(&self, method: &str, target: &str, headers: &[(&str, &str)]) -> TestExchange {
        let nobody = TestSession::new(json!({ "basket": [1] }));
        let asked = self.gateway.exchange(method, target);
        let asked = headers
            .iter()
            .fold(asked, |asked, (name, value)| asked.with_header(name, value));
        self.answer(asked.with_session(nobody.handle()))
    }

    fn answer(&self, mut asked: TestExchange) -> TestExchange {
        asked.run(&self.middleware, 200).unwrap();
        asked
    }
}
