//! Opens connections to an upstream.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::net::{TcpStream, UnixStream, lookup_host};
use tokio::time::{Instant, timeout};

use super::endpoint::Place;
use super::{Origin, Protocol};
use crate::stream::Stream;

impl Origin {
    /// Connects anew, and says what is spoken. Names are resolved each time: what has moved is found where it is now.
    pub(super) async fn dial(&self, protocol: Protocol) -> io::Result<(Stream, Protocol)> {
        let stream = self.reach().await?;
        match (&self.tls, &self.endpoint.place) {
            (Some(tls), Place::Tcp { host, .. }) => tls.secure(host, stream, protocol).await,
            _ => {
                let chosen = match protocol {
                    Protocol::Http2 => Protocol::Http2,
                    Protocol::Either | Protocol::Http1 => Protocol::Http1,
                };
                Ok((stream, chosen))
            }
        }
    }

    async fn reach(&self) -> io::Result<Stream> {
        match &self.endpoint.place {
            Place::Tcp { host, port } => {
                let stream = match host.parse::<IpAddr>() {
                    Ok(address) => TcpStream::connect((address, *port)).await?,
                    Err(_) => {
                        let found = lookup_host((host.as_str(), *port)).await?;
                        let addresses: Vec<_> = found.collect();
                        first(&addresses, self.patience.connect, TcpStream::connect).await?
                    }
                };
                Stream::tcp(stream)
            }
            Place::Unix(path) => UnixStream::connect(path).await.map(Stream::Unix),
        }
    }
}

/// Tries one address after the other. Each has an equal share of the time that is left, so that one that swallows
/// packets does not use up all of it.
async fn first<T, F: Future<Output = io::Result<T>>>(
    addresses: &[SocketAddr],
    within: Duration,
    connect: impl Fn(SocketAddr) -> F,
) -> io::Result<T> {
    let deadline = Instant::now() + within;
    let mut failure = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for (left, address) in (1..=addresses.len() as u32).rev().zip(addresses) {
        let share = deadline.saturating_duration_since(Instant::now()) / left;
        failure = match timeout(share, connect(*address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => error,
            Err(_) => io::ErrorKind::TimedOut.into(),
        };
    }
    Err(failure)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_next_address_is_tried_when_one_refuses_or_is_silent() {
        let began = Instant::now();
        let connect = |address: SocketAddr| async move {
            match address.port() {
                1 => Err(io::ErrorKind::ConnectionRefused.into()),
                2 => std::future::pending().await,
                port => Ok(port),
            }
        };

        let reached = first(&addresses(&[1, 2, 3]), Duration::from_secs(4), connect).await;

        assert_eq!((reached.unwrap(), began.elapsed().as_secs()), (3, 2));
    }

    #[tokio::test(start_paused = true)]
    async fn silence_of_all_is_over_in_time_and_told_as_such() {
        let began = Instant::now();
        let silent = |_| std::future::pending::<io::Result<()>>();

        let error = first(&addresses(&[1, 2, 3]), Duration::from_secs(3), silent).await;

        assert_eq!(error.unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert_eq!(began.elapsed().as_secs(), 3);
    }

    fn addresses(ports: &[u16]) -> Vec<SocketAddr> {
        let of = |port: &u16| SocketAddr::from(([127, 0, 0, 1], *port));
        ports.iter().map(of).collect()
    }
}
