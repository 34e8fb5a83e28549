//! The two kinds of ids.

use std::fmt;
use std::hash::{BuildHasher, Hasher, RandomState};

/// The id of a trace, never zero.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct TraceId([u8; 16]);

/// The id of a step in a trace, never zero.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct SpanId([u8; 8]);

impl TraceId {
    /// Reads 32 lowercase hexadecimal digits that are not all zero.
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        digits(text).filter(|id| *id != [0; 16]).map(Self)
    }

    pub(super) fn random() -> Self {
        let mut id = [0; 16];
        id[..8].copy_from_slice(&random());
        id[8..].copy_from_slice(&random());
        Self(id)
    }
}

impl SpanId {
    /// Reads 16 lowercase hexadecimal digits that are not all zero.
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        digits(text).filter(|id| *id != [0; 8]).map(Self)
    }

    pub(super) fn random() -> Self {
        Self(random())
    }
}

/// Reads as many bytes as there are to be, of two lowercase hexadecimal digits each.
pub(super) fn digits<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    if text.len() != 2 * N {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(bytes)
}

const fn digit(letter: u8) -> Option<u8> {
    match letter {
        b'0'..=b'9' => Some(letter - b'0'),
        b'a'..=b'f' => Some(letter - b'a' + 10),
        _ => None,
    }
}

/// Eight bytes that are not all zero. Ids keep traces apart and no secret, so each need not come from the system: a
/// hash does whose keys did, and whose keys are others each time.
fn random() -> [u8; 8] {
    let number = RandomState::new().build_hasher().finish();
    number.max(1).to_be_bytes()
}

fn write(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write(&self.0, f)
    }
}

impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write(&self.0, f)
    }
}

impl fmt::Debug for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Debug for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
