//! A storage: what a session engine asks of one, in a hundred lines.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use abi::Maybe;
use abi::schemars::{self, JsonSchema};
use abi::storage::{Expected, Key, Loaded, Row, Storage, Unavailable, Written};
use serde::Deserialize;

/// Rows in memory, at most [`LogbookConfig::max_rows`] of them. Rows whose time has run out make room; when none has,
/// new rows are refused: a full book must not forget somebody who is logged in.
pub(crate) struct Logbook {
    pages: Mutex<Pages>,
}

/// How much the book holds.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct LogbookConfig {
    /// Rows at a time.
    #[serde(default = "default_max_rows")]
    max_rows: NonZeroUsize,
}

/// The rows without the lock. Time is an argument, so that tests own it.
struct Pages {
    lines: HashMap<Key, Line>,
    max_rows: usize,
}

struct Line {
    row: Row,
    until: Instant,
}

// === impl Logbook ===

impl Logbook {
    pub(crate) fn new(config: &LogbookConfig) -> Self {
        let pages = Pages {
            lines: HashMap::new(),
            max_rows: config.max_rows.get(),
        };
        Self {
            pages: Mutex::new(pages),
        }
    }

    /// A panic while the lock was held cannot leave half a line: each change is one call of the map.
    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Everything is there at once, so every answer is [`Maybe::Ready`] and costs no allocation. A storage behind a network
/// answers with [`Maybe::task`].
impl Storage for Logbook {
    fn load<'a>(&'a self, key: &'a Key) -> Maybe<'a, Loaded<Row>> {
        let row = self.pages().read(key, Instant::now()).cloned();
        Maybe::Ready(row.map_or(Loaded::Absent, Loaded::Found))
    }

    fn write<'a>(
        &'a self,
        key: &'a Key,
        expected: Expected,
        row: Row,
        keep: Duration,
    ) -> Maybe<'a, Written> {
        let now = Instant::now();
        let line = Line {
            row,
            until: now + keep,
        };
        Maybe::Ready(self.pages().write(*key, expected, line, now))
    }

    fn probe(&self) -> Maybe<'_, Result<(), Unavailable>> {
        Maybe::Ready(Ok(()))
    }

    fn reset(&self) -> Maybe<'_, Result<u64, Unavailable>> {
        let mut pages = self.pages();
        pages.sweep(Instant::now());
        Maybe::Ready(Ok(pages.lines.drain().count() as u64))
    }
}

// === impl Pages ===

impl Pages {
    fn read(&self, key: &Key, now: Instant) -> Option<&Row> {
        let line = self.lines.get(key)?;
        (now < line.until).then_some(&line.row)
    }

    /// Compares and writes under one lock: this is the promise that no update is lost.
    fn write(&mut self, key: Key, expected: Expected, line: Line, now: Instant) -> Written {
        let found = self.read(&key, now).map(|row| row.version);
        let matches = match expected {
            Expected::Absent => found.is_none(),
            Expected::Version(version) => found == Some(version),
        };
        if !matches {
            return Written::Conflict;
        }
        if found.is_none() && !self.make_room(now) {
            return Written::Unavailable(Unavailable::new("the logbook is full"));
        }
        self.lines.insert(key, line);
        Written::Done
    }

    fn make_room(&mut self, now: Instant) -> bool {
        if self.lines.len() == self.max_rows {
            self.sweep(now);
        }
        self.lines.len() < self.max_rows
    }

    fn sweep(&mut self, now: Instant) {
        self.lines.retain(|_, line| now < line.until);
    }
}

const fn default_max_rows() -> NonZeroUsize {
    // About 100 MB of sessions with 1 KB each.
    NonZeroUsize::new(100_000).unwrap()
}

#[cfg(test)]
mod tests;
