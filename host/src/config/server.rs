//! `server:` where the gateway listens and what it puts up with.

use std::time::Duration;

use abi::config::{ByteSize, ConfigDuration, ConfigPath, Faults};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::address::{Address, AddressError};
use super::networks::Networks;
use crate::log;
use crate::tls::{Certificates, TlsFiles};
use crate::trace::Tracing;

/// Where the gateway listens and what it puts up with.
#[derive(Clone, Debug)]
pub struct Server {
    /// Every address to listen on; at least one.
    pub addresses: Vec<Address>,
    /// The permissions of the socket files that it listens on; `None` leaves them to the umask.
    pub socket_mode: Option<u32>,
    /// What connections over TCP are secured with; `None` leaves them in the clear.
    pub tls: Option<Certificates>,
    /// Whose word about a client is taken.
    pub trusted_proxies: Networks,
    /// Whether connections from them begin with a header of the PROXY protocol.
    pub proxy_protocol: bool,
    /// The administrative listener; none unless configured.
    pub admin: Option<Address>,
    /// The health routes.
    pub health_check: HealthCheck,
    /// What a client may send.
    pub limits: Limits,
    /// How long anything may take.
    pub timeouts: Timeouts,
    /// How long running requests and tunnels may go on after the order to stop.
    pub shutdown_grace: Duration,
    /// Worker threads; 0 means one per core.
    pub threads: u16,
    /// What is made of the traces that requests come with.
    pub tracing: Tracing,
    /// What is logged, and how.
    pub log: Log,
}

impl Server {
    /// The keys that have another value in `next`, which takes effect only when the process is started anew.
    pub fn waiting(&self, next: &Self) -> Vec<&'static str> {
        let changed = [
            ("address", self.addresses != next.addresses),
            ("admin", self.admin != next.admin),
            ("threads", self.threads != next.threads),
            ("log", self.log != next.log),
        ];
        let changed = changed.into_iter().filter(|(_, changed)| *changed);
        changed.map(|(key, _)| key).collect()
    }
}

/// The section as it is written.
#[derive(Debug, Deserialize, JsonSchema, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct ServerSection {
    /// Where to listen: `host:port` or `unix:/path`, or a list of them. Port 0 picks a free port and prints it.
    address: Addresses,
    /// Who may connect to the unix sockets in `address`: octal digits such as `"0660"`. The umask decides when absent.
    socket_mode: Option<String>,
    /// The certificate that connections over TCP are secured with. In the clear when absent.
    tls: Tls,
    /// Proxies in front of the gateway: networks such as `10.0.0.0/8`, addresses, or `unix` for whoever comes over a unix
    /// socket. Nobody is believed unless named here: who asked, and for what, is a proxy's word.
    trusted_proxies: Vec<String>,
    /// Whether connections from trustedProxies begin with a header of the PROXY protocol, version 1 or 2, which names the
    /// client. One that does not is closed. Connections from elsewhere have none, and name nobody.
    proxy_protocol: bool,
    /// The routes by which an orchestrator asks how the gateway is.
    health_check: HealthCheck,
    /// A second listener for `/metrics`, apart from the traffic. Off when absent.
    admin: Option<Admin>,
    /// What a client may send.
    limits: Limits,
    /// How long anything may take.
    timeouts: Timeouts,
    /// How long running requests and tunnels may go on after SIGTERM.
    shutdown_grace: ConfigDuration,
    /// Worker threads; 0 = one per core.
    threads: u16,
    /// What is made of the traces that requests come with (`traceparent`, `tracestate`).
    tracing: Tracing,
    /// What is logged, and how.
    log: Log,
}

#[derive(Debug, Deserialize, JsonSchema, Serialize)]
#[serde(untagged)]
enum Addresses {
    One(String),
    Many(Vec<String>),
}

/// A certificate and its key, both or neither. HTTP/2 and HTTP/1.1 are spoken on the same port, over TLS 1.2 or 1.3.
#[derive(Debug, Deserialize, JsonSchema, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
struct Tls {
    /// The certificate, then those between it and a root, in PEM.
    cert_file: ConfigPath,
    /// Its private key in PEM.
    key_file: ConfigPath,
}

#[derive(Debug, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Admin {
    /// Where to listen. Keep it off the internet: the metrics are for the operator.
    address: String,
}

/// The routes by which an orchestrator asks how the gateway is. They win over every configured route.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct HealthCheck {
    /// Answers 200 while the process runs.
    pub live: String,
    /// Answers 200 when requests can be served: plugins are loaded and storages answer. Else 503.
    pub ready: String,
    /// Whether both paths are left to the configured routes.
    pub disabled: bool,
}

/// What a client may send.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Limits {
    /// Request line and headers together; more is answered with 431.
    pub header_bytes: ByteSize,
    /// The request body; more is answered with 413. 0 = unlimited, because bodies are streamed and never held.
    pub body_bytes: ByteSize,
    /// Client connections at a time; the next one waits. 0 = unlimited.
    pub connections: u32,
}

/// How long anything may take.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Timeouts {
    /// From the first byte of a request to the end of its headers, in total: a client that drips bytes gains nothing.
    pub header_read: ConfigDuration,
    /// A connection on which nothing moves: between two requests, or in the middle of a body.
    pub idle: ConfigDuration,
    /// Connecting to an upstream.
    pub connect: ConfigDuration,
    /// Waiting for an upstream: for its answer once the request is with it, then for each part of the body.
    pub upstream_read: ConfigDuration,
    /// Waiting until an upstream accepts the next part of a request body.
    pub upstream_write: ConfigDuration,
}

/// What is logged, and how.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Log {
    /// `off`, `error`, `warn`, `info`, `debug` or `trace`, also per target: `info,access=off`.
    pub level: String,
    /// Text for people, json for collectors.
    pub format: LogFormat,
}

/// How a log line looks.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum LogFormat {
    /// One JSON object per line.
    Json,
    /// One line of text.
    Text,
}

impl ServerSection {
    /// Reads what the schema cannot express.
    pub(super) fn check(self) -> Result<Server, Faults> {
        let mut faults = Faults::default();
        let addresses = self.address.parse(&mut faults);
        let is_tcp_only = faults.is_empty() && !addresses.iter().any(Address::is_unix);
        let socket_mode = self.socket_mode.as_deref().and_then(|text| {
            let mode = socket_mode(text);
            if mode.is_none() {
                let message = format!("expected octal digits such as `0660`, found `{text}`");
                faults.push("socketMode", message);
            }
            mode
        });
        if socket_mode.is_some() && is_tcp_only {
            faults.push(
                "socketMode",
                "is for sockets, and none of `address` is `unix:/path`",
            );
        }
        let tls = faults
            .absorb(self.tls.load().map_err(|faults| faults.under("tls")))
            .flatten();
        let trusted_proxies = Networks::parse("trustedProxies", &self.trusted_proxies, &mut faults);
        if self.proxy_protocol && self.trusted_proxies.is_empty() {
            faults.push(
                "proxyProtocol",
                "needs trustedProxies: who may name a client",
            );
        }
        let admin = self
            .admin
            .map(|admin| admin.address.parse::<Address>())
            .transpose();
        match &admin {
            Err(error) => faults.push("admin.address", error.to_string()),
            Ok(Some(admin)) if admin.is_taken_by(&addresses) => {
                faults.push("admin.address", "is one of `address` already");
            }
            Ok(_) => {}
        }
        self.health_check.check(&mut faults);
        if self.limits.header_bytes < MIN_HEADER_BYTES {
            let message = format!("expected at least {MIN_HEADER_BYTES}: less refuses browsers");
            faults.push("limits.headerBytes", message);
        }
        if let Err(error) = log::filter(&self.log.level) {
            faults.push("log.level", error.to_string());
        }
        let server = Server {
            addresses,
            socket_mode,
            tls,
            trusted_proxies,
            proxy_protocol: self.proxy_protocol,
            admin: admin.ok().flatten(),
            health_check: self.health_check,
            limits: self.limits,
            timeouts: self.timeouts,
            shutdown_grace: self.shutdown_grace.get(),
            threads: self.threads,
            tracing: self.tracing,
            log: self.log,
        };
        faults.or(server)
    }
}

impl Addresses {
    fn parse(&self, faults: &mut Faults) -> Vec<Address> {
        let parse = |path: &str, text: &str, faults: &mut Faults| match text.parse() {
            Ok(address) => Some(address),
            Err(error) => {
                let error: AddressError = error;
                faults.push(path, format!("{error}, found `{text}`"));
                None
            }
        };
        match self {
            Self::One(text) => parse("address", text, faults).into_iter().collect(),
            Self::Many(texts) if texts.is_empty() => {
                faults.push("address", "expected at least one address");
                Vec::new()
            }
            Self::Many(texts) => {
                let mut addresses: Vec<Address> = Vec::new();
                for (index, text) in texts.iter().enumerate() {
                    let path = format!("address[{index}]");
                    match parse(&path, text, faults) {
                        Some(address) if address.is_taken_by(&addresses) => {
                            faults.push(path, format!("`{text}` is listed already"));
                        }
                        address => addresses.extend(address),
                    }
                }
                addresses
            }
        }
    }
}

/// Three octal digits, or four of which the first is 0: a socket has nothing else to permit.
fn socket_mode(text: &str) -> Option<u32> {
    let digits = match text.len() {
        4 => text.strip_prefix('0')?,
        _ => text,
    };
    let is_octal = digits.len() == 3 && digits.bytes().all(|digit| (b'0'..=b'7').contains(&digit));
    is_octal
        .then(|| u32::from_str_radix(digits, 8).ok())
        .flatten()
}

impl Tls {
    fn load(self) -> Result<Option<Certificates>, Faults> {
        let files = [&self.cert_file, &self.key_file];
        match files.map(|file| file.as_os_str().is_empty()) {
            [true, true] => return Ok(None),
            [false, true] => return Err(Faults::at("keyFile", "is missing: certFile needs it")),
            [true, false] => return Err(Faults::at("certFile", "is missing: keyFile needs it")),
            [false, false] => {}
        }
        let loaded = Certificates::load(TlsFiles {
            certificate: self.cert_file.into_inner(),
            key: self.key_file.into_inner(),
        });
        loaded
            .map(Some)
            .map_err(|error| Faults::at(error.key(), error.to_string()))
    }
}

impl Default for Tls {
    fn default() -> Self {
        Self {
            cert_file: ConfigPath::new(""),
            key_file: ConfigPath::new(""),
        }
    }
}

impl HealthCheck {
    fn check(&self, faults: &mut Faults) {
        for (key, path) in [
            ("healthCheck.live", &self.live),
            ("healthCheck.ready", &self.ready),
        ] {
            if !path.starts_with('/') {
                faults.push(
                    key,
                    format!("expected a path that begins with `/`, found `{path}`"),
                );
            }
        }
        if !self.disabled && self.live == self.ready {
            let message = "is the path of healthCheck.live, which would answer for both";
            faults.push("healthCheck.ready", message);
        }
    }
}

impl Default for ServerSection {
    fn default() -> Self {
        Self {
            address: Addresses::One(DEFAULT_ADDRESS.to_owned()),
            socket_mode: None,
            tls: Tls::default(),
            trusted_proxies: Vec::new(),
            proxy_protocol: false,
            health_check: HealthCheck::default(),
            admin: None,
            limits: Limits::default(),
            timeouts: Timeouts::default(),
            shutdown_grace: DEFAULT_SHUTDOWN_GRACE,
            threads: 0,
            tracing: Tracing::default(),
            log: Log::default(),
        }
    }
}

impl Default for HealthCheck {
    fn default() -> Self {
        Self {
            live: "/health/live".into(),
            ready: "/health/ready".into(),
            disabled: false,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            header_bytes: DEFAULT_HEADER_BYTES,
            body_bytes: ByteSize::of_bytes(0),
            connections: 0,
        }
    }
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            header_read: DEFAULT_HEADER_READ,
            idle: DEFAULT_IDLE,
            connect: DEFAULT_CONNECT,
            upstream_read: DEFAULT_UPSTREAM,
            upstream_write: DEFAULT_UPSTREAM,
        }
    }
}

impl Default for Log {
    fn default() -> Self {
        Self {
            level: "info".to_owned(),
            format: LogFormat::Text,
        }
    }
}

const DEFAULT_ADDRESS: &str = "0.0.0.0:8090";
// Orchestrators wait 30 s between SIGTERM and SIGKILL.
const DEFAULT_SHUTDOWN_GRACE: ConfigDuration = ConfigDuration::of_secs(30);
// Browsers send up to 8 KiB of cookies per name and a proxy in front adds its own; above this nobody is honest.
const DEFAULT_HEADER_BYTES: ByteSize = ByteSize::of_kib(64);
const MIN_HEADER_BYTES: ByteSize = ByteSize::of_kib(1);
const DEFAULT_HEADER_READ: ConfigDuration = ConfigDuration::of_secs(10);
// Above the 60 s of common load balancers, so that they close idle connections and never race with us.
const DEFAULT_IDLE: ConfigDuration = ConfigDuration::of_secs(75);
const DEFAULT_CONNECT: ConfigDuration = ConfigDuration::of_secs(5);
// What nginx waits for an upstream, which services behind a proxy are built for.
const DEFAULT_UPSTREAM: ConfigDuration = ConfigDuration::of_secs(60);
