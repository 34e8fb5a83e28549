//! Follows the frames of an HTTP/2 connection (RFC 9113, section 4) without keeping any of them.
//!
//! The library judges frames; what it does not do is to look at the clock. A block of headers that drips has a deadline
//! here, and frames that carry nothing, or take back what was asked for, are counted: whoever sends many of them only
//! makes work (CVE-2019-9512, -9514, -9515, -9518, CVE-2023-44487).

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::activity::Activity;

/// Where in the stream of frames a connection is.
pub(super) struct Frames {
    activity: Arc<Activity>,
    preface: usize,
    head: [u8; HEAD],
    filled: usize,
    payload: usize,
    block: Block,
    idle_talk: Allowance,
    resets: Allowance,
}

/// A client that sends more frames without a purpose than any purpose needs.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a flood of {0} frames")]
pub(super) struct Flood(&'static str);

/// The headers of a request, from their first frame to the end of their last.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Block {
    None,
    More,
    Last,
}

/// So many in a period, beside those that responses have earned.
struct Allowance {
    limit: u32,
    used: u32,
    since: Instant,
}

impl Frames {
    pub(super) fn new(activity: Arc<Activity>) -> Self {
        Self {
            activity,
            preface: PREFACE.len(),
            head: [0; HEAD],
            filled: 0,
            payload: 0,
            block: Block::None,
            idle_talk: Allowance::new(IDLE_TALK),
            resets: Allowance::new(RESETS),
        }
    }

    /// Looks at what was read.
    pub(super) fn follow(&mut self, mut bytes: &[u8]) -> Result<(), Flood> {
        let was_open = self.block != Block::None;
        let skipped = self.preface.min(bytes.len());
        self.preface -= skipped;
        bytes = &bytes[skipped..];
        while !bytes.is_empty() {
            bytes = if self.payload > 0 {
                self.skip(bytes)
            } else {
                self.begin(bytes)?
            };
        }
        match (was_open, self.block != Block::None) {
            (false, true) => self.activity.block_begins(),
            (true, false) => self.activity.block_ends(),
            _ => {}
        }
        Ok(())
    }

    fn skip<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let skipped = self.payload.min(bytes.len());
        self.payload -= skipped;
        if self.payload == 0 {
            self.end();
        }
        &bytes[skipped..]
    }

    fn begin<'a>(&mut self, bytes: &'a [u8]) -> Result<&'a [u8], Flood> {
        let taken = (HEAD - self.filled).min(bytes.len());
        self.head[self.filled..self.filled + taken].copy_from_slice(&bytes[..taken]);
        self.filled += taken;
        if self.filled == HEAD {
            self.filled = 0;
            let [high, middle, low, kind, flags, ..] = self.head;
            self.payload = u32::from_be_bytes([0, high, middle, low]) as usize;
            self.judge(kind, flags)?;
            if self.payload == 0 {
                self.end();
            }
        }
        Ok(&bytes[taken..])
    }

    fn judge(&mut self, kind: u8, flags: u8) -> Result<(), Flood> {
        match kind {
            DATA if self.payload > 0 => Ok(()),
            HEADERS | CONTINUATION => {
                let is_last = flags & END_HEADERS != 0;
                self.block = if is_last { Block::Last } else { Block::More };
                Ok(())
            }
            RST_STREAM => self.resets.take(&self.activity).ok_or(Flood("RST_STREAM")),
            _ => self.idle_talk.take(&self.activity).ok_or(Flood("control")),
        }
    }

    fn end(&mut self) {
        if self.block == Block::Last {
            self.block = Block::None;
        }
    }
}

impl Allowance {
    fn new(limit: u32) -> Self {
        Self {
            limit,
            used: 0,
            since: Instant::now(),
        }
    }

    /// `None` when there is none left.
    fn take(&mut self, activity: &Activity) -> Option<()> {
        self.used += 1;
        if self.used > self.limit {
            // The clock is read only when there is a reason.
            let now = Instant::now();
            let earned = activity.spend();
            if now - self.since >= PERIOD {
                (self.used, self.since) = (1, now);
            } else if earned > 0 {
                self.used = self.used.saturating_sub(earned);
            } else {
                return None;
            }
        }
        Some(())
    }
}

const PREFACE: &[u8] = super::HTTP_2_PREFACE;
// RFC 9113, section 4.1.
const HEAD: usize = 9;
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const CONTINUATION: u8 = 9;
const END_HEADERS: u8 = 4;

const PERIOD: Duration = Duration::from_secs(10);
// A client that downloads says twice for every frame of a body how much more it takes; those are earned. This is for
// the rest: settings, pings, priorities.
const IDLE_TALK: u32 = 1_000;
// A browser that leaves a page takes back all of its requests at once, and there are at most as many as streams.
const RESETS: u32 = 200;
