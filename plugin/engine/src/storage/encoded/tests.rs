use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use super::*;
use crate::clock::{Clock, ManualClock};
use crate::session::{State, Timestamp};
use crate::storage::conformance::{Subject, block_on};

crate::conformance_suite!(ByteSubject::open);

#[test]
fn an_undecodable_row_is_absent_and_counted_and_left_alone() {
    let subject = ByteSubject::open();
    let key = Key::new([1; 32]);
    let foreign = Row {
        version: 1,
        payload: b"not a state".to_vec(),
    };
    let wrote = subject
        .rows
        .storage
        .write(&key, Expected::Absent, foreign.clone(), HOUR);
    assert_eq!(block_on(wrote.wait()), Written::Done);

    let loaded = block_on(subject.rows.load(key.into()).wait());

    assert_eq!(loaded, Loaded::Absent);
    assert_eq!(subject.rows.quarantined(), 1);
    assert_eq!(
        block_on(subject.rows.storage.load(&key).wait()),
        Loaded::Found(foreign)
    );
}

#[test]
fn the_storage_sees_the_version_it_has_to_compare() {
    let subject = ByteSubject::open();
    let key = Key::new([1; 32]);

    let wrote = subject.rows.write(
        key.into(),
        Expected::Absent,
        Versioned::first(State::Revoked),
        HOUR,
    );

    assert_eq!(block_on(wrote.wait()), Written::Done);
    let Loaded::Found(row) = block_on(subject.rows.storage.load(&key).wait()) else {
        panic!()
    };
    assert_eq!(row.version, 1);
}

/// The simplest storage that keeps the contract.
struct ByteStorage {
    rows: Mutex<BTreeMap<Key, (Row, Timestamp)>>,
    clock: Arc<ManualClock>,
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

struct ByteSubject {
    rows: Arc<Encoded<ByteStorage>>,
    clock: Arc<ManualClock>,
}

impl ByteSubject {
    fn open() -> Self {
        let clock = Arc::new(ManualClock::new(Timestamp::from_millis(1_000_000)));
        let storage = ByteStorage {
            rows: Mutex::default(),
            clock: clock.clone(),
        };
        Self {
            rows: Arc::new(Encoded::new(storage)),
            clock,
        }
    }
}

impl Subject for ByteSubject {
    fn rows(&self) -> Arc<dyn Rows> {
        self.rows.clone()
    }

    fn clock(&self) -> Option<&ManualClock> {
        Some(&self.clock)
    }
}

const HOUR: Duration = Duration::from_secs(3600);
