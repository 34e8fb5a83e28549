//! A proxy that people run in front of their services, and that asks the gateway about each request.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;

use tempfile::TempDir;

use crate::Browser;
use crate::log::Log;
use crate::patience::listens;

/// nginx, Caddy or HAProxy, as a process with a configuration of the test's. Ends with the test.
#[derive(Debug)]
pub struct Front {
    process: Child,
    address: SocketAddr,
    log: Log,
    /// Of the configuration.
    _directory: TempDir,
}

/// Which proxy it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum FrontKind {
    /// With `auth_request`.
    Nginx,
    /// With `forward_auth`.
    Caddy,
    /// With a script in Lua.
    Haproxy,
}

impl Front {
    /// Starts a proxy. `configure` writes its files into a directory for a port that the proxy is to listen on, the main
    /// one under the name that [`FrontKind::file`] gives.
    ///
    /// # Panics
    /// When it does not listen.
    #[track_caller]
    pub fn start(kind: FrontKind, configure: impl Fn(&Path, u16)) -> Self {
        loop {
            let directory = tempfile::tempdir().expect("a directory for the proxy");
            let port = free_port();
            configure(directory.path(), port);
            let mut process = kind
                .command(directory.path())
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap_or_else(|error| {
                    panic!(
                        "{kind:?} is missing: apt-get install {}: {error}",
                        kind.package()
                    )
                });
            let log = Log::of(process.stderr.take().expect("the log of the proxy"));
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
            if listens(&mut process, || TcpStream::connect(address)) {
                return Self {
                    process,
                    address,
                    log,
                    _directory: directory,
                };
            }
            // The port was free a moment ago.
            let _ = process.kill();
            let _ = process.wait();
            log.wait_for_end();
            let text = log.text().to_lowercase();
            let is_taken = text.contains("address already in use") || text.contains("cannot bind");
            assert!(is_taken, "{kind:?} does not listen:\n{text}");
        }
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// A browser that knows this proxy.
    pub fn browser(&self) -> Browser {
        Browser::new(self.address)
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        // nginx has workers, which end with their master only when it is asked.
        crate::gateway::signal(self.process.id(), "TERM");
        let _ = self.process.wait();
        if thread::panicking() {
            eprintln!("==== log of the proxy\n{}\n====", self.log.text());
        }
    }
}

impl FrontKind {
    /// The name of its configuration file.
    pub const fn file(self) -> &'static str {
        match self {
            Self::Nginx => "nginx.conf",
            Self::Caddy => "Caddyfile",
            Self::Haproxy => "haproxy.cfg",
        }
    }

    const fn package(self) -> &'static str {
        match self {
            Self::Nginx => "nginx-light",
            Self::Caddy => "caddy",
            Self::Haproxy => "haproxy",
        }
    }

    /// What is run in the directory of its files.
    fn command(self, directory: &Path) -> Command {
        let arguments: &[&str] = match self {
            Self::Nginx => &["-p", ".", "-e", "stderr", "-c", "nginx.conf"],
            Self::Caddy => &["run", "--config", "Caddyfile", "--adapter", "caddyfile"],
            Self::Haproxy => &["-db", "-f", "haproxy.cfg"],
        };
        let program = match self {
            Self::Nginx => "/usr/sbin/nginx",
            Self::Caddy => "caddy",
            Self::Haproxy => "/usr/sbin/haproxy",
        };
        let mut command = Command::new(program);
        command.args(arguments).current_dir(directory);
        command
            .env("HOME", directory)
            .env("XDG_DATA_HOME", directory);
        command
    }
}

/// A port that was free a moment ago: these proxies cannot be asked to choose one.
fn free_port() -> u16 {
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|socket| socket.local_addr());
    free.expect("a free port").port()
}
