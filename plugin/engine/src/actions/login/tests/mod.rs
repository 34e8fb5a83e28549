//! The action alone, on a gateway that stands in for one.

mod answers;
mod page;
mod passwords;
mod providers;
mod surroundings;

use std::fs;
use std::time::Duration;

use abi::handle::{ActionHandle, MiddlewareHandle};
use abi::testing::{TestExchange, TestGateway, TestSession};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;
use crate::clock::ManualClock;
use crate::middlewares::LoadSessionMiddleware;
use crate::runtime::Runtime;
use crate::session::Timestamp;
use crate::storage::{MemoryConfig, MemoryStorage, Rows};
use users::tests::{ARGON2ID, BCRYPT};

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
            ENTRY,
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
            ENTRY,
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

    /// What a real session is loaded by.
    fn middleware(&self, config: Value) -> MiddlewareHandle {
        MiddlewareHandle::new(self.load(config))
    }

    fn load(&self, config: Value) -> LoadSessionMiddleware {
        let rows = MemoryStorage::open(&MemoryConfig::default(), self.clock.clone()).unwrap();
        let rows: Arc<dyn Rows> = Arc::new(rows);
        let made = LoadSessionMiddleware::new(
            Entry { name: "Load" },
            &serde_json::from_value(config).unwrap(),
            |_| Ok(rows.into()),
            self.clock.clone(),
            &self.gateway.services(),
        );
        made.unwrap()
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
const ENTRY: Entry<'_> = Entry { name: "Login" };
const PASSWORD: &str = "correct horse";
