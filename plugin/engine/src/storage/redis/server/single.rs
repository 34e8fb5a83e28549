//! One server.

use std::collections::HashMap;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};

use abi::config::ConfigDuration;
use redis::{Client, Cmd, FromRedisValue, IntoConnectionInfo, RedisConnectionInfo, RedisResult};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::process::{Process, Role};
use super::setup::{HARNESS, SOCKET, Setup};
use super::{PATIENCE, until};
use crate::storage::RedisConfig;

/// A running `redis-server`. It ends with this value.
#[derive(Debug)]
pub struct RedisServer {
    // Declared before the directory: the process ends first.
    process: Option<Process>,
    role: Role,
    setup: Setup,
    port: u16,
    directory: TempDir,
}

impl RedisServer {
    /// An empty server on a unix socket, which forgets everything when it ends.
    ///
    /// # Panics
    /// When there is none to start.
    #[track_caller]
    pub fn start() -> Self {
        Self::with(Setup::default())
    }

    /// A server as the test wants it.
    ///
    /// # Panics
    /// When it does not start.
    #[track_caller]
    pub fn with(setup: Setup) -> Self {
        Self::of(Role::Server, |_| setup.clone())
    }

    /// A server whose setup may depend on its port.
    #[track_caller]
    pub(super) fn of(role: Role, setup: impl Fn(u16) -> Setup) -> Self {
        let directory = tempfile::tempdir().expect("a directory for the server");
        loop {
            let port = free_port();
            let setup = setup(port);
            let port = if setup.listens() { port } else { 0 };
            setup.clone().line("save ''").write(directory.path(), port);
            match Process::start(role, directory.path()) {
                Ok(process) => {
                    return Self {
                        process: Some(process),
                        role,
                        setup,
                        port,
                        directory,
                    };
                }
                // The port was free a moment ago.
                Err(log) if log.contains("Address already in use") => {}
                Err(log) => panic!("redis-server does not start:\n{log}"),
            }
        }
    }

    /// Ends the server without giving it a chance to say goodbye.
    pub fn kill(&mut self) {
        self.process = None;
    }

    /// Starts a server that was killed, where it was, with what it wrote to disk.
    ///
    /// # Panics
    /// When it does not start.
    #[track_caller]
    pub fn restart(&mut self) {
        self.kill();
        match Process::start(self.role, self.directory.path()) {
            Ok(process) => self.process = Some(process),
            Err(log) => panic!("redis-server does not start again:\n{log}"),
        }
    }

    /// Stops it in the middle of whatever it does: connections stay open and nothing answers.
    pub fn freeze(&self) {
        self.signal("STOP");
    }

    /// Lets a frozen server go on.
    pub fn thaw(&self) {
        self.signal("CONT");
    }

    /// Lets it fail to save its data, as on a full disk, of which it learns before this returns.
    ///
    /// # Panics
    /// When it can save all the same.
    #[track_caller]
    pub fn break_saving(&self) {
        // Nothing can be renamed to what is a directory with something in it.
        fs::create_dir_all(self.directory().join("dump.rdb/in the way"))
            .expect("a directory for the server");
        self.ask::<()>(&["CONFIG", "SET", "save", "3600 1"]);
        self.save();
        until("a snapshot that fails", || self.has_saved("err"));
    }

    /// Lets it save its data again.
    ///
    /// # Panics
    /// When it cannot.
    #[track_caller]
    pub fn mend_saving(&self) {
        fs::remove_dir_all(self.directory().join("dump.rdb")).expect("the directory is there");
        self.save();
        until("a snapshot", || self.has_saved("ok"));
    }

    #[track_caller]
    fn save(&self) {
        // Refused while it does so by itself.
        until("the beginning of a snapshot", || {
            self.try_ask::<()>(&["BGSAVE"]).is_ok()
        });
    }

    #[track_caller]
    fn has_saved(&self, status: &str) -> bool {
        let persistence: String = self.ask(&["INFO", "persistence"]);
        persistence.contains("rdb_bgsave_in_progress:0")
            && persistence.contains(&format!("rdb_last_bgsave_status:{status}"))
    }

    /// Whether it was not killed.
    pub const fn is_running(&self) -> bool {
        self.process.is_some()
    }

    /// Runs a command as a user who may everything, past the ports.
    ///
    /// # Panics
    /// When the server does not answer, or answers with an error or something else than a `T`.
    #[track_caller]
    pub fn ask<T: FromRedisValue>(&self, command: &[&str]) -> T {
        self.try_ask(command)
            .unwrap_or_else(|error| panic!("{command:?}: {error}"))
    }

    /// [`ask`](Self::ask) for somebody who can do without an answer.
    ///
    /// # Errors
    /// Of the connection or the server.
    pub fn try_ask<T: FromRedisValue>(&self, command: &[&str]) -> RedisResult<T> {
        let user = RedisConnectionInfo::default()
            .set_username(HARNESS)
            .set_password(HARNESS);
        let server = format!("unix://{}", self.socket().display())
            .into_connection_info()?
            .set_redis_settings(user);
        let mut connection = Client::open(server)?.get_connection_with_timeout(PATIENCE)?;
        connection.set_read_timeout(Some(PATIENCE))?;
        let mut words = Cmd::new();
        words.arg(command);
        words.query(&mut connection)
    }

    /// How often the server has executed a command, also in scripts, since it started or `CONFIG RESETSTAT`.
    ///
    /// # Panics
    /// When the server does not answer.
    #[track_caller]
    pub fn calls(&self, command: &str) -> u64 {
        let statistics: String = self.ask(&["INFO", "commandstats"]);
        let start = format!("cmdstat_{command}:calls=");
        let line = statistics
            .lines()
            .find_map(|line| line.strip_prefix(&start));
        line.and_then(|line| line.split(',').next()?.parse().ok())
            .unwrap_or(0)
    }

    /// What users were not allowed to do, one line each: the user and the command.
    ///
    /// # Panics
    /// When the server does not answer.
    #[track_caller]
    pub fn refused(&self) -> String {
        let log: Vec<HashMap<String, redis::Value>> = self.ask(&["ACL", "LOG"]);
        let field = |entry: &HashMap<String, redis::Value>, name| {
            let value = entry.get(name).map(redis::from_redis_value_ref::<String>);
            value.and_then(Result::ok).unwrap_or_default()
        };
        let lines = log
            .iter()
            .map(|entry| format!("{} {}\n", field(entry, "username"), field(entry, "object")));
        lines.collect()
    }

    /// The unix socket.
    pub fn socket(&self) -> PathBuf {
        self.directory.path().join(SOCKET)
    }

    /// Where it keeps its files.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Where it listens.
    ///
    /// # Panics
    /// When the setup did not ask for that.
    #[track_caller]
    pub fn address(&self) -> SocketAddr {
        assert!(self.port != 0, "the server listens on no port");
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// What `storages.yaml` has to say to reach it, as the default user: by port if there is one, else by socket.
    pub fn settings(&self) -> Value {
        let mut settings = self.setup.credentials();
        if self.port == 0 {
            settings.insert("host".into(), json!(self.socket()));
        } else {
            settings.insert("host".into(), "127.0.0.1".into());
            settings.insert("port".into(), self.port.into());
        }
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

    #[track_caller]
    fn signal(&self, signal: &str) {
        let process = self.process.as_ref().expect("a server that was not killed");
        process.signal(signal);
    }
}

#[track_caller]
pub(super) fn patient(settings: Value) -> RedisConfig {
    let config: RedisConfig = serde_json::from_value(settings).expect("settings of a storage");
    RedisConfig {
        timeout: ConfigDuration::of_secs(60),
        connect_timeout: ConfigDuration::of_secs(60),
        ..config
    }
}

/// A port that was free a moment ago: the server cannot be asked to choose one.
pub(super) fn free_port() -> u16 {
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|free| free.local_addr());
    free.expect("a free port").port()
}
