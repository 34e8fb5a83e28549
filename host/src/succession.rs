//! One process after the other on the same sockets, so that a new release begins without a connection refused.
//!
//! Sockets are passed on as systemd passes them to a service that it starts for a socket: open from descriptor 3 on,
//! their number in `LISTEN_FDS`. A successor has one more, through which it says that it serves.

use std::env;
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::path::Path;
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

use command_fds::{CommandFdExt, FdMapping};
use listenfd::ListenFd;

/// Sockets that somebody has opened for this process.
#[derive(Debug, Default)]
pub struct Inherited {
    tcp: Vec<TcpListener>,
    unix: Vec<UnixListener>,
    predecessor: Option<UnixDatagram>,
}

/// Why there is no successor.
#[derive(Debug, thiserror::Error)]
pub enum SuccessionError {
    /// It ended before it served. Its own log lines say why.
    #[error("it ended with {0}")]
    Ended(ExitStatus),
    /// It cannot be started.
    #[error("it cannot be started")]
    Start(#[from] io::Error),
    /// It did not serve in time.
    #[error("it did not serve within {READY_WITHIN:?}")]
    Late,
}

impl Inherited {
    /// Takes what the environment speaks of: nothing, unless systemd or a gateway has started this process. To be called
    /// once, before anything else opens descriptors.
    pub fn take() -> Self {
        let mut passed = ListenFd::from_env();
        let mut inherited = Self::default();
        for index in 0..passed.len() {
            if let Ok(Some(listener)) = passed.take_tcp_listener(index) {
                inherited.tcp.push(listener);
            } else if let Ok(Some(listener)) = passed.take_unix_listener(index) {
                inherited.unix.push(listener);
            } else if let Ok(Some(socket)) = passed.take_unix_datagram(index)
                && env::var_os(SUCCESSOR).is_some()
            {
                inherited.predecessor = Some(socket);
            }
        }
        inherited
    }

    /// The listeners at this address, and no others. With port 0 those at any port of the address that comes first.
    pub(crate) fn tcp(&mut self, address: SocketAddr) -> Vec<TcpListener> {
        let wanted = |listener: &TcpListener| {
            let local = listener.local_addr().ok()?;
            let fits = local == address || (address.port() == 0 && local.ip() == address.ip());
            fits.then_some(local)
        };
        let Some(first) = self.tcp.iter().find_map(wanted) else {
            return Vec::new();
        };
        let is_first = |listener: &mut TcpListener| listener.local_addr().ok() == Some(first);
        self.tcp.extract_if(.., is_first).collect()
    }

    /// The listener at this path. Of the process before, each worker had a copy of it, which are closed.
    pub(crate) fn unix(&mut self, path: &Path) -> Option<UnixListener> {
        let is_there = |listener: &mut UnixListener| {
            let local = listener.local_addr();
            local.is_ok_and(|local| local.as_pathname() == Some(path))
        };
        self.unix.extract_if(.., is_there).last()
    }

    /// Says that this process serves, to the one before it if there is one. Returns how many sockets nobody wanted,
    /// which are closed.
    ///
    /// # Errors
    /// When the process before is gone.
    pub fn serve(self) -> io::Result<usize> {
        if let Some(predecessor) = &self.predecessor {
            predecessor.send(READY)?;
        }
        Ok(self.tcp.len() + self.unix.len())
    }
}

/// Starts this program anew, as it is on the disk now and with the same arguments, lets it listen on `sockets`, and waits
/// until it serves. Returns its number.
///
/// # Errors
/// When it does not; it is gone then.
pub fn begin(sockets: Vec<OwnedFd>) -> Result<u32, SuccessionError> {
    let (ours, theirs) = UnixDatagram::pair()?;
    ours.set_read_timeout(Some(LOOK_EVERY))?;
    let mut child = start(sockets, theirs)?;
    let until = Instant::now() + READY_WITHIN;
    while Instant::now() < until {
        match ours.recv(&mut [0; READY.len()]) {
            Ok(_) => return Ok(child.id()),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(abandon(child, error.into())),
        }
        if let Some(status) = child.try_wait()? {
            return Err(SuccessionError::Ended(status));
        }
    }
    Err(abandon(child, SuccessionError::Late))
}

fn start(sockets: Vec<OwnedFd>, said: UnixDatagram) -> io::Result<Child> {
    let mut arguments = env::args_os();
    let program = arguments.next().ok_or(ErrorKind::NotFound)?;
    let passed = sockets.into_iter().chain([said.into()]);
    let mappings: Vec<_> = passed
        .zip(FIRST..)
        .map(|(parent_fd, child_fd)| FdMapping {
            parent_fd,
            child_fd,
        })
        .collect();
    Command::new(program)
        .args(arguments)
        .env("LISTEN_FDS", mappings.len().to_string())
        .env(SUCCESSOR, "1")
        // Nobody knows its number before it runs.
        .env_remove("LISTEN_PID")
        .env_remove("LISTEN_FDNAMES")
        .fd_mappings(mappings)
        .map_err(io::Error::other)?
        .spawn()
}

fn abandon(mut child: Child, error: SuccessionError) -> SuccessionError {
    let _ = child.kill();
    let _ = child.wait();
    error
}

const SUCCESSOR: &str = "GATEWAY_SUCCESSOR";
const READY: &[u8] = b"ready";
const FIRST: i32 = 3;
const LOOK_EVERY: Duration = Duration::from_millis(20);
// Opening a large file of sessions after a crash takes seconds.
const READY_WITHIN: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_that_workers_had_of_a_socket_are_not_unwanted() {
        let directory = tempfile::tempdir().unwrap();
        let [path, elsewhere] = ["a", "b"].map(|name| directory.path().join(name));
        let listener = UnixListener::bind(&path).unwrap();
        let copy = listener.try_clone().unwrap();
        let other = UnixListener::bind(&elsewhere).unwrap();
        let mut inherited = Inherited {
            unix: vec![listener, other, copy],
            ..Inherited::default()
        };

        assert!(inherited.unix(&path).is_some());

        assert_eq!(inherited.serve().unwrap(), 1);
    }
}
