//! What becomes of the copies while this process writes.

use abi::storage::{Key, Written};

use super::Cached;
use super::copies::Copies;
use super::guarded::Guarded;
use super::shard::{Shard, Token};
use crate::session::State;
use crate::storage::{Changes, Rows, Versioned};

/// A write of this process, under way. What becomes of it is known when it ends; if it never does, because its caller
/// went away, nothing is.
pub(super) struct Writing<'a, L: Guarded<Shard>> {
    copies: &'a Copies<L>,
    changes: &'a Changes,
    key: Key,
    row: Versioned,
    token: Token,
    fate: Fate,
}

enum Fate {
    Done,
    Conflict,
    Unknown,
}

impl<'a, L: Guarded<Shard>> Writing<'a, L> {
    pub(super) fn begin<R: Rows>(cache: &'a Cached<R, L>, key: Key, row: Versioned) -> Self {
        Self {
            copies: &cache.copies,
            changes: &cache.changes,
            token: cache.token(&key),
            key,
            row,
            fate: Fate::Unknown,
        }
    }

    pub(super) fn end(mut self, written: Written) -> Written {
        self.fate = match written {
            Written::Done => Fate::Done,
            Written::Conflict => Fate::Conflict,
            Written::Unavailable(_) => Fate::Unknown,
        };
        written
    }
}

impl<L: Guarded<Shard>> Drop for Writing<'_, L> {
    fn drop(&mut self) {
        let Self { key, row, .. } = self;
        self.copies.shard(key).change(|shard| match self.fate {
            Fate::Done if self.changes.is_heard() => shard.wrote(*key, row.clone(), self.token),
            // Of a session in use, the row before is still good for an outage. Whatever else was to be written,
            // an end above all, nobody may see undone.
            Fate::Unknown if matches!(row.state, State::Live(_)) => shard.doubt(key),
            Fate::Done | Fate::Conflict | Fate::Unknown => shard.forget(key),
        });
        self.changes.written(key, self.copies);
    }
}

/// Forgets everything when it is dropped: rows were being removed, and some or all of them are gone.
pub(super) struct Clearing<'a, L: Guarded<Shard>>(pub(super) &'a Copies<L>, pub(super) &'a Changes);

impl<L: Guarded<Shard>> Drop for Clearing<'_, L> {
    fn drop(&mut self) {
        let Self(copies, changes) = self;
        copies.clear();
        changes.gap();
    }
}
