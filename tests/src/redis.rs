//! A Redis of the test's own.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use engine::storage::server::{HARNESS, RedisServer, Setup};

/// A server that acknowledges what is on disk, so that what it was told survives [`kill`](Self::kill) and
/// [`start`](Self::start). Gateways reach it through a unix socket, so that no port can be taken.
#[derive(Debug)]
pub struct Redis(RedisServer);

impl Redis {
    /// Starts an empty server.
    ///
    /// # Panics
    /// When there is none to start.
    #[track_caller]
    pub fn new() -> Self {
        Self::with(Setup::default())
    }

    /// Starts an empty server as the test wants it.
    ///
    /// # Panics
    /// When it does not start.
    #[track_caller]
    pub fn with(setup: Setup) -> Self {
        Self(RedisServer::with(setup.append_only()))
    }

    /// Starts the server again, with the data it had.
    ///
    /// # Panics
    /// When it does not get ready.
    #[track_caller]
    pub fn start(&mut self) {
        self.0.restart();
    }

    /// Ends the server as a crash does.
    pub fn kill(&mut self) {
        self.0.kill();
    }

    /// Stops the server in the middle of whatever it does: connections stay open and nothing answers.
    pub fn freeze(&self) {
        self.0.freeze();
    }

    /// Lets a frozen server go on.
    pub fn thaw(&self) {
        self.0.thaw();
    }

    /// The server itself: where it listens, what it counts, and how to reach it.
    pub const fn server(&self) -> &RedisServer {
        &self.0
    }

    /// The socket, for `storages.yaml`.
    pub fn socket(&self) -> PathBuf {
        self.0.socket()
    }

    /// How often the server has executed a command, also in scripts, since it began to count.
    ///
    /// # Panics
    /// When the server does not answer.
    #[track_caller]
    pub fn calls(&self, command: &str) -> u64 {
        let stats = self.run(&["INFO", "commandstats"]);
        let name = format!("cmdstat_{command}:calls=");
        let line = stats.lines().find_map(|line| line.strip_prefix(&name));
        line.and_then(|line| line.split(',').next())
            .map_or(0, |count| count.parse().expect("a number of calls"))
    }

    /// Runs a command and returns what `redis-cli` prints.
    ///
    /// # Panics
    /// When the server does not answer.
    #[track_caller]
    pub fn run(&self, command: &[&str]) -> String {
        let socket = self.socket();
        let output = Command::new("redis-cli")
            .args([
                "--user",
                HARNESS,
                "--pass",
                HARNESS,
                "--no-auth-warning",
                "-s",
            ])
            .arg(socket)
            .args(command)
            .output();
        let output = output.expect("redis-cli is missing: apt-get install redis-server");
        assert!(output.status.success(), "redis-cli {command:?} failed");
        String::from_utf8_lossy(&output.stdout)
            .trim_end()
            .to_owned()
    }

    /// The number of keys.
    #[track_caller]
    pub fn size(&self) -> usize {
        self.run(&["DBSIZE"]).parse().expect("DBSIZE is a number")
    }

    /// Everything that the server was ever told to keep, as it lies on the disk.
    ///
    /// # Panics
    /// When it is not there.
    #[track_caller]
    pub fn written(&self) -> Vec<u8> {
        let files = fs::read_dir(self.0.directory().join("appendonlydir"));
        let files = files.expect("the files of Redis").flatten();
        let bytes = files.map(|file| fs::read(file.path()).expect("a file of Redis"));
        bytes.collect::<Vec<_>>().concat()
    }
}

impl Default for Redis {
    fn default() -> Self {
        Self::new()
    }
}
