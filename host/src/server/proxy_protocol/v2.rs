//! Version 2: a few bytes that cannot be taken for text.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{Origin, Progress, ProxyError};

pub(super) const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

pub(super) fn parse(bytes: &[u8]) -> Result<Progress, ProxyError> {
    let rest = &bytes[SIGNATURE.len()..];
    let [version, family, high, low, payload @ ..] = rest else {
        return Ok(Progress::Missing(HEAD - bytes.len()));
    };
    let length = usize::from(u16::from_be_bytes([*high, *low]));
    if length > LONGEST {
        return Err(ProxyError::Malformed);
    }
    if payload.len() < length {
        return Ok(Progress::Missing(length - payload.len()));
    }
    origin(*version, *family, payload)
        .map(Progress::Done)
        .ok_or(ProxyError::Malformed)
}

/// What stands behind the addresses is not looked at.
fn origin(version: u8, family: u8, payload: &[u8]) -> Option<Origin> {
    match (version, family) {
        (LOCAL, _) => Some(Origin::Sender),
        (PROXY, UNSPECIFIED) => Some(Origin::Unnamed),
        (PROXY, TCP_V4) => {
            let address: [u8; 4] = payload.get(..12)?.first_chunk().copied()?;
            Some(Origin::Client(Ipv4Addr::from(address).into()))
        }
        (PROXY, TCP_V6) => {
            let address: [u8; 16] = payload.get(..36)?.first_chunk().copied()?;
            let address = IpAddr::V6(Ipv6Addr::from(address));
            Some(Origin::Client(address.to_canonical()))
        }
        (PROXY, UNIX_STREAM) => payload.get(..216).map(|_| Origin::Nowhere),
        _ => None,
    }
}

const HEAD: usize = SIGNATURE.len() + 4;
// Far above what load balancers note, a certificate of the client's included.
const LONGEST: usize = 4 * 1024;

const LOCAL: u8 = 0x20;
const PROXY: u8 = 0x21;
const UNSPECIFIED: u8 = 0x00;
const TCP_V4: u8 = 0x11;
const TCP_V6: u8 = 0x21;
const UNIX_STREAM: u8 = 0x31;
