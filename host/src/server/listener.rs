//! The sockets the gateway listens on.

use std::fs::Permissions;
use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener as StdTcpListener, ToSocketAddrs};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener as StdUnixListener, UnixStream as StdUnixStream};
use std::path::Path;

use socket2::{Domain, Protocol, SockRef, Socket, Type};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};

use super::ServerError;
use crate::config::Address;
use crate::stream::Stream;
use crate::succession::Inherited;

/// A bound socket that no runtime knows yet.
#[derive(Debug)]
pub(super) enum Bound {
    Tcp(StdTcpListener),
    Unix(StdUnixListener),
}

/// A listening socket of one worker.
#[derive(Debug)]
pub(super) enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener),
}

/// Binds every address for every worker. Returns the sockets by worker, and the addresses with their real ports.
pub(super) fn bind(
    addresses: &[Address],
    socket_mode: Option<u32>,
    workers: usize,
    inherited: &mut Inherited,
) -> Result<(Vec<Vec<Bound>>, Vec<Address>), ServerError> {
    let mut by_worker: Vec<Vec<Bound>> = (0..workers).map(|_| Vec::new()).collect();
    let mut real = Vec::with_capacity(addresses.len());
    for address in addresses {
        let refused = |source| ServerError::Listen {
            address: address.clone(),
            source,
        };
        let (sockets, address) = match address {
            Address::Tcp(name) => tcp(name, workers, inherited).map_err(refused)?,
            Address::Unix(path) => {
                let open = inherited
                    .unix(path)
                    .map_or_else(|| open(path, socket_mode), Ok);
                let sockets = open.and_then(|open| shared(&open, workers));
                let sockets = sockets.map_err(refused)?;
                (sockets, address.clone())
            }
        };
        real.push(address);
        // There may be more than workers: all of them have connections to be accepted.
        for (index, socket) in sockets.into_iter().enumerate() {
            by_worker[index % workers].push(socket);
        }
    }
    Ok((by_worker, real))
}

fn tcp(name: &str, workers: usize, inherited: &mut Inherited) -> io::Result<(Vec<Bound>, Address)> {
    let missing = || io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    let mut address = name.to_socket_addrs()?.next().ok_or_else(missing)?;
    let mut sockets = inherited.tcp(address);
    if let Some(first) = sockets.first() {
        address = first.local_addr()?;
        let may_share = SockRef::from(first).reuse_port()?;
        while sockets.len() < workers {
            sockets.push(match may_share {
                true => listen(address, Sharing::Workers)?,
                false => sockets[0].try_clone()?,
            });
        }
    } else {
        // With SO_REUSEPORT a second gateway would quietly share the port. A socket without it finds out who is there.
        drop(listen(address, Sharing::Alone)?);
    }
    while sockets.len() < workers {
        let socket = listen(address, Sharing::Workers)?;
        address = socket.local_addr()?;
        sockets.push(socket);
    }
    for socket in &sockets {
        socket.set_nonblocking(true)?;
    }
    let sockets = sockets.into_iter().map(Bound::Tcp).collect();
    Ok((sockets, Address::Tcp(address.to_string())))
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Sharing {
    Alone,
    Workers,
}

fn listen(address: SocketAddr, sharing: Sharing) -> io::Result<StdTcpListener> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    // Connections of the last run that still linger do not keep the port.
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(sharing == Sharing::Workers)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

fn open(path: &Path, mode: Option<u32>) -> io::Result<StdUnixListener> {
    remove_abandoned(path)?;
    let listener = StdUnixListener::bind(path)?;
    if let Some(mode) = mode {
        std::fs::set_permissions(path, Permissions::from_mode(mode))?;
    }
    Ok(listener)
}

fn shared(listener: &StdUnixListener, workers: usize) -> io::Result<Vec<Bound>> {
    listener.set_nonblocking(true)?;
    (0..workers)
        .map(|_| listener.try_clone().map(Bound::Unix))
        .collect()
}

/// A socket file outlives its process. One that nobody answers on is in the way and nothing else.
fn remove_abandoned(path: &Path) -> io::Result<()> {
    let is_socket = std::fs::metadata(path).is_ok_and(|file| file.file_type().is_socket());
    let refused = || {
        let error = StdUnixStream::connect(path).err();
        error.is_some_and(|error| error.kind() == io::ErrorKind::ConnectionRefused)
    };
    if is_socket && refused() {
        std::fs::remove_file(path)
    } else {
        Ok(())
    }
}

impl Bound {
    /// Another descriptor of the same socket.
    pub(super) fn copy(&self) -> io::Result<OwnedFd> {
        match self {
            Self::Tcp(socket) => socket.as_fd().try_clone_to_owned(),
            Self::Unix(socket) => socket.as_fd().try_clone_to_owned(),
        }
    }

    /// Hands the socket to the runtime of this thread.
    pub(super) fn register(self) -> io::Result<Listener> {
        match self {
            Self::Tcp(socket) => TcpListener::from_std(socket).map(Listener::Tcp),
            Self::Unix(socket) => UnixListener::from_std(socket).map(Listener::Unix),
        }
    }

    /// The next connection, if there is one, for the runtime of this thread.
    pub(super) fn accept(&self) -> io::Result<(Stream, Option<IpAddr>)> {
        match self {
            Self::Tcp(listener) => {
                let (stream, address) = listener.accept()?;
                stream.set_nonblocking(true)?;
                let stream = Stream::tcp(TcpStream::from_std(stream)?)?;
                Ok((stream, Some(address.ip().to_canonical())))
            }
            Self::Unix(listener) => {
                let (stream, _) = listener.accept()?;
                stream.set_nonblocking(true)?;
                Ok((Stream::Unix(UnixStream::from_std(stream)?), None))
            }
        }
    }
}

impl Listener {
    /// Takes the socket from the runtime.
    pub(super) fn unregister(self) -> io::Result<Bound> {
        match self {
            Self::Tcp(listener) => listener.into_std().map(Bound::Tcp),
            Self::Unix(listener) => listener.into_std().map(Bound::Unix),
        }
    }

    /// The next connection and its address, which one over a unix socket has not.
    pub(super) async fn accept(&self) -> io::Result<(Stream, Option<IpAddr>)> {
        match self {
            Self::Tcp(listener) => {
                let (stream, address) = listener.accept().await?;
                Ok((Stream::tcp(stream)?, Some(address.ip().to_canonical())))
            }
            Self::Unix(listener) => {
                let (stream, _) = listener.accept().await?;
                Ok((Stream::Unix(stream), None))
            }
        }
    }
}

// What Linux caps a backlog at by default.
pub(super) const BACKLOG: i32 = 4096;
