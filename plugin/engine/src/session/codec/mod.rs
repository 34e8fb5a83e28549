//! States as bytes, for every storage that keeps bytes.
//!
//! ```text
//! offset  size  field
//!      0     1  format: 1
//!      1     1  tag: L live, P rotation pending, A alias (rotated), X revoked, R roster, D roster with devices
//!
//! A, P:   2  32  nonce
//! A:      .   8  end of the grace, milliseconds since 1970, big-endian, as all numbers here
//! L, P:   .   8  created_at
//!         .   8  renewed_at
//!         .   8  seen_at
//!         .   8  expires_at
//!         .   8  own life in milliseconds, 0 = the configured one
//!         .   8  family
//!         .   1  0, or 1 and then 32 bytes: the key of the roster
//!         .   *  attributes, a JSON object up to the end
//! R:      2   8  how many entries follow, in the order of their families, each of four numbers:
//!         .  32  family, created_at, seen_at, expires_at
//! D:          *  as R, and behind the four numbers of each entry two texts, each with a byte of length in front: the
//!                octets of the address of the device (0, 4 or 16) and its name in UTF-8
//! ```
//! Decoding is strict and there is exactly one decoder: what it refuses is never tried with a weaker one. The
//! version of a row is not in here; the storage keeps it next to these bytes so that it can compare it.

use std::num::NonZeroU64;

use abi::storage::Key;

use super::attributes::Attributes;
use super::device::Device;
use super::family::Family;
use super::head::Head;
use super::nonce::Nonce;
use super::record::Record;
use super::roster::{Entry, Roster};
use super::state::{Rotated, Rotating, State};
use super::timestamp::Timestamp;

/// Writes `state` in the current format.
pub fn encode(state: &State) -> Vec<u8> {
    match state {
        State::Live(record) => with_record(vec![FORMAT, LIVE], record),
        State::Rotating(rotating) => {
            with_record(with_nonce(PENDING, &rotating.nonce), &rotating.record)
        }
        State::Rotated(rotated) => {
            let until = rotated.until.as_millis();
            with_numbers(with_nonce(ALIAS, &rotated.nonce), [until])
        }
        State::Revoked => vec![FORMAT, REVOKED],
        State::Roster(roster) => with_roster(roster),
    }
}

/// Reads what [`encode`] wrote.
///
/// # Errors
/// When the bytes are anything else. Such a row is quarantined: for the session it belongs to it is as good as
/// absent, and it is counted and logged.
pub fn decode(bytes: &[u8]) -> Result<State, DecodeError> {
    let (&[format, tag], rest) = bytes.split_first_chunk().ok_or(DecodeError::Truncated)?;
    if format != FORMAT {
        return Err(DecodeError::Format(format));
    }
    match tag {
        LIVE => Ok(State::Live(record(rest)?)),
        PENDING => {
            let (nonce, rest) = nonce(rest)?;
            let record = record(rest)?;
            Ok(State::Rotating(Rotating { nonce, record }.into()))
        }
        ALIAS => {
            let (nonce, rest) = nonce(rest)?;
            let (until, rest) = time(rest)?;
            at_end(rest)?;
            Ok(State::Rotated(Rotated { nonce, until }.into()))
        }
        REVOKED => at_end(rest).map(|()| State::Revoked),
        ROSTER => roster(rest, entry).map(State::Roster),
        DEVICES => roster(rest, entry_with_device).map(State::Roster),
        unknown => Err(DecodeError::Tag(unknown)),
    }
}

/// Why bytes are not a state. Names no content: it is somebody's session, and `serde_json` quotes what it dislikes.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum DecodeError {
    /// The attributes are not a JSON object with unique names.
    #[error("the attributes are not a JSON object with unique names")]
    Attributes,
    /// The clocks contradict each other.
    #[error("the clocks contradict each other")]
    Clocks,
    /// Another format, perhaps of a newer gateway.
    #[error("unknown format {0}")]
    Format(u8),
    /// The device of an entry of a roster is none that is written.
    #[error("the device of an entry is none")]
    Device,
    /// A state that this format does not have.
    #[error("unknown tag {0}")]
    Tag(u8),
    /// Bytes after the end.
    #[error("bytes after the end")]
    Trailing,
    /// The entries of a roster are not in order, or there are two for one session.
    #[error("the entries of the roster are not in order")]
    Order,
    /// The end comes too early.
    #[error("the end comes too early")]
    Truncated,
}

fn with_nonce(tag: u8, nonce: &Nonce) -> Vec<u8> {
    [&[FORMAT, tag], nonce.as_bytes().as_slice()].concat()
}

fn with_record(bytes: Vec<u8>, record: &Record) -> Vec<u8> {
    let head = record.head();
    let clocks = [
        head.created_at,
        head.renewed_at,
        head.seen_at,
        head.expires_at,
    ];
    let mut bytes = with_numbers(bytes, clocks.map(Timestamp::as_millis));
    let own_life = head.own_life.map_or(0, NonZeroU64::get);
    bytes = with_numbers(bytes, [own_life, head.family.bits()]);
    bytes.push(head.roster.is_some().into());
    if let Some(key) = &head.roster {
        bytes.extend(key.as_bytes());
    }
    serde_json::to_writer(&mut bytes, &record.attributes())
        .expect("a vector takes every byte and attributes have text names");
    bytes
}

/// As long as no device is known, in the form that gateways before devices read.
fn with_roster(roster: &Roster) -> Vec<u8> {
    let entries: Vec<_> = roster.entries().collect();
    let head = |tag| with_numbers(vec![FORMAT, tag], [entries.len() as u64]);
    match entries.iter().any(|entry| entry.device.is_some()) {
        true => entries.iter().fold(head(DEVICES), with_entry_and_device),
        false => entries.iter().fold(head(ROSTER), with_entry),
    }
}

fn with_entry_and_device(bytes: Vec<u8>, entry: &Entry) -> Vec<u8> {
    let (ip, agent) = entry.device.as_ref().map(Device::parts).unwrap_or_default();
    with_text(with_text(with_entry(bytes, entry), ip), agent)
}

/// What is longer than a byte can say is cut: no device is.
fn with_text(mut bytes: Vec<u8>, text: &[u8]) -> Vec<u8> {
    let length = u8::try_from(text.len()).unwrap_or(u8::MAX);
    bytes.push(length);
    bytes.extend(&text[..length.into()]);
    bytes
}

fn with_entry(bytes: Vec<u8>, entry: &Entry) -> Vec<u8> {
    let times = [entry.created_at, entry.seen_at, entry.expires_at];
    with_numbers(
        with_numbers(bytes, [entry.family.bits()]),
        times.map(Timestamp::as_millis),
    )
}

fn with_numbers<const N: usize>(mut bytes: Vec<u8>, numbers: [u64; N]) -> Vec<u8> {
    for number in numbers {
        bytes.extend(number.to_be_bytes());
    }
    bytes
}

fn record(bytes: &[u8]) -> Result<Record, DecodeError> {
    let (created_at, rest) = time(bytes)?;
    let (renewed_at, rest) = time(rest)?;
    let (seen_at, rest) = time(rest)?;
    let (expires_at, rest) = time(rest)?;
    let (own_life, rest) = number(rest)?;
    let (family, rest) = number(rest)?;
    let (roster, rest) = membership(rest)?;
    let head = Head {
        created_at,
        renewed_at,
        seen_at,
        expires_at,
        own_life: NonZeroU64::new(own_life),
        family: Family::new(family),
        roster,
    };
    let attributes = attributes(rest)?;
    if head.is_consistent() {
        Ok(Record::new(head, attributes.view()))
    } else {
        Err(DecodeError::Clocks)
    }
}

fn membership(bytes: &[u8]) -> Result<(Option<Key>, &[u8]), DecodeError> {
    match take(bytes)? {
        ([0], rest) => Ok((None, rest)),
        ([1], rest) => {
            let (key, rest) = take(rest)?;
            Ok((Some(Key::new(key)), rest))
        }
        ([other], _) => Err(DecodeError::Tag(other)),
    }
}

fn roster(bytes: &[u8], entry: ReadEntry) -> Result<Roster, DecodeError> {
    let (count, mut rest) = number(bytes)?;
    let mut entries = Vec::with_capacity(rest.len() / ENTRY);
    for _ in 0..count {
        let (entry, after) = entry(rest)?;
        entries.push(entry);
        rest = after;
    }
    at_end(rest)?;
    if !entries.is_sorted_by(|one, next| one.family < next.family) {
        return Err(DecodeError::Order);
    }
    Ok(entries.into_iter().collect())
}

fn entry(bytes: &[u8]) -> Result<(Entry, &[u8]), DecodeError> {
    let (family, rest) = number(bytes)?;
    let (created_at, rest) = time(rest)?;
    let (seen_at, rest) = time(rest)?;
    let (expires_at, rest) = time(rest)?;
    let entry = Entry {
        family: Family::new(family),
        created_at,
        seen_at,
        expires_at,
        device: None,
    };
    Ok((entry, rest))
}

fn entry_with_device(bytes: &[u8]) -> Result<(Entry, &[u8]), DecodeError> {
    let (entry, rest) = entry(bytes)?;
    let (ip, rest) = text(rest)?;
    let (agent, rest) = text(rest)?;
    let device = match (ip, agent) {
        ([], []) => None,
        (ip, agent) => Some(Device::from_parts(ip, agent).ok_or(DecodeError::Device)?),
    };
    Ok((Entry { device, ..entry }, rest))
}

fn text(bytes: &[u8]) -> Result<(&[u8], &[u8]), DecodeError> {
    let ([length], rest) = take(bytes)?;
    rest.split_at_checked(length.into())
        .ok_or(DecodeError::Truncated)
}

fn nonce(bytes: &[u8]) -> Result<(Nonce, &[u8]), DecodeError> {
    let (nonce, rest) = take(bytes)?;
    Ok((Nonce::new(nonce), rest))
}

fn time(bytes: &[u8]) -> Result<(Timestamp, &[u8]), DecodeError> {
    let (millis, rest) = number(bytes)?;
    Ok((Timestamp::from_millis(millis), rest))
}

fn attributes(json: &[u8]) -> Result<Attributes, DecodeError> {
    // Looked at once as a whole, which is cheaper than text after text.
    let json = str::from_utf8(json).map_err(|_| DecodeError::Attributes)?;
    serde_json::from_str(json).map_err(|_| DecodeError::Attributes)
}

fn number(bytes: &[u8]) -> Result<(u64, &[u8]), DecodeError> {
    let (number, rest) = take(bytes)?;
    Ok((u64::from_be_bytes(number), rest))
}

fn take<const N: usize>(bytes: &[u8]) -> Result<([u8; N], &[u8]), DecodeError> {
    let (head, rest) = bytes.split_first_chunk().ok_or(DecodeError::Truncated)?;
    Ok((*head, rest))
}

fn at_end(rest: &[u8]) -> Result<(), DecodeError> {
    if rest.is_empty() {
        Ok(())
    } else {
        Err(DecodeError::Trailing)
    }
}

const FORMAT: u8 = 1;
const LIVE: u8 = b'L';
const PENDING: u8 = b'P';
const ALIAS: u8 = b'A';
const REVOKED: u8 = b'X';
const ROSTER: u8 = b'R';
const DEVICES: u8 = b'D';
// The four numbers of an entry.
const ENTRY: usize = 32;

type ReadEntry = fn(&[u8]) -> Result<(Entry, &[u8]), DecodeError>;

#[cfg(test)]
mod tests;
