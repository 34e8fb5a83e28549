//! Version 1: a line of text.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{Origin, Progress, ProxyError};

/// The longest line there is, with its end.
pub(super) const LONGEST: usize = 107;

pub(super) fn parse(bytes: &[u8]) -> Result<Progress, ProxyError> {
    if !bytes.starts_with(START) {
        return Err(ProxyError::Malformed);
    }
    if let Some(line) = bytes.strip_suffix(END) {
        let line = std::str::from_utf8(&line[START.len()..]).map_err(|_| ProxyError::Malformed)?;
        return origin(line)
            .map(Progress::Done)
            .ok_or(ProxyError::Malformed);
    }
    // Somebody else's end of a line, or none.
    if bytes.contains(&b'\n') || bytes.len() >= LONGEST {
        return Err(ProxyError::Malformed);
    }
    Ok(Progress::Missing(missing(bytes)))
}

/// At least the shortest line, then one byte after the other: what follows is not ours.
fn missing(bytes: &[u8]) -> usize {
    let shortest = match &bytes[START.len()..] {
        [b'T', b'C', b'P', b'4', ..] => SHORTEST_V4.len(),
        [b'T', b'C', b'P', b'6', ..] => SHORTEST_V6.len(),
        _ => SHORTEST.len(),
    };
    shortest.saturating_sub(bytes.len()).max(1)
}

fn origin(line: &str) -> Option<Origin> {
    let (family, rest) = line.split_once(' ').unwrap_or((line, ""));
    let mut words = rest.split(' ');
    let mut word = || words.next();
    match family {
        "UNKNOWN" => return Some(Origin::Unnamed),
        "TCP4" | "TCP6" => {}
        _ => return None,
    }
    let address = |text: &str| -> Option<IpAddr> {
        match family {
            "TCP4" => text.parse::<Ipv4Addr>().ok().map(IpAddr::V4),
            _ => text.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
        }
    };
    let client = address(word()?)?;
    address(word()?)?;
    port(word()?)?;
    port(word()?)?;
    word()
        .is_none()
        .then(|| Origin::Client(client.to_canonical()))
}

fn port(text: &str) -> Option<u16> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

const START: &[u8] = b"PROXY ";
const END: &[u8] = b"\r\n";
const SHORTEST: &[u8] = b"PROXY UNKNOWN\r\n";
const SHORTEST_V4: &[u8] = b"PROXY TCP4 1.1.1.1 1.1.1.1 1 1\r\n";
const SHORTEST_V6: &[u8] = b"PROXY TCP6 :: :: 1 1\r\n";
