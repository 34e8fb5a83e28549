//! Logins with a provider that answers.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Mutex;
use std::thread;

use super::*;
use crate::actions::links::Logout;

#[test]
fn answer_that_nobody_understands_is_a_guess_and_no_answer_is_none() {
    for (status, error, sixth) in [
        (403, "access_denied", 429),
        (401, "invalid_client", 503),
        (503, "server_error", 503),
    ] {
        let house = House::new(json!({ "passwordGrant": { "provider": "small" } }));
        house
            .provider
            .answers("/token", status, &json!({ "error": error }));
        for _ in 0..5 {
            assert_eq!(house.log_in(), Some(503), "{error}");
        }

        assert_eq!(house.log_in(), Some(sixth), "{error}");
    }
}

#[test]
fn login_that_its_provider_has_ended_meanwhile_leaves_no_session() {
    let house = House::new(json!({ "passwordGrant": { "provider": "small" } }));
    house.knows_anna(7);
    house.ends("8");
    assert_eq!(house.log_in(), Some(200));
    assert_eq!(house.sessions_of_anna(), 1, "another login of hers");
    house.ends("7");

    assert_eq!(house.log_in(), Some(401));
    assert_eq!(house.sessions_of_anna(), 0);
}

#[test]
fn code_of_one_provider_is_not_taken_to_another_that_has_no_issuer() {
    let house = House::new(json!({ "provider": ["small", "corporate"] }));
    house.provider.answers("/token", 503, &json!({}));
    let come_back = |iss: &str| {
        let began = house.get("/login?provider=small", "");
        let location = began.response_headers("location")[0].to_owned();
        let state = location.split("state=").nth(1).unwrap();
        let state = state.split('&').next().unwrap();
        let cookie = began.response_headers("set-cookie")[0].split(';').next();
        let query = format!("state={state}&code=c{iss}");
        let back = house.get(&format!("/login/callback?{query}"), cookie.unwrap());
        back.response_headers("location")[0].to_owned()
    };

    let mixed_up = come_back("&iss=https%3A%2F%2Fcorporate.test");
    assert_eq!(mixed_up, "/login?error=refused");
    assert_eq!(house.provider.calls(), 0, "nobody is told the code");

    for own in ["", "&iss=https%3A%2F%2Fsmall.test"] {
        assert_eq!(come_back(own), "/login?error=unavailable");
    }
    assert_eq!(house.provider.calls(), 2);
}

/// A gateway with sessions in memory, and a provider without an issuer.
struct House {
    scene: Scene,
    provider: Answering,
    load: MiddlewareHandle,
    keepers: Arc<Keepers>,
    action: ActionHandle,
    runtime: Arc<Runtime>,
}

impl House {
    fn new(config: Value) -> Self {
        let (scene, provider) = (Scene::new(json!({})), Answering::start());
        let services = scene.gateway.services();
        let load = scene.load(json!({}));
        let keepers = Arc::new(Keepers::default());
        keepers.add(load.keeper());
        let runtime = Arc::<Runtime>::default();
        let providers = json!({
            "small": {
                "authUrl": provider.url("/auth"), "tokenUrl": provider.url("/token"),
                "introspectUrl": provider.url("/introspect"), "clientId": "gateway", "clientSecret": "s",
            },
            "corporate": { "issuer": "https://corporate.test", "clientId": "gateway", "clientSecret": "s" },
        });
        let desk: (Arc<dyn Clock>, _) = (scene.clock.clone(), Arc::clone(&runtime));
        let providers = serde_json::from_value(providers).unwrap();
        let providers = Providers::new(providers, desk, &services).unwrap();
        let action = LoginAction::new(
            ENTRY,
            &serde_json::from_value(config).unwrap(),
            (&providers, Arc::clone(&keepers)),
            scene.clock.clone(),
            &services,
        );
        Self {
            load: MiddlewareHandle::new(load),
            action: ActionHandle::new(action.unwrap()),
            scene,
            provider,
            keepers,
            runtime,
        }
    }

    /// The right password gets a login of this name.
    fn knows_anna(&self, sid: u8) {
        self.provider
            .answers("/token", 200, &json!({ "access_token": "opaque" }));
        let iat = self.scene.clock.now().as_millis() / 1000;
        let claims = json!({ "active": true, "sub": "anna", "sid": sid.to_string(), "iat": iat });
        self.provider.answers("/introspect", 200, &claims);
    }

    fn log_in(&self) -> Option<u16> {
        let login = json!({ "username": "anna", "password": PASSWORD }).to_string();
        let exchange = self.scene.gateway.exchange("POST", "/login");
        let exchange = exchange
            .with_header("content-type", "application/json")
            .with_body(login);
        self.through(exchange).status()
    }

    fn get(&self, target: &str, cookie: &str) -> TestExchange {
        let exchange = self.scene.gateway.exchange("GET", target);
        self.through(exchange.with_header("cookie", cookie))
    }

    fn through(&self, mut exchange: TestExchange) -> TestExchange {
        let ran = exchange.run_with(&self.load, |exchange| {
            exchange.call(&self.action).unwrap();
        });
        ran.unwrap();
        exchange
    }

    /// The provider says that a login is over.
    fn ends(&self, sid: &str) {
        let logout = Logout::of_sid("small", sid);
        let keeper = self.keepers.known().remove(0);
        self.wait(logout.end(keeper.engine())).unwrap();
    }

    fn sessions_of_anna(&self) -> usize {
        let keeper = self.keepers.known().remove(0);
        let sessions = self.wait(keeper.engine().sessions_of("anna"));
        sessions.unwrap().len()
    }

    fn wait<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.start().unwrap().block_on(work)
    }
}

/// A provider that says what a test lets it say.
struct Answering {
    address: SocketAddr,
    script: Arc<Mutex<Script>>,
}

#[derive(Default)]
struct Script {
    answers: HashMap<String, String>,
    calls: usize,
}

impl Answering {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let script = Arc::<Mutex<Script>>::default();
        let known = Arc::clone(&script);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                answer(stream, &known);
            }
        });
        Self { address, script }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    fn answers(&self, path: &str, status: u16, json: &Value) {
        let body = json.to_string();
        let length = body.len();
        let text = format!("HTTP/1.1 {status} X\r\nContent-Length: {length}\r\n\r\n{body}");
        let mut script = self.script.lock().unwrap();
        script.answers.insert(path.to_owned(), text);
    }

    fn calls(&self) -> usize {
        self.script.lock().unwrap().calls
    }
}

fn answer(mut stream: TcpStream, script: &Mutex<Script>) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let (mut path, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let line = line.trim_end().to_ascii_lowercase();
        match line.split_once(' ') {
            None => break,
            Some(("content-length:", number)) => length = number.parse().ok()?,
            Some(("post", rest)) => rest.split(' ').next()?.clone_into(&mut path),
            Some(_) => {}
        }
    }
    reader.read_exact(&mut vec![0; length]).ok()?;
    let text = {
        let mut script = script.lock().unwrap();
        script.calls += 1;
        script.answers.get(&path)?.clone()
    };
    stream.write_all(text.as_bytes()).ok()
}
