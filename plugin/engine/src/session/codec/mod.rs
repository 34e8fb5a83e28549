//! States as bytes, for every storage that keeps bytes.
//!
//! ```text
//! offset  size  field
//!      0     1  format: 1
//!      1     1  tag: L live, P rotation pending, A alias (rotated), X revoked
//!
//! A, P:   2  32  nonce
//! L, P:   .   8  created_at     milliseconds since 1970, big-endian, as all numbers here
//!         .   8  renewed_at
//!         .   8  expires_at
//!         .   8  own life in milliseconds, 0 = the configured one
//!         .   *  attributes, a JSON object up to the end
//! ```
//! Decoding is strict and there is exactly one decoder: what it refuses is never tried with a weaker one. The
//! version of a row is not in here; the storage keeps it next to these bytes so that it can compare it.

use std::sync::Arc;
use std::time::Duration;

use super::attributes::Attributes;
use super::nonce::Nonce;
use super::record::Record;
use super::state::State;
use super::timestamp::Timestamp;

/// Writes `state` in the current format.
pub fn encode(state: &State) -> Vec<u8> {
    match state {
        State::Live(record) => with_record(vec![FORMAT, LIVE], record),
        State::Rotating { nonce, record } => with_record(with_nonce(PENDING, nonce), record),
        State::Rotated { nonce } => with_nonce(ALIAS, nonce),
        State::Revoked => vec![FORMAT, REVOKED],
    }
}

/// Reads what [`encode`] wrote.
///
/// # Errors
/// When the bytes are anything else. Such a row is quarantined: for the session it belongs to it is as good as
/// absent, and it is counted, logged and left in its place.
pub fn decode(bytes: &[u8]) -> Result<State, DecodeError> {
    let (&[format, tag], rest) = bytes.split_first_chunk().ok_or(DecodeError::Truncated)?;
    if format != FORMAT {
        return Err(DecodeError::Format(format));
    }
    match tag {
        LIVE => Ok(State::Live(record(rest)?)),
        PENDING => {
            let (nonce, rest) = take(rest)?;
            Ok(State::Rotating {
                nonce: Arc::new(Nonce::new(nonce)),
                record: record(rest)?,
            })
        }
        ALIAS => {
            let (nonce, rest) = take(rest)?;
            at_end(rest)?;
            Ok(State::Rotated {
                nonce: Arc::new(Nonce::new(nonce)),
            })
        }
        REVOKED => at_end(rest).map(|()| State::Revoked),
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
    /// A state that this format does not have.
    #[error("unknown tag {0}")]
    Tag(u8),
    /// Bytes after the end.
    #[error("bytes after the end")]
    Trailing,
    /// The end comes too early.
    #[error("the end comes too early")]
    Truncated,
}

fn with_nonce(tag: u8, nonce: &Nonce) -> Vec<u8> {
    [&[FORMAT, tag], nonce.as_bytes().as_slice()].concat()
}

fn with_record(mut bytes: Vec<u8>, record: &Record) -> Vec<u8> {
    let life = record.own_life.map_or(0, |life| {
        Timestamp::default().after(life).as_millis().max(1)
    });
    for clock in [record.created_at, record.renewed_at, record.expires_at] {
        bytes.extend(clock.as_millis().to_be_bytes());
    }
    bytes.extend(life.to_be_bytes());
    serde_json::to_writer(&mut bytes, &record.attributes)
        .expect("a vector takes every byte and attributes have text names");
    bytes
}

fn record(bytes: &[u8]) -> Result<Arc<Record>, DecodeError> {
    let (created_at, rest) = number(bytes)?;
    let (renewed_at, rest) = number(rest)?;
    let (expires_at, rest) = number(rest)?;
    let (own_life, rest) = number(rest)?;
    if !(created_at <= renewed_at && renewed_at <= expires_at) {
        return Err(DecodeError::Clocks);
    }
    Ok(Arc::new(Record {
        created_at: Timestamp::from_millis(created_at),
        renewed_at: Timestamp::from_millis(renewed_at),
        expires_at: Timestamp::from_millis(expires_at),
        own_life: (own_life != 0).then(|| Duration::from_millis(own_life)),
        attributes: attributes(rest)?,
    }))
}

fn attributes(json: &[u8]) -> Result<Attributes, DecodeError> {
    serde_json::from_slice(json).map_err(|_| DecodeError::Attributes)
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

#[cfg(test)]
mod tests;
