//! The bytes to and from a server.

use std::io;
use std::pin::Pin;

use abi::EventLoop;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};

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

/// Opens a stream, secured if there is `tls`.
pub(super) async fn open(
    address: &Address,
    tls: Option<&Tls>,
    waiter: &Waiter,
) -> Result<Pin<Box<dyn Stream>>, Fault> {
    let failed = |error| Fault::of_stream(&error);
    match (address, waiter) {
        (Address::Tcp(host, port), Waiter::Ours) => {
            let stream = tcp(host, *port).await.map_err(failed)?;
            secure(host, stream, tls).await
        }
        (Address::Tcp(host, port), Waiter::Gateway(event_loop)) => {
            let stream = tcp(host, *port).await.map_err(failed)?;
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

async fn tcp(host: &str, port: u16) -> io::Result<TcpStream> {
    let stream = TcpStream::connect((host, port)).await?;
    // Commands are small and somebody waits for each.
    stream.set_nodelay(true)?;
    Ok(stream)
}
