//! Rows that were acknowledged and are not in the file yet.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use abi::storage::{Key, Unavailable};

use super::database::Database;
use super::row::{Change, Stored};
use crate::session::Timestamp;

/// The newest rows in front of the file. Every read and every comparison looks here first, so that nobody can tell
/// which rows have been written yet.
pub(super) struct Overlay {
    database: Arc<Database>,
    layers: RwLock<Layers>,
}

/// Rows by key.
pub(super) type Rows = HashMap<Key, Stored>;

#[derive(Default)]
struct Layers {
    fresh: Rows,
    /// What `fresh` takes, as far as it depends on what is stored.
    fresh_bytes: usize,
    /// What is being committed: until that is done, the file does not have it.
    leaving: Arc<Rows>,
}

impl Overlay {
    pub(super) fn new(database: Arc<Database>) -> Self {
        Self {
            database,
            layers: RwLock::default(),
        }
    }

    /// Reads a row, dead or alive.
    pub(super) fn read(&self, key: &Key) -> Result<Option<Stored>, Unavailable> {
        if let Some(stored) = self.reader().find(key) {
            return Ok(Some(stored.clone()));
        }
        // What leaves the overlay between these two looks is in the file by then.
        self.database.read(key)
    }

    /// Makes a change, if what is there is what was expected. Says whether it was made.
    pub(super) fn apply(&self, change: Change, now: Timestamp) -> Result<bool, Unavailable> {
        let mut layers = self.writer();
        let version = match layers.find(&change.key) {
            Some(stored) => stored.version(now),
            None => self
                .database
                .read(&change.key)?
                .and_then(|stored| stored.version(now)),
        };
        if !change.fits(version) {
            return Ok(false);
        }
        layers.put(change)?;
        Ok(true)
    }

    /// Takes what is to be committed. Must be followed by [`left`](Self::left) or [`stayed`](Self::stayed).
    pub(super) fn leave(&self) -> Arc<Rows> {
        let mut layers = self.writer();
        layers.leaving = Arc::new(std::mem::take(&mut layers.fresh));
        layers.fresh_bytes = 0;
        Arc::clone(&layers.leaving)
    }

    /// The file has what was taken.
    pub(super) fn left(&self) {
        self.writer().leaving = Arc::default();
    }

    /// The file may not have what was taken. It goes with the next commit, unless it has been replaced.
    pub(super) fn stayed(&self) {
        let mut layers = self.writer();
        for (key, stored) in std::mem::take(&mut layers.leaving).iter() {
            layers.restore(*key, stored);
        }
    }

    fn reader(&self) -> RwLockReadGuard<'_, Layers> {
        self.layers.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn writer(&self) -> RwLockWriteGuard<'_, Layers> {
        self.layers.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Layers {
    fn find(&self, key: &Key) -> Option<&Stored> {
        self.fresh.get(key).or_else(|| self.leaving.get(key))
    }

    fn put(&mut self, change: Change) -> Result<(), Unavailable> {
        if self.fresh_bytes >= LIMIT {
            return Err(Unavailable::new("too many writes wait for the disk"));
        }
        self.fresh_bytes += weight(&change.stored);
        if let Some(replaced) = self.fresh.insert(change.key, change.stored) {
            self.fresh_bytes -= weight(&replaced);
        }
        Ok(())
    }

    fn restore(&mut self, key: Key, stored: &Stored) {
        self.fresh.entry(key).or_insert_with(|| {
            self.fresh_bytes += weight(stored);
            stored.clone()
        });
    }
}

fn weight(stored: &Stored) -> usize {
    size_of::<(Key, Stored)>() + stored.row.payload.len()
}

/// In bytes: what a disk takes in a second, several times over. Beyond it the disk is too slow for what is asked of
/// it, and to take more would be to promise more than a second's worth.
const LIMIT: usize = 64 * 1024 * 1024;
