//! What all contenders have behind them: one upstream, one Redis, one directory.

use std::net::SocketAddr;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use super::nginx::{self, Config};
use super::page;
use super::process::{Process, Processor, await_listener};
use crate::Error;

/// The upstream and Redis, while they run.
pub(super) struct Backend {
    directory: PathBuf,
    upstream: SocketAddr,
    _processes: [Process; 2],
}

impl Backend {
    /// Starts both.
    ///
    /// # Errors
    /// When one of them does not start.
    pub(super) fn start(directory: &Path) -> Result<Self, Error> {
        let directory = directory.to_owned();
        let (page, upstream) = upstream(&directory)?;
        let redis = redis(&socket_in(&directory))?;
        Ok(Self {
            directory,
            upstream,
            _processes: [page, redis],
        })
    }

    /// Where contenders have their files. The gateway is laid out there.
    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Where the page is.
    pub(super) const fn upstream(&self) -> SocketAddr {
        self.upstream
    }

    /// The socket of Redis. The same way for everybody, and the shortest.
    pub(super) fn redis(&self) -> String {
        socket_in(&self.directory)
    }
}

fn socket_in(directory: &Path) -> String {
    directory.join("redis.sock").display().to_string()
}

/// Insists on both headers. Logs in whoever asks for `/login` through a gateway that keeps sessions, or through Apache.
fn upstream(directory: &Path) -> Result<(Process, SocketAddr), Error> {
    let server = format!(
        "location = /login {{ add_header X-Session-Set '{}'; add_header X-Replace-Session '{}'; return 200; }}\n\
         location / {{ if ($http_x_user_id != '{}') {{ return 403; }} if ($http_authorization = '') {{ return 403; }}\n\
         return 200 '{}'; }}",
        page::session(),
        page::form(),
        page::USER,
        page::body()
    );
    let config = Config {
        server: &server,
        ..Config::default()
    };
    nginx::start(&directory.join("upstream"), Processor::Others, config)
}

fn redis(socket: &str) -> Result<Process, Error> {
    let mut server = Processor::Others.command("redis-server");
    server.args(["--port", "0", "--save", "", "--unixsocket", socket]);
    let process = Process::start(server.stdout(Stdio::null()))?;
    await_listener("redis-server", || UnixStream::connect(socket).is_ok())?;
    Ok(process)
}
