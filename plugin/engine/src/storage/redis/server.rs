//! A real server for tests, as a child on a unix socket in a directory of its own.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use abi::config::{ConfigDuration, Secret};

use super::RedisConfig;

/// A running `redis-server`. It ends with this value.
#[derive(Debug)]
pub struct RedisServer {
    child: Child,
    socket: PathBuf,
}

impl RedisServer {
    /// Starts an empty server with its socket in `directory`. It may not listen yet when this returns.
    ///
    /// # Panics
    /// When `redis-server` is not installed.
    pub fn start(directory: &Path) -> Self {
        let socket = directory.join("redis.sock");
        let child = Command::new("redis-server")
            .args([
                "--port",
                "0",
                "--save",
                "",
                "--appendonly",
                "no",
                "--unixsocket",
            ])
            .arg(&socket)
            .arg("--dir")
            .arg(directory)
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server runs (install it: apt-get install redis-server)");
        Self { child, socket }
    }

    /// How to reach it, with all the patience that a busy machine may ask for.
    pub fn config(&self) -> RedisConfig {
        RedisConfig {
            url: Secret::new(format!("unix://{}", self.socket.display())),
            timeout: ConfigDuration::of_secs(60),
            connect_timeout: ConfigDuration::of_secs(60),
            ..RedisConfig::default()
        }
    }

    /// Ends the server without giving it a chance to say goodbye.
    ///
    /// # Panics
    /// When the system does not let us.
    pub fn kill(&mut self) {
        self.child.kill().expect("our own child can be killed");
        self.child.wait().expect("our own child can be waited for");
        // A killed server leaves its socket behind.
        let _ = std::fs::remove_file(&self.socket);
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
