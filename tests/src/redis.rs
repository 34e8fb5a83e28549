//! A Redis of the test's own.

use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::log::Log;

/// A server on a unix socket in a directory of its own, so that no port can be taken. What it was told survives
/// [`kill`](Self::kill) and [`start`](Self::start).
#[derive(Debug)]
pub struct Redis {
    directory: TempDir,
    server: Option<Child>,
}

impl Redis {
    /// Starts an empty server.
    ///
    /// # Panics
    /// When there is none to start.
    pub fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory for Redis");
        let mut redis = Self {
            directory,
            server: None,
        };
        redis.start();
        redis
    }

    /// Starts the server again, with the data it had.
    ///
    /// # Panics
    /// When it does not get ready.
    pub fn start(&mut self) {
        let mut command = Command::new("redis-server");
        command.args(["--port", "0", "--unixsocket", "redis.sock", "--save", ""]);
        command.args(["--appendonly", "yes", "--appendfsync", "always"]);
        command
            .current_dir(self.directory.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        let mut server = command
            .spawn()
            .expect("redis-server is missing: apt-get install redis-server");
        let log = Log::of(server.stdout.take().expect("the output of Redis"));
        self.server = Some(server);
        let ready = log.wait(|lines| {
            lines
                .iter()
                .any(|line| line.contains("eady to accept connections"))
                .then_some(())
        });
        assert!(ready.is_some(), "Redis did not start:\n{}", log.text());
    }

    /// Ends the server as a crash does.
    pub fn kill(&mut self) {
        if let Some(mut server) = self.server.take() {
            let _ = server.kill();
            let _ = server.wait();
        }
    }

    /// Stops the server in the middle of whatever it does: connections stay open and nothing answers.
    pub fn freeze(&self) {
        self.signal("STOP");
    }

    /// Lets a frozen server go on.
    pub fn thaw(&self) {
        self.signal("CONT");
    }

    /// The socket, for `storages.yaml`.
    pub fn socket(&self) -> PathBuf {
        self.directory.path().join("redis.sock")
    }

    /// Listens on TCP as well, and says on which port of 127.0.0.1.
    ///
    /// # Panics
    /// When the server takes no port.
    #[track_caller]
    pub fn listen(&self) -> u16 {
        // A port that was free a moment ago: Redis cannot be asked to choose one.
        let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let port = free.expect("a free port").port();
        let told = self.run(&["CONFIG", "SET", "port", &port.to_string()]);
        assert_eq!(told, "OK");
        port
    }

    /// Runs a command and returns what `redis-cli` prints.
    ///
    /// # Panics
    /// When the server does not answer.
    #[track_caller]
    pub fn run(&self, command: &[&str]) -> String {
        let socket = self.socket();
        let output = Command::new("redis-cli")
            .arg("-s")
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
        let files = fs::read_dir(self.directory.path().join("appendonlydir"));
        let files = files.expect("the files of Redis").flatten();
        let bytes = files.map(|file| fs::read(file.path()).expect("a file of Redis"));
        bytes.collect::<Vec<_>>().concat()
    }

    fn signal(&self, signal: &str) {
        if let Some(server) = &self.server {
            crate::gateway::signal(server.id(), signal);
        }
    }
}

impl Default for Redis {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.kill();
    }
}
