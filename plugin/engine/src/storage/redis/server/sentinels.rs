//! A master, two replicas and three sentinels.

use serde_json::{Value, json};

use super::process::Role;
use super::setup::{HARNESS, Setup};
use super::single::{RedisServer, patient};
use super::until;
use crate::storage::RedisConfig;

/// Three servers with the same rows, one of them the master, and three sentinels that agree on which.
#[derive(Debug)]
pub struct RedisSentinels {
    servers: Vec<RedisServer>,
    sentinels: Vec<RedisServer>,
    guard: Setup,
    setup: Setup,
}

impl RedisSentinels {
    /// Servers and sentinels that let everybody in.
    ///
    /// # Panics
    /// When they do not start, or do not agree.
    #[track_caller]
    pub fn start() -> Self {
        Self::with(Setup::default(), Setup::default())
    }

    /// Servers by `setup`, sentinels by `guard`: each may have passwords, users and certificates of its own.
    ///
    /// # Panics
    /// When they do not start, or do not agree.
    #[track_caller]
    pub fn with(setup: Setup, guard: Setup) -> Self {
        let master = server(&setup, None);
        let port = master.address().port();
        let replicas = [(); 2].map(|()| server(&setup, Some(port)));
        let sentinels = [(); 3].map(|()| sentinel(&guard, port));
        let started = Self {
            servers: [master].into_iter().chain(replicas).collect(),
            sentinels: sentinels.into(),
            guard,
            setup,
        };
        until("replicas in step with their master", || {
            started.has_replicas()
        });
        until("sentinels that know each other", || started.is_agreed());
        started
    }

    /// The three servers. The first was the master at the start.
    pub fn servers(&mut self) -> &mut [RedisServer] {
        &mut self.servers
    }

    /// The three sentinels.
    pub fn sentinels(&mut self) -> &mut [RedisServer] {
        &mut self.sentinels
    }

    /// The number of the server that most running sentinels take for the master.
    ///
    /// # Panics
    /// When no sentinel runs.
    #[track_caller]
    pub fn master(&self) -> usize {
        let votes = self
            .running_sentinels()
            .filter_map(|one| self.named_by(one));
        let mut votes: Vec<_> = votes.collect();
        votes.sort_unstable();
        let middle = votes.len() / 2;
        *votes.get(middle).expect("a sentinel that runs")
    }

    /// Waits until the sentinels have made another server than `old` the master, and it takes writes.
    ///
    /// # Panics
    /// When they do not.
    #[track_caller]
    pub fn wait_for_failover(&self, old: usize) -> usize {
        until("another master", || {
            let master = self.master();
            master != old && is_master(&self.servers[master])
        });
        self.master()
    }

    /// Asks for a failover as an operator does, and does not wait for it.
    ///
    /// # Panics
    /// When the sentinels see no replica to promote.
    #[track_caller]
    pub fn fail_over(&self) {
        self.sentinels[0].ask::<()>(&["SENTINEL", "FAILOVER", NAME]);
    }

    /// What `storages.yaml` has to say to reach whichever server is the master.
    pub fn settings(&self) -> Value {
        let mut settings = self.setup.credentials();
        let nodes = self.sentinels.iter().map(|sentinel| {
            let address = sentinel.address();
            json!({ "host": address.ip(), "port": address.port() })
        });
        let mut availability = json!({
            "sentinelName": NAME,
            "nodes": nodes.collect::<Vec<_>>(),
        });
        if let Some(password) = self.guard.credentials().get("password") {
            availability["sentinelPassword"] = password.clone();
        }
        settings.insert("mode".into(), "sentinel".into());
        settings.insert("highAvailability".into(), availability);
        settings.into()
    }

    /// [`settings`](Self::settings) with all the patience that a busy machine may ask for.
    ///
    /// # Panics
    /// When the settings are not those of [`RedisConfig`].
    #[track_caller]
    pub fn config(&self) -> RedisConfig {
        patient(self.settings())
    }

    fn running_sentinels(&self) -> impl Iterator<Item = &RedisServer> {
        self.sentinels.iter().filter(|one| one.is_running())
    }

    fn named_by(&self, sentinel: &RedisServer) -> Option<usize> {
        let named: (String, u16) = sentinel.ask(&["SENTINEL", "GET-MASTER-ADDR-BY-NAME", NAME]);
        let at = |server: &RedisServer| server.address().port() == named.1;
        self.servers.iter().position(at)
    }

    fn has_replicas(&self) -> bool {
        let told: String = self.servers[0].ask(&["INFO", "replication"]);
        told.matches("state=online").count() == 2
    }

    fn is_agreed(&self) -> bool {
        self.sentinels.iter().all(|sentinel| {
            let told: String = sentinel.ask(&["INFO", "sentinel"]);
            told.contains("status=ok") && told.contains("slaves=2,sentinels=3")
        })
    }
}

/// A server by `setup`, a replica of the one at `master` if there is one.
#[track_caller]
fn server(setup: &Setup, master: Option<u16>) -> RedisServer {
    let setup = setup
        .clone()
        .tcp()
        .line(format!("masteruser {HARNESS}"))
        .line(format!("masterauth {HARNESS}"))
        .line("repl-diskless-sync-delay 0")
        .line("repl-ping-replica-period 1");
    let setup = match master {
        Some(port) => setup.line(format!("replicaof 127.0.0.1 {port}")),
        None => setup,
    };
    RedisServer::with(setup)
}

/// A sentinel that holds a server for dead after a second.
#[track_caller]
fn sentinel(guard: &Setup, master: u16) -> RedisServer {
    let guard = guard
        .clone()
        .tcp()
        .line(format!("sentinel monitor {NAME} 127.0.0.1 {master} 2"))
        .line(format!("sentinel auth-user {NAME} {HARNESS}"))
        .line(format!("sentinel auth-pass {NAME} {HARNESS}"))
        .line(format!("sentinel sentinel-user {HARNESS}"))
        .line(format!("sentinel sentinel-pass {HARNESS}"))
        .line(format!("sentinel down-after-milliseconds {NAME} 1000"))
        .line(format!("sentinel failover-timeout {NAME} 5000"));
    RedisServer::of(Role::Sentinel, |_| guard.clone())
}

fn is_master(server: &RedisServer) -> bool {
    let told = server.try_ask::<String>(&["INFO", "replication"]);
    told.is_ok_and(|told| told.contains("role:master"))
}

/// What the sentinels call the master.
const NAME: &str = "mymaster";
