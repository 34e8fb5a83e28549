//! The PROXY protocol, versions 1 and 2: who is behind a load balancer that passes on bytes and not requests.
//!
//! A header stands before everything else on a connection, before TLS, too. It is read to its last byte and no further.

mod v1;
mod v2;

use std::net::IpAddr;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::time::timeout;

use crate::stream::Stream;

/// Whom a header names.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Origin {
    /// A client.
    Client(IpAddr),
    /// The sender itself: it checks how we are.
    Sender,
    /// Somebody whom the sender passes on without a name.
    Unnamed,
    /// Somebody without an address, on a unix socket of the sender's.
    Nowhere,
}

/// What was read of a header.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Progress {
    /// All of it.
    Done(Origin),
    /// There have to be this many more bytes, at least.
    Missing(usize),
}

/// Why a connection is closed.
#[derive(Debug, thiserror::Error)]
pub enum ProxyError {
    /// There is no header, or it is malformed.
    #[error("no valid header of the PROXY protocol")]
    Malformed,
    /// It did not come in time.
    #[error("no header of the PROXY protocol in time")]
    Late,
    /// The connection failed.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// Reads a header as far as it is there.
///
/// # Errors
/// When what is there is not the beginning of one.
pub fn parse(bytes: &[u8]) -> Result<Progress, ProxyError> {
    if bytes.len() < FIRST {
        return Ok(Progress::Missing(FIRST - bytes.len()));
    }
    if bytes.starts_with(v2::SIGNATURE) {
        v2::parse(bytes)
    } else {
        v1::parse(bytes)
    }
}

/// Reads the header of a connection, in `patience` altogether.
pub(super) async fn read(stream: &mut Stream, patience: Duration) -> Result<Origin, ProxyError> {
    timeout(patience, take(stream))
        .await
        .unwrap_or(Err(ProxyError::Late))
}

async fn take(stream: &mut Stream) -> Result<Origin, ProxyError> {
    let mut bytes = Vec::with_capacity(v1::LONGEST);
    loop {
        match parse(&bytes)? {
            Progress::Done(origin) => return Ok(origin),
            Progress::Missing(more) => {
                let known = bytes.len();
                bytes.resize(known + more, 0);
                stream.read_exact(&mut bytes[known..]).await?;
            }
        }
    }
}

// Shows which version it is; the shortest header of version 1 is longer.
const FIRST: usize = v2::SIGNATURE.len();

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::AsyncWriteExt;
    use tokio::net::UnixStream;

    #[test]
    fn headers_name_their_clients() {
        let v4: IpAddr = [203, 0, 113, 7].into();
        let v6: IpAddr = "2001:db8::7".parse().unwrap();
        for (bytes, origin) in [
            (
                &b"PROXY TCP4 203.0.113.7 10.0.0.1 4711 443\r\n"[..],
                Origin::Client(v4),
            ),
            (
                b"PROXY TCP6 2001:db8::7 fd00::1 4711 443\r\n",
                Origin::Client(v6),
            ),
            (
                b"PROXY TCP6 ::ffff:203.0.113.7 fd00::1 4711 443\r\n",
                Origin::Client(v4),
            ),
            (b"PROXY UNKNOWN\r\n", Origin::Unnamed),
            (
                b"PROXY UNKNOWN ffff:f...f:ffff whatever 65535 65535\r\n",
                Origin::Unnamed,
            ),
            (
                &second(
                    0x21,
                    0x11,
                    &[203, 0, 113, 7, 10, 0, 0, 1, 0x12, 0x67, 1, 0xbb],
                ),
                Origin::Client(v4),
            ),
            (
                &second(0x21, 0x21, &[v6_octets(v6), vec![0; 20]].concat()),
                Origin::Client(v6),
            ),
            // Behind the addresses stand notes that nobody needs.
            (
                &second(
                    0x21,
                    0x11,
                    &[
                        &[203, 0, 113, 7, 10, 0, 0, 1, 0, 0, 0, 0][..],
                        b"\x04\0\x03abc",
                    ]
                    .concat(),
                ),
                Origin::Client(v4),
            ),
            (&second(0x20, 0x11, &[0; 12]), Origin::Sender),
            (&second(0x20, 0x00, &[]), Origin::Sender),
            (&second(0x21, 0x00, &[]), Origin::Unnamed),
            (&second(0x21, 0x31, &[0; 216]), Origin::Nowhere),
        ] {
            assert_eq!(whole(bytes).unwrap(), Some(origin), "{bytes:?}");
        }
    }

    #[test]
    fn anything_else_is_malformed() {
        for bytes in [
            &b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"[..],
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            b"PROXY TCP4 203.0.113.7 10.0.0.1 4711 443\n............",
            b"PROXY TCP4 203.0.113.7 10.0.0.1 4711\r\n.............",
            b"PROXY TCP4 203.0.113.7 10.0.0.1 4711 443 x\r\n......",
            b"PROXY TCP4 203.0.113.7  10.0.0.1 4711 443\r\n......",
            b"PROXY TCP4 203.0.113.7 10.0.0.1 4711 65536\r\n......",
            b"PROXY TCP4 203.0.113.7 10.0.0.1 +4711 443\r\n......",
            b"PROXY TCP4 203.0.113.07 10.0.0.1 4711 443\r\n......",
            b"PROXY TCP4 2001:db8::7 fd00::1 4711 443\r\n..........",
            b"PROXY TCP6 203.0.113.7 10.0.0.1 4711 443\r\n.........",
            b"PROXY UDP4 203.0.113.7 10.0.0.1 4711 443\r\n.........",
            b"PROXY UNKNOWNX\r\n",
            b"proxy TCP4 203.0.113.7 10.0.0.1 4711 443\r\n.........",
            &[b"PROXY UNKNOWN ".as_slice(), &[b'x'; 100]].concat(),
            // Another version, another command, another transport, less than the addresses need.
            &second(0x11, 0x11, &[0; 12]),
            &second(0x22, 0x11, &[0; 12]),
            &second(0x21, 0x12, &[0; 12]),
            &second(0x21, 0x41, &[0; 12]),
            &second(0x21, 0x11, &[0; 11]),
            &second(0x21, 0x21, &[0; 35]),
            &second(0x21, 0x11, &[0; 5_000]),
        ] {
            assert!(
                whole(bytes).is_err(),
                "{:?}",
                String::from_utf8_lossy(bytes)
            );
        }
    }

    #[tokio::test]
    async fn not_a_byte_of_what_follows_is_taken() {
        for header in [
            b"PROXY TCP4 203.0.113.7 10.0.0.1 4711 443\r\n".to_vec(),
            b"PROXY UNKNOWN\r\n".to_vec(),
            second(0x21, 0x11, &[7; 40]),
        ] {
            let (mut near, far) = UnixStream::pair().unwrap();
            near.write_all(&[header.as_slice(), b"hello"].concat())
                .await
                .unwrap();
            let mut far = Stream::Unix(far);

            read(&mut far, Duration::from_secs(1)).await.unwrap();

            let mut rest = [0; 5];
            far.read_exact(&mut rest).await.unwrap();
            assert_eq!(&rest, b"hello");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_header_that_drips_is_late() {
        let (mut near, far) = UnixStream::pair().unwrap();
        let drip = async {
            for byte in b"PROXY TCP4 203.0.113.7 10.0.0.1 4711 443" {
                let _ = near.write_all(&[*byte]).await;
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        };
        let mut far = Stream::Unix(far);

        let (read, ()) = tokio::join!(read(&mut far, Duration::from_secs(10)), drip);

        assert!(matches!(read, Err(ProxyError::Late)), "{read:?}");
    }

    /// As if all of it had been read, byte by byte where that is asked for.
    fn whole(bytes: &[u8]) -> Result<Option<Origin>, ProxyError> {
        let mut known = 0;
        loop {
            match parse(&bytes[..known])? {
                Progress::Done(origin) => {
                    assert_eq!(known, bytes.len(), "all of it was needed");
                    return Ok(Some(origin));
                }
                Progress::Missing(more) if known + more <= bytes.len() => known += more,
                Progress::Missing(_) => return Ok(None),
            }
        }
    }

    fn second(version: u8, family: u8, payload: &[u8]) -> Vec<u8> {
        let length = u16::try_from(payload.len()).unwrap().to_be_bytes();
        [v2::SIGNATURE, &[version, family], &length, payload].concat()
    }

    fn v6_octets(address: IpAddr) -> Vec<u8> {
        match address {
            IpAddr::V6(address) => address.octets().to_vec(),
            IpAddr::V4(address) => address.octets().to_vec(),
        }
    }
}
