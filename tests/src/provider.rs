//! A real OpenID Connect provider of the test's own: npm `oidc-provider`, with rotating refresh tokens that notice when
//! one is used twice, and faults that can be switched on.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::thread;

use serde_json::{Value, json};

use crate::log::Log;
use crate::{Browser, Certificate, Request, npm};

/// A provider that listens. It knows three clients: `gateway` shows the secret `gateway-secret` in the header, `posting`
/// shows it in the form, `public` has none. Everybody's password is `secret`, for the password grant; on its page any
/// password does. Ends with the test.
#[derive(Debug)]
pub struct Provider {
    process: Child,
    /// It ends when this does, also when the test is killed.
    _lifeline: ChildStdin,
    issuer: String,
    /// Where it listens without TLS, and is told what to do.
    address: SocketAddr,
    log: Log,
}

impl Provider {
    /// A provider whose access tokens are JWTs for `https://api.test` and live for a minute.
    ///
    /// # Panics
    /// When it does not start: it needs node and npm.
    #[track_caller]
    pub fn start() -> Self {
        Self::with(&json!({}))
    }

    /// A provider behind TLS, with a certificate for `127.0.0.1`.
    ///
    /// # Panics
    /// When it does not start.
    #[track_caller]
    pub fn behind_tls(certificate: &Certificate) -> Self {
        Self::with(&json!({ "tls": { "cert": certificate.file(), "key": certificate.key() } }))
    }

    /// With settings: `accessTokenLife` and `refreshTokenLife` in seconds, `audience`, `opaque: true` for access tokens
    /// that only it can read, `algorithm`, `rotate: false` for refresh tokens that go on working, `tls` with the files
    /// `cert` and `key`, and `client`, which is merged into what it knows of the client `gateway`.
    ///
    /// # Panics
    /// When it does not start.
    #[track_caller]
    pub fn with(settings: &Value) -> Self {
        let mut process = Command::new("node")
            .arg("provider.mjs")
            .arg(settings.to_string())
            .current_dir(installed())
            .env("NODE_ENV", "test")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("node starts");
        let lifeline = process.stdin.take().expect("its standard input");
        let output = process.stdout.take().expect("its standard output");
        let log = Log::of(process.stderr.take().expect("its log"));
        let mut line = String::new();
        let read = BufReader::new(output).read_line(&mut line);
        let told: Value = serde_json::from_str(&line)
            .unwrap_or_else(|_| panic!("no provider: {read:?}\n{}", log.text()));
        Self {
            process,
            _lifeline: lifeline,
            issuer: told["issuer"].as_str().expect("its issuer").to_owned(),
            address: told["address"]
                .as_str()
                .and_then(|address| address.parse().ok())
                .expect("its address"),
            log,
        }
    }

    /// What it calls itself, and what all its endpoints begin with.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Where it listens without TLS.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The tokens of somebody who has logged in there, as its token endpoint would answer.
    #[track_caller]
    pub fn log_in(&self, user: &str) -> Value {
        self.told("login", &json!({ "sub": user }))
    }

    /// Lets calls to a path go wrong from now on: `status` with `body` and `headers`, `hang` for so many milliseconds
    /// first, `reset` in place of an answer, `cut` after the work was done, `tear` the answer in its middle, `omit` of
    /// members of the answer; so many `times`, or until it is told an empty fault.
    #[track_caller]
    pub fn fault(&self, path: &str, fault: &Value) {
        let mut fault = fault.clone();
        fault["path"] = path.into();
        self.told("fault", &fault);
    }

    /// Changes what it knows of the client `gateway`: `redirect_uris`, `backchannel_logout_uri` and so on.
    #[track_caller]
    pub fn client(&self, changes: &Value) {
        self.told("client", changes);
    }

    /// Changes settings from now on.
    #[track_caller]
    pub fn set(&self, changes: &Value) {
        self.told("set", changes);
    }

    /// Signs with another key from now on. The one before is published on.
    #[track_caller]
    pub fn rotate_keys(&self) {
        self.told("rotate", &json!({ "keep": true }));
    }

    /// Signs with another key from now on, and knows nothing of the one before.
    #[track_caller]
    pub fn replace_keys(&self) {
        self.told("rotate", &json!({}));
    }

    /// Ends all logins, as an administrator does.
    #[track_caller]
    pub fn end_logins(&self) {
        self.told("revoke", &json!({}));
    }

    /// The calls to a path so far: each an object with the `grant`, a hash of the `refresh` token, and the `status` and
    /// `error` that came of it.
    #[track_caller]
    pub fn calls(&self, path: &str) -> Vec<Value> {
        let calls = self.told("calls", &json!({}));
        let calls = calls.as_array().expect("a list of calls").iter();
        calls.filter(|call| call["path"] == path).cloned().collect()
    }

    /// The calls with a refresh token that reached its token endpoint and were worked on.
    #[track_caller]
    pub fn refreshes(&self) -> Vec<Value> {
        let calls = self.calls("/token").into_iter();
        calls
            .filter(|call| call["grant"] == "refresh_token")
            .collect()
    }

    #[track_caller]
    fn told(&self, what: &str, message: &Value) -> Value {
        let request = Request::new("POST", &format!("/control/{what}"));
        let request = request.body(message.to_string());
        let answer = Browser::new(self.address()).send(request);
        assert_eq!(answer.status(), 200, "{what}: {}", answer.text());
        answer.json()
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("==== provider\n{}\n====", self.log.text());
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Where the provider is, with everything it needs.
fn installed() -> &'static Path {
    static INSTALLED: OnceLock<PathBuf> = OnceLock::new();
    INSTALLED.get_or_init(|| npm::installed("provider", &SOURCES))
}

const SOURCES: [&str; 3] = ["package.json", "package-lock.json", "provider.mjs"];
