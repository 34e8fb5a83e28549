//! A server as a child process.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;

/// What a process is: a server of rows, or one that watches such servers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Role {
    Server,
    Sentinel,
}

/// A child that ends with this value.
#[derive(Debug)]
pub(super) struct Process(Child);

impl Process {
    /// Runs a server on the `redis.conf` in `directory` until it is ready.
    ///
    /// # Errors
    /// With its log, when it ends instead.
    ///
    /// # Panics
    /// When `redis-server` is not installed.
    pub(super) fn start(role: Role, directory: &Path) -> Result<Self, String> {
        let mut command = Command::new("redis-server");
        command.arg(CONFIGURATION).current_dir(directory);
        if role == Role::Sentinel {
            command.arg("--sentinel");
        }
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("redis-server runs (install it: apt-get install redis-server)");
        let log = child.stdout.take().expect("standard output is piped");
        let process = Self(child);
        until_ready(log, role.sign()).map(|()| process)
    }

    /// Sends a signal by its name.
    ///
    /// # Panics
    /// When the system does not let us.
    pub(super) fn signal(&self, signal: &str) {
        let sent = Command::new("kill")
            .args([format!("-{signal}"), self.0.id().to_string()])
            .status();
        assert!(
            sent.is_ok_and(|status| status.success()),
            "cannot send SIG{signal}"
        );
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Role {
    /// What the log says once connections are accepted.
    const fn sign(self) -> &'static str {
        match self {
            Self::Server => "eady to accept connections",
            Self::Sentinel => "Sentinel ID is",
        }
    }
}

fn until_ready(log: impl Read + Send + 'static, sign: &str) -> Result<(), String> {
    let mut lines = BufReader::new(log).lines().map_while(Result::ok);
    let mut story = String::new();
    for line in lines.by_ref() {
        if line.contains(sign) {
            // Somebody has to read on, or the server would wait to be heard.
            thread::spawn(move || lines.for_each(drop));
            return Ok(());
        }
        story.push_str(&line);
        story.push('\n');
    }
    Err(story)
}

/// The name of the configuration file. Sentinels and promoted replicas write into theirs.
pub(super) const CONFIGURATION: &str = "redis.conf";
