//! The bytes to and from a server.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::time::Duration;

use abi::EventLoop;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream, lookup_host};
use tokio::time::timeout;

use super::{Address, Tls};
use crate::runtime::LentStream;
use crate::storage::redis::fault::Fault;

/// Any stream to a server.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send {}

impl<S: AsyncRead + AsyncWrite + Send> Stream for S {}

/// Who waits for the bytes.
#[derive(Clone, Debug)]
pub(super) enum Waiter {
    /// Our own runtime.
    Ours,
    /// The gateway's thread that this loop belongs to. The stream is for that thread.
    Gateway(EventLoop),
}

/// Opens a stream, secured if there is `tls`. Takes as long as the network likes; within `limit`, every address of a name
/// is tried.
pub(super) async fn open(
    address: &Address,
    (tls, limit): (Option<&Tls>, Duration),
    waiter: &Waiter,
) -> Result<Pin<Box<dyn Stream>>, Fault> {
    let failed = |error| Fault::of_stream(&error);
    match (address, waiter) {
        (Address::Tcp(host, port), Waiter::Ours) => {
            let stream = tcp(host, *port, limit).await.map_err(failed)?;
            secure(host, stream, tls).await
        }
        (Address::Tcp(host, port), Waiter::Gateway(event_loop)) => {
            let stream = tcp(host, *port, limit).await.map_err(failed)?;
            let stream = stream
                .into_std()
                .and_then(|stream| event_loop.watch(stream));
            secure(host, LentStream::new(stream.map_err(failed)?), tls).await
        }
        (Address::Unix(path), Waiter::Ours) => {
            Ok(Box::pin(UnixStream::connect(path).await.map_err(failed)?))
        }
        (Address::Unix(path), Waiter::Gateway(event_loop)) => {
            let stream = UnixStream::connect(path).await.map_err(failed)?;
            let stream = stream
                .into_std()
                .and_then(|stream| event_loop.watch(stream));
            Ok(Box::pin(LentStream::new(stream.map_err(failed)?)))
        }
    }
}

async fn secure<S>(host: &str, stream: S, tls: Option<&Tls>) -> Result<Pin<Box<dyn Stream>>, Fault>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    match tls {
        Some(tls) => Ok(Box::pin(tls.secure(host, stream).await?)),
        None => Ok(Box::pin(stream)),
    }
}

async fn tcp(host: &str, port: u16, limit: Duration) -> io::Result<TcpStream> {
    let addresses: Vec<_> = lookup_host((host, port)).await?.collect();
    let stream = first(&addresses, limit).await?;
    // Commands are small and somebody waits for each.
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Connects to the first of these that answers. Each but the last has an equal share of the time: one that swallows what
/// is sent to it must not keep us from the others.
async fn first(addresses: &[SocketAddr], limit: Duration) -> io::Result<TcpStream> {
    let Some((last, others)) = addresses.split_last() else {
        return Err(io::Error::new(
            io::ErrorKind::NotFound,
            "the name has no address",
        ));
    };
    let share = limit / u32::try_from(addresses.len()).unwrap_or(u32::MAX);
    for address in others {
        if let Ok(Ok(stream)) = timeout(share, TcpStream::connect(address)).await {
            return Ok(stream);
        }
    }
    TcpStream::connect(last).await
}

#[cfg(test)]
mod tests {
    use tokio::net::{TcpListener, TcpSocket};

    use super::*;

    #[tokio::test]
    async fn an_address_that_swallows_everything_does_not_hide_the_next() {
        let (hole, _kept) = black_hole().await;
        let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = server.local_addr().unwrap();

        let limit = Duration::from_secs(4);
        let stream = timeout(limit, first(&[hole, server], limit)).await;

        let stream = stream.expect("a connection within the time").unwrap();
        assert_eq!(stream.peer_addr().unwrap(), server);
    }

    #[tokio::test]
    async fn of_several_addresses_that_refuse_the_last_is_told() {
        let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = free.local_addr().unwrap();
        drop(free);

        let refused = first(&[address, address], Duration::from_secs(60)).await;

        let kind = refused.map(drop).map_err(|error| error.kind());
        assert_eq!(kind, Err(io::ErrorKind::ConnectionRefused));
    }

    /// Where nobody accepts and no more can wait, so that the system drops who else comes.
    async fn black_hole() -> (SocketAddr, (TcpListener, Vec<TcpStream>)) {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener = socket.listen(1).unwrap();
        let address = listener.local_addr().unwrap();
        let mut waiting = Vec::new();
        while let Ok(stream) =
            timeout(Duration::from_millis(200), TcpStream::connect(address)).await
        {
            waiting.push(stream.unwrap());
        }
        (address, (listener, waiting))
    }
}
