//! The bytes to and from a server.

use std::io;
use std::pin::Pin;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};

use super::{Address, Tls};
use crate::storage::redis::fault::Fault;

/// Any stream to a server.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send {}

impl<S: AsyncRead + AsyncWrite + Send> Stream for S {}

/// Opens a stream, secured if there is `tls`.
pub(super) async fn open(
    address: &Address,
    tls: Option<&Tls>,
) -> Result<Pin<Box<dyn Stream>>, Fault> {
    match address {
        Address::Tcp(host, port) => {
            let stream = tcp(host, *port)
                .await
                .map_err(|error| Fault::of_stream(&error))?;
            match tls {
                Some(tls) => Ok(Box::pin(tls.secure(host, stream).await?)),
                None => Ok(Box::pin(stream)),
            }
        }
        Address::Unix(path) => {
            let stream = UnixStream::connect(path)
                .await
                .map_err(|error| Fault::of_stream(&error))?;
            Ok(Box::pin(stream))
        }
    }
}

async fn tcp(host: &str, port: u16) -> io::Result<TcpStream> {
    let stream = TcpStream::connect((host, port)).await?;
    // Commands are small and somebody waits for each.
    stream.set_nodelay(true)?;
    Ok(stream)
}
