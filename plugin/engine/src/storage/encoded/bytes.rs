//! A storage for tests.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use abi::Maybe;
use abi::storage::{Expected, Key, Loaded, Row, Storage, Unavailable, Written};

use crate::clock::{Clock, ManualClock};
use crate::session::Timestamp;
use crate::storage::Together;

/// The simplest storage that keeps the contract.
pub(crate) struct ByteStorage {
    rows: Mutex<BTreeMap<Key, (Row, Timestamp)>>,
    clock: Arc<ManualClock>,
}

impl ByteStorage {
    pub(crate) fn new(clock: Arc<ManualClock>) -> Self {
        Self {
            rows: Mutex::default(),
            clock,
        }
    }

    /// Puts a row where it is, whatever was there.
    pub(crate) fn plant(&self, key: Key, row: Row, keep: Duration) {
        let dies_at = self.clock.now().after(keep);
        self.rows.lock().unwrap().insert(key, (row, dies_at));
    }
}

impl Storage for ByteStorage {
    fn load<'a>(&'a self, key: &'a Key) -> Maybe<'a, Loaded<Row>> {
        let now = self.clock.now();
        match self.rows.lock().unwrap().get(key) {
            Some((row, dies_at)) if now < *dies_at => Loaded::Found(row.clone()).into(),
            _ => Loaded::Absent.into(),
        }
    }

    fn write<'a>(
        &'a self,
        key: &'a Key,
        expected: Expected,
        row: Row,
        keep: Duration,
    ) -> Maybe<'a, Written> {
        let now = self.clock.now();
        let mut rows = self.rows.lock().unwrap();
        let version = rows
            .get(key)
            .filter(|(_, dies_at)| now < *dies_at)
            .map(|(row, _)| row.version);
        let fits = match expected {
            Expected::Absent => version.is_none(),
            Expected::Version(expected) => version == Some(expected),
        };
        if !fits {
            return Written::Conflict.into();
        }
        rows.insert(*key, (row, now.after(keep)));
        Written::Done.into()
    }

    fn probe(&self) -> Maybe<'_, Result<(), Unavailable>> {
        Ok(()).into()
    }

    fn reset(&self) -> Maybe<'_, Result<u64, Unavailable>> {
        let rows = std::mem::take(&mut *self.rows.lock().unwrap());
        Ok(rows.len() as u64).into()
    }
}

impl Together for ByteStorage {}
