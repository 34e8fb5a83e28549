//! The action over a store of the tests. What it does with a real one is in `tests/e2e/own_sessions`.

use abi::failure::Kind;
use abi::handle::ActionHandle;
use abi::testing::{TestExchange, TestGateway, TestSession, TestSessionStore};
use serde_json::Value;

use super::*;

#[test]
fn sessions_of_the_user_are_listed_and_the_current_one_is_marked() {
    let desk = Desk::new();
    let (phone, _) = (desk.store.log_in("anna"), desk.store.log_in("ben"));
    let laptop = desk.store.log_in("anna");

    let listed = json_of(&desk.ask("GET", "/sessions", &phone));

    let expected = json!({
        "sessions": [
            {
                "id": laptop.handle().handle(),
                "current": false,
                "createdAt": "1970-01-01T00:00:03Z",
                "lastSeenAt": "1970-01-01T00:00:03Z",
                "expiresAt": "1970-01-01T01:00:03Z",
                "ip": null,
                "userAgent": null,
            },
            {
                "id": phone.handle().handle(),
                "current": true,
                "createdAt": "1970-01-01T00:00:01Z",
                "lastSeenAt": "1970-01-01T00:00:01Z",
                "expiresAt": "1970-01-01T01:00:01Z",
                "ip": null,
                "userAgent": null,
            },
        ],
        "total": 2,
    });
    assert_eq!(listed, expected);
}

#[test]
fn part_of_the_list_says_how_many_there_are() {
    let desk = Desk::new();
    let sessions = [(); 5].map(|()| desk.store.log_in("anna"));

    let part = json_of(&desk.ask("GET", "/sessions?limit=2&offset=1", &sessions[0]));
    let beyond = json_of(&desk.ask("GET", "/sessions?offset=9", &sessions[0]));
    let wrong = desk.ask("GET", "/sessions?limit=0", &sessions[0]);

    let ids = part["sessions"].as_array().unwrap().iter();
    let ids: Vec<_> = ids.map(|session| session["id"].clone()).collect();
    assert_eq!(
        (ids, &part["total"]),
        (vec![json!("login-4"), json!("login-3")], &json!(5))
    );
    assert_eq!(beyond, json!({ "sessions": [], "total": 5 }));
    assert_eq!(wrong.status(), Some(400));
}

#[test]
fn session_of_somebody_else_is_as_unknown_as_one_that_never_was() {
    let desk = Desk::new();
    let (anna, ben) = (desk.store.log_in("anna"), desk.store.log_in("ben"));
    let bens = ben.handle().handle().unwrap();

    for method in ["GET", "DELETE"] {
        let others = desk.ask_one(method, &bens, &anna);
        let nobodys = desk.ask_one(method, "0123456789abcdef", &anna);

        assert_eq!((others.status(), nobodys.status()), (Some(404), Some(404)));
        assert_eq!(json_of(&others), json_of(&nobodys));
    }
    assert_eq!(desk.store.handles("ben"), [bens]);
}

#[test]
fn one_session_is_ended_once() {
    let desk = Desk::new();
    let (here, there) = (desk.store.log_in("anna"), desk.store.log_in("anna"));
    let handle = there.handle().handle().unwrap();

    let statuses = [(); 2].map(|()| desk.ask_one("DELETE", &handle, &here).status());

    assert_eq!(statuses, [Some(204), Some(404)]);
    assert_eq!(
        desk.store.handles("anna"),
        [here.handle().handle().unwrap()]
    );
}

#[test]
fn ending_the_current_session_is_a_logout() {
    let desk = Desk::new();
    let here = desk.store.log_in("anna");

    let ended = desk.ask_one("DELETE", &here.handle().handle().unwrap(), &here);

    assert_eq!(ended.status(), Some(204));
    assert!(here.is_destroyed());
}

#[test]
fn all_others_are_ended_and_counted() {
    let desk = Desk::new();
    let [here, ..] = ["anna", "anna", "ben", "anna"].map(|user| desk.store.log_in(user));

    let ended = desk.ask("DELETE", "/sessions", &here);

    assert_eq!(json_of(&ended), json!({ "ended": 2 }));
    assert_eq!(desk.store.handles("anna"), ["login-1"]);
    assert_eq!(desk.store.handles("ben").len(), 1);
}

#[test]
fn session_that_was_ended_and_is_remembered_sees_and_ends_nothing() {
    let desk = Desk::new();
    let (ended, other) = (desk.store.log_in("anna"), desk.store.log_in("anna"));
    let handle = other.handle().handle().unwrap();
    desk.ask_one("DELETE", &ended.handle().handle().unwrap(), &other);

    let answers = [
        desk.ask("GET", "/sessions", &ended),
        desk.ask("DELETE", "/sessions", &ended),
        desk.ask_one("DELETE", &handle, &ended),
    ];

    assert_eq!(answers.map(|answer| answer.status()), [Some(401); 3]);
    assert_eq!(desk.store.handles("anna"), [handle]);
}

#[test]
fn stranger_sees_and_ends_nothing() {
    let desk = Desk::new();
    let stranger = TestSession::default();

    for method in ["GET", "HEAD", "DELETE"] {
        let answer = desk.ask(method, "/sessions", &stranger);

        assert_eq!(answer.status(), Some(401), "{method}");
        assert_eq!(answer.response_headers("cache-control"), ["no-store"]);
    }
}

#[test]
fn page_of_another_site_ends_nothing() {
    let desk = Desk::new();
    let (here, _) = (desk.store.log_in("anna"), desk.store.log_in("anna"));
    let form = "_method=DELETE";

    for (method, header, value) in [
        ("DELETE", "Origin", "http://evil.test"),
        ("DELETE", "Sec-Fetch-Site", "same-site"),
        ("POST", "Origin", "null"),
        ("POST", "Referer", "http://evil.test/"),
        ("POST", "Accept", "text/html"),
    ] {
        let exchange = desk.gateway.exchange(method, "/sessions").with_body(form);
        let mut exchange = exchange
            .with_header(header, value)
            .with_session(here.handle());

        let failure = exchange.call(&desk.action).unwrap_err();

        assert_eq!(
            (failure.kind(), failure.reason()),
            (Kind::FORBIDDEN, "cross-origin")
        );
    }
    assert_eq!(desk.store.handles("anna").len(), 2);
}

#[test]
fn form_ends_a_session_and_leads_back_to_the_list() {
    let desk = Desk::new();
    let (here, there) = (desk.store.log_in("anna"), desk.store.log_in("anna"));
    let handle = there.handle().handle().unwrap();

    let one = desk.submit(&format!("/my/devices/{handle}"), Some(&handle), &here);
    let others = desk.submit("/my/devices", None, &here);

    assert_eq!(one.status(), Some(303));
    assert_eq!(one.response_headers("location"), ["../devices?ended=1"]);
    assert_eq!(others.response_headers("location"), ["?ended=0"]);
    assert_eq!(desk.store.handles("anna").len(), 1);
}

#[test]
fn form_that_does_not_say_what_it_wants_ends_nothing() {
    let desk = Desk::new();
    let here = desk.store.log_in("anna");

    for body in [
        "",
        "_method=GET",
        "method=DELETE",
        "{\"_method\":\"DELETE\"}",
    ] {
        let mut exchange = desk.post("/sessions", body, &here);

        exchange.call(&desk.action).unwrap();

        assert_eq!(exchange.status(), Some(405), "{body}");
    }
    assert!(!here.is_destroyed());
}

#[test]
fn outage_is_never_an_empty_list_nor_a_success() {
    let desk = Desk::new();
    let here = desk.store.log_in("anna");
    desk.store.lose_storage();

    for method in ["GET", "DELETE"] {
        let mut exchange = desk
            .gateway
            .exchange(method, "/sessions")
            .with_session(here.handle());

        let failure = exchange.call(&desk.action).unwrap_err();

        assert_eq!(failure.kind(), Kind::UNAVAILABLE);
        assert_eq!(exchange.status(), None);
    }
}

#[test]
fn methods_are_told_to_who_asks_and_to_who_guesses() {
    let desk = Desk::new();
    let stranger = TestSession::default();

    for (method, status) in [("OPTIONS", 204), ("PUT", 405), ("PATCH", 405)] {
        let answer = desk.ask(method, "/sessions", &stranger);

        assert_eq!(answer.status(), Some(status), "{method}");
        assert_eq!(
            answer.response_headers("allow"),
            ["GET, HEAD, POST, DELETE, OPTIONS"]
        );
    }
}

#[test]
fn browser_gets_a_page_whose_texts_are_those_of_the_operator() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("de.yaml");
    std::fs::write(&file, "current: Dort\nended: 'Beendet: {count}'\n").unwrap();
    let desk = Desk::with(json!({ "page": {
        "title": "Meine <Geräte>",
        "language": "de",
        "messagesFile": file,
        "messages": { "current": "Hier" },
    } }));
    let here = desk.store.log_in("anna");
    let exchange = desk.gateway.exchange("GET", "/my/devices?ended=2");
    let mut exchange = exchange
        .with_header("Accept", "text/html")
        .with_session(here.handle());

    exchange.call(&desk.action).unwrap();

    let page = String::from_utf8(exchange.response_body().to_vec()).unwrap();
    for part in [
        "<html lang=\"de\">",
        "<h1>Meine &lt;Geräte&gt;</h1>",
        "<span class=\"badge\">Hier</span>",
        "<p class=\"notice\" role=\"status\">Beendet: 2</p>",
        "action=\"./devices/login-1\"",
    ] {
        assert!(page.contains(part), "{part} is not in\n{page}");
    }
}

#[test]
fn faults_of_the_page_are_found_at_once() {
    let config = json!({ "page": {
        "language": "de_AT",
        "themeFile": "/nowhere/theme.css",
        "messagesFile": "/nowhere/de.yaml",
        "messages": { "titel": "" },
    } });
    let config = serde_json::from_value(config).unwrap();

    let faults = SessionsAction::new(&config, &TestGateway::new().services()).unwrap_err();

    let paths: Vec<_> = faults.iter().map(|fault| fault.path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "page.language",
            "page.messagesFile",
            "page.messages.titel",
            "page.themeFile"
        ]
    );
}

struct Desk {
    gateway: TestGateway,
    store: TestSessionStore,
    action: ActionHandle,
}

impl Desk {
    fn new() -> Self {
        Self::with(json!({}))
    }

    fn with(config: Value) -> Self {
        let gateway = TestGateway::new();
        let config = serde_json::from_value(config).unwrap();
        let action = SessionsAction::new(&config, &gateway.services()).unwrap();
        Self {
            gateway,
            store: TestSessionStore::default(),
            action: ActionHandle::new(action),
        }
    }

    fn ask(&self, method: &str, target: &str, session: &TestSession) -> TestExchange {
        let exchange = self.gateway.exchange(method, target);
        let mut exchange = exchange.with_session(session.handle());
        exchange.call(&self.action).unwrap();
        exchange
    }

    fn ask_one(&self, method: &str, id: &str, session: &TestSession) -> TestExchange {
        let exchange = self.gateway.exchange(method, &format!("/sessions/{id}"));
        let mut exchange = exchange
            .with_parameter("id", id)
            .with_session(session.handle());
        exchange.call(&self.action).unwrap();
        exchange
    }

    fn submit(&self, target: &str, id: Option<&str>, session: &TestSession) -> TestExchange {
        let mut exchange = self.post(target, "_method=DELETE", session);
        if let Some(id) = id {
            exchange = exchange.with_parameter("id", id);
        }
        exchange.call(&self.action).unwrap();
        exchange
    }

    fn post(&self, target: &str, body: &str, session: &TestSession) -> TestExchange {
        self.gateway
            .exchange("POST", target)
            .with_header("Sec-Fetch-Site", "same-origin")
            .with_body(body)
            .with_session(session.handle())
    }
}

fn json_of(exchange: &TestExchange) -> Value {
    serde_json::from_slice(exchange.response_body()).unwrap()
}
