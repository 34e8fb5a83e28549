//! `traceparent`: which trace, whose step, and what the caller makes of it.

use std::fmt;
use std::io::Write;

use http::HeaderValue;

use super::id::digits;
use super::{SpanId, TraceId};

/// What a `traceparent` says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TraceParent {
    /// The trace.
    pub trace: TraceId,
    /// The step of whoever sends the request.
    pub parent: SpanId,
    /// What else is known.
    pub flags: Flags,
}

/// The flags that have a meaning. What else is set is not passed on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Flags(u8);

impl TraceParent {
    /// Reads the value of a header. A version that is newer than the one known here is read as far as it is known.
    pub fn parse(value: &[u8]) -> Option<Self> {
        let (known, rest) = value.split_at_checked(LENGTH)?;
        let [b'-', body @ ..] = &known[2..] else {
            return None;
        };
        let [version] = digits(&known[..2])?;
        let is_whole = match version {
            0 => rest.is_empty(),
            0xff => false,
            _ => rest.is_empty() || rest[0] == b'-',
        };
        let is_divided = body[32] == b'-' && body[49] == b'-';
        if !is_whole || !is_divided {
            return None;
        }
        let [flags] = digits(&body[50..])?;
        Some(Self {
            trace: TraceId::parse(&body[..32])?,
            parent: SpanId::parse(&body[33..49])?,
            flags: Flags(flags & Flags::KNOWN),
        })
    }

    /// The beginning of a trace. It counts as sampled: the access log has the step, and upstreams that do as they are
    /// told would record nothing otherwise.
    pub fn begin() -> Self {
        Self {
            trace: TraceId::random(),
            parent: SpanId::random(),
            flags: Flags(Flags::SAMPLED | Flags::RANDOM),
        }
    }

    /// A step of ours in the same trace.
    #[must_use]
    pub fn child(self) -> Self {
        let parent = SpanId::random();
        Self { parent, ..self }
    }
}

impl Flags {
    /// The caller may have recorded its step.
    const SAMPLED: u8 = 1;
    /// The last 7 bytes of the trace's id are random (Level 2).
    const RANDOM: u8 = 2;
    const KNOWN: u8 = Self::SAMPLED | Self::RANDOM;
}

impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            trace,
            parent,
            flags: Flags(flags),
        } = self;
        write!(f, "00-{trace}-{parent}-{flags:02x}")
    }
}

impl From<TraceParent> for HeaderValue {
    fn from(parent: TraceParent) -> Self {
        let mut text = [b'-'; LENGTH];
        // As long as its parts are, all of which are letters and digits.
        let _ = write!(&mut text[..], "{parent}");
        Self::from_bytes(&text).unwrap_or_else(|_| Self::from_static(""))
    }
}

/// Of version 00, and the least of any other.
const LENGTH: usize = 55;
