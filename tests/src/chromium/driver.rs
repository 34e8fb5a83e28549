//! A `chromedriver` of the test's own, and one session with it.

use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::log::Log;
use crate::{Browser, Request};

/// The process that starts and steers a browser, and speaks JSON over HTTP (W3C WebDriver).
#[derive(Debug)]
pub(super) struct Driver {
    process: Child,
    client: Browser,
    address: SocketAddr,
    /// The path that all commands begin with; the root until there is a session.
    session: String,
}

impl Driver {
    /// Starts a driver and, with it, a browser that has these capabilities.
    #[track_caller]
    pub(super) fn start(capabilities: &Value) -> Self {
        let (process, port) = launch();
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let mut driver = Self {
            process,
            client: Browser::new(address),
            address,
            session: String::new(),
        };
        let wanted = json!({ "capabilities": { "alwaysMatch": capabilities } });
        let session = driver.send("POST", "/session", &wanted);
        let id = session["sessionId"].as_str().expect("a session has an id");
        driver.session = format!("/session/{id}");
        driver
    }

    #[track_caller]
    pub(super) fn get(&mut self, command: &str) -> Value {
        self.command("GET", command, &Value::Null)
    }

    #[track_caller]
    pub(super) fn post(&mut self, command: &str, body: &Value) -> Value {
        self.command("POST", command, body)
    }

    #[track_caller]
    fn command(&mut self, method: &str, command: &str, body: &Value) -> Value {
        let path = format!("{}/{command}", self.session);
        self.send(method, &path, body)
    }

    #[track_caller]
    fn send(&mut self, method: &str, path: &str, body: &Value) -> Value {
        let request = match body {
            Value::Null => self.request(method, path),
            body => self.request(method, path).body(body.to_string()),
        };
        let response = self.client.send(request);
        let answer = response.json()["value"].take();
        assert_eq!(response.status(), 200, "{method} {path} {body}: {answer:#}");
        answer
    }

    /// It answers to its own name only, lest a web page gives it orders.
    fn request(&self, method: &str, path: &str) -> Request {
        Request::new(method, path).header("Host", &self.address.to_string())
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // A driver that is killed leaves its browser behind. If it does not answer, the test has failed already.
        let request = self.request("DELETE", &self.session);
        let _ = self.client.try_send(request);
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Starts the process and returns the port it listens on.
///
/// It picks one that is free in IPv6, wants the same in IPv4, and gives up when somebody has that. Nothing is wrong
/// then, and it is asked to pick again.
#[track_caller]
fn launch() -> (Child, u16) {
    loop {
        let mut process = Command::new("chromedriver")
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver is missing: apt-get install chromium chromium-driver");
        let log = Log::of(process.stdout.take().expect("the output of chromedriver"));
        if let Some(port) = log.wait(|lines| lines.iter().find_map(|line| port_in(line))) {
            return (process, port);
        }
        let _ = process.kill();
        let _ = process.wait();
        let text = log.text();
        assert!(
            text.contains("port not available"),
            "chromedriver did not start:\n{text}"
        );
    }
}

fn port_in(line: &str) -> Option<u16> {
    let (_, port) = line.split_once("started successfully on port ")?;
    port.trim_end_matches('.').parse().ok()
}
