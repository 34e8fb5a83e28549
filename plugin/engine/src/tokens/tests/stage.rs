//! A provider that says what a test lets it say.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use abi::config::Faults;
use abi::testing::TestGateway;
use serde_json::{Value, json};

use super::Issuer;
use crate::clock::{Clock, ManualClock, SystemClock};
use crate::runtime::Runtime;
use crate::tokens::{Provider, ProviderConfig, Providers};

/// A server, and the gateway that asks it.
pub(super) struct Stage {
    address: SocketAddr,
    script: Arc<Mutex<Script>>,
    pub(super) gateway: TestGateway,
    clock: Arc<ManualClock>,
    runtime: Arc<Runtime>,
}

#[derive(Default)]
struct Script {
    answers: HashMap<String, String>,
    calls: Vec<Heard>,
}

/// A call that came.
#[derive(Clone, Debug)]
pub(super) struct Heard {
    pub(super) path: String,
    pub(super) headers: HashMap<String, String>,
    pub(super) body: String,
}

impl Stage {
    pub(super) fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let script = Arc::<Mutex<Script>>::default();
        let heard = Arc::clone(&script);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let heard = Arc::clone(&heard);
                thread::spawn(move || answer(stream, &heard));
            }
        });
        let clock = ManualClock::new(SystemClock::new().now());
        Self {
            address,
            script,
            gateway: TestGateway::new(),
            clock: Arc::new(clock),
            runtime: Arc::default(),
        }
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(super) fn provider(&self, config: Value) -> Arc<Provider> {
        let config: ProviderConfig = serde_json::from_value(config).unwrap();
        let desk = (Arc::clone(&self.runtime), &self.gateway.services());
        Arc::new(Provider::new("main", config, self.clock.clone(), desk).unwrap())
    }

    pub(super) fn providers(&self, config: Value) -> Result<Providers, Faults> {
        let config = serde_json::from_value(config).unwrap();
        let desk = (
            self.clock.clone() as Arc<dyn Clock>,
            Arc::clone(&self.runtime),
        );
        Providers::new(config, desk, &self.gateway.services())
    }

    pub(super) fn providers_after(&self, before: &Providers, config: Value) -> Providers {
        let config = serde_json::from_value(config).unwrap();
        let desk = (
            self.clock.clone() as Arc<dyn Clock>,
            Arc::clone(&self.runtime),
        );
        Providers::after(before, config, desk, &self.gateway.services()).unwrap()
    }

    pub(super) fn metadata(&self) -> Value {
        json!({
            "issuer": self.url(""),
            "jwks_uri": self.url("/keys"),
            "token_endpoint": self.url("/token"),
            "introspection_endpoint": self.url("/introspect"),
            "revocation_endpoint": self.url("/revoke"),
            "userinfo_endpoint": self.url("/me"),
        })
    }

    pub(super) fn publishes(&self, metadata: &Value) {
        self.answers("/.well-known/openid-configuration", 200, metadata);
    }

    pub(super) fn shows_keys(&self, issuers: &[&Issuer]) {
        let keys: Vec<Value> = issuers.iter().map(|issuer| issuer.key()).collect();
        self.answers("/keys", 200, &json!({ "keys": keys }));
    }

    pub(super) fn answers(&self, path: &str, status: u16, json: &Value) {
        self.answers_with(path, status, "", json);
    }

    /// With more header lines.
    pub(super) fn answers_with(&self, path: &str, status: u16, headers: &str, json: &Value) {
        let body = json.to_string();
        let text = format!(
            "HTTP/1.1 {status} X\r\nContent-Length: {}\r\n{headers}\r\n{body}",
            body.len()
        );
        self.says(path, &text);
    }

    /// These bytes; nothing at all breaks the connection off.
    pub(super) fn says(&self, path: &str, bytes: &str) {
        self.script
            .lock()
            .unwrap()
            .answers
            .insert(path.into(), bytes.into());
    }

    pub(super) fn calls(&self, path: &str) -> Vec<Heard> {
        let script = self.script.lock().unwrap();
        script
            .calls
            .iter()
            .filter(|call| call.path == path)
            .cloned()
            .collect()
    }

    pub(super) fn now(&self) -> u64 {
        self.clock.now().as_millis() / 1000
    }

    pub(super) fn clock(&self) -> Arc<ManualClock> {
        Arc::clone(&self.clock)
    }

    pub(super) fn runtime(&self) -> Arc<Runtime> {
        Arc::clone(&self.runtime)
    }

    pub(super) fn later(&self, by: Duration) {
        self.clock.advance(by);
    }

    pub(super) fn wait<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.start().unwrap().block_on(work)
    }
}

fn answer(mut stream: TcpStream, script: &Mutex<Script>) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let path = lines.first()?.split(' ').nth(1)?.to_owned();
    let headers: HashMap<String, String> = lines[1..]
        .iter()
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let length = headers
        .get("content-length")
        .and_then(|length| length.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    let text = {
        let mut script = script.lock().unwrap();
        let body = String::from_utf8(body).unwrap();
        script.calls.push(Heard {
            path: path.clone(),
            headers,
            body,
        });
        script.answers.get(&path).cloned()
    };
    let text = text.unwrap_or_else(|| "HTTP/1.1 404 X\r\nContent-Length: 0\r\n\r\n".into());
    stream.write_all(text.as_bytes()).ok()
}
