use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use abi::config::Secret;
use abi::storage::{Key, Storage};
use abi::testing::TestGateway;

use super::bytes::ByteStorage;
use super::*;
use crate::clock::ManualClock;
use crate::session::{Nonce, Rotated, Secrets, Timestamp};
use crate::storage::conformance::{Subject, block_on};

mod plain {
    use super::ByteSubject;

    crate::conformance_suite!(ByteSubject::plain);
}

mod sealed {
    use super::ByteSubject;

    crate::conformance_suite!(ByteSubject::sealed);
}

#[test]
fn an_undecodable_row_is_absent_and_counted_and_left_alone() {
    let subject = ByteSubject::plain();
    let foreign = Row {
        version: 1,
        payload: b"not a state".to_vec(),
    };
    subject.plant(MINE, foreign.clone());

    assert_eq!(subject.load(MINE), Loaded::Absent);

    assert_eq!(subject.quarantined(), 1);
    assert_eq!(subject.row(MINE), foreign);
}

#[test]
fn what_the_storage_has_at_hand_is_there_at_once() {
    let subject = ByteSubject::sealed();
    subject.write(MINE, State::Revoked);

    for (key, is_there) in [(MINE, true), (YOURS, false)] {
        let Maybe::Ready(loaded) = subject.rows.load(key.into()) else {
            panic!("not there at once")
        };
        assert_eq!(matches!(loaded, Loaded::Found(_)), is_there);
    }
}

#[test]
fn a_storage_that_is_waited_for_is_asked_once_for_a_row() {
    let remote = Arc::new(Remote::default());
    let services = TestGateway::new().services();
    let rows = Encoded::new(remote.clone(), "Remote", Keyring::plain(), &services);
    let load = || block_on(rows.load(MINE.into()).wait());
    assert_eq!(load(), Loaded::Absent);
    let before = remote.asked.load(Ordering::Relaxed);

    assert_eq!(load(), Loaded::Absent);

    assert_eq!(remote.asked.load(Ordering::Relaxed) - before, 1);
}

#[test]
fn the_storage_sees_the_version_it_has_to_compare() {
    for subject in [ByteSubject::plain(), ByteSubject::sealed()] {
        subject.write(MINE, State::Revoked);

        assert_eq!(subject.row(MINE).version, 1);
    }
}

#[test]
fn the_storage_sees_nothing_of_a_sealed_state() {
    let subject = ByteSubject::sealed();

    subject.write(MINE, State::Revoked);

    let sealed = subject.row(MINE).payload;
    assert_eq!(sealed.len(), encode(&State::Revoked).len() + 33);
    assert_eq!(decode(&sealed), Err(DecodeError::Format(b'S')));
}

#[test]
fn rows_that_changed_places_are_quarantined() {
    let subject = ByteSubject::sealed();
    subject.write(MINE, State::Revoked);
    subject.write(YOURS, State::Revoked);

    let (my_row, your_row) = (subject.row(MINE), subject.row(YOURS));
    subject.plant(MINE, your_row);
    subject.plant(YOURS, my_row);

    assert_eq!(subject.load(MINE), Loaded::Absent);
    assert_eq!(subject.load(YOURS), Loaded::Absent);
    assert_eq!(subject.quarantined(), 2);
}

#[test]
fn an_older_version_that_poses_as_a_newer_one_is_quarantined() {
    let subject = ByteSubject::sealed();
    subject.write(MINE, State::Revoked);

    let older = subject.row(MINE);
    subject.plant(
        MINE,
        Row {
            version: 2,
            ..older
        },
    );

    assert_eq!(subject.load(MINE), Loaded::Absent);
    assert_eq!(subject.quarantined(), 1);
}

#[test]
fn the_same_bytes_are_decoded_once() {
    let subject = ByteSubject::sealed();
    subject.write(MINE, rotated());
    let load = || match subject.load(MINE) {
        Loaded::Found(Versioned {
            state: State::Rotated(rotated),
            ..
        }) => rotated,
        other => panic!("{other:?}"),
    };

    assert!(Arc::ptr_eq(&load(), &load()));

    let first = load();
    subject.replace(MINE, rotated());
    assert!(!Arc::ptr_eq(&first, &load()));
}

#[test]
fn what_was_read_once_is_no_excuse_for_what_is_there_now() {
    let subject = ByteSubject::sealed();
    subject.write(MINE, rotated());
    subject.write(YOURS, State::Revoked);
    let (my_row, your_row) = (subject.row(MINE), subject.row(YOURS));
    let mut rows = vec![your_row];
    for place in 0..my_row.payload.len() {
        let mut flipped = my_row.clone();
        flipped.payload[place] ^= 1;
        rows.push(flipped);
    }
    rows.push(Row {
        version: 2,
        ..my_row.clone()
    });

    for (refused, row) in (1..).zip(rows) {
        subject.plant(MINE, my_row.clone());
        assert!(matches!(subject.load(MINE), Loaded::Found(_)));

        subject.plant(MINE, row);

        assert_eq!(subject.load(MINE), Loaded::Absent);
        assert_eq!(subject.quarantined(), refused);
    }
}

#[test]
fn an_unsealed_row_is_quarantined_where_rows_are_sealed() {
    let subject = ByteSubject::sealed();
    let unsealed = Row {
        version: 1,
        payload: encode(&State::Revoked),
    };

    subject.plant(MINE, unsealed);

    assert_eq!(subject.load(MINE), Loaded::Absent);
    assert_eq!(subject.quarantined(), 1);
}

#[test]
fn a_sealed_row_is_quarantined_where_there_are_no_secrets() {
    let sealed = ByteSubject::sealed();
    let plain = ByteSubject::plain();
    sealed.write(MINE, State::Revoked);

    plain.plant(MINE, sealed.row(MINE));

    assert_eq!(plain.load(MINE), Loaded::Absent);
    assert_eq!(plain.quarantined(), 1);
}

/// Has nothing, and says so later.
#[derive(Default)]
struct Remote {
    asked: AtomicUsize,
}

impl Together for Remote {}

impl Storage for Remote {
    fn load<'a>(&'a self, _: &'a Key) -> Maybe<'a, Loaded<Row>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        Maybe::task(async { Loaded::Absent })
    }

    fn write<'a>(&'a self, _: &'a Key, _: Expected, _: Row, _: Duration) -> Maybe<'a, Written> {
        Written::Done.into()
    }

    fn probe(&self) -> Maybe<'_, Result<(), Unavailable>> {
        Ok(()).into()
    }

    fn reset(&self) -> Maybe<'_, Result<u64, Unavailable>> {
        Ok(0).into()
    }
}

struct ByteSubject {
    gateway: TestGateway,
    rows: Arc<Encoded<ByteStorage>>,
    clock: Arc<ManualClock>,
}

impl ByteSubject {
    fn plain() -> Self {
        Self::open(Keyring::plain())
    }

    fn sealed() -> Self {
        let secret = Secret::new("a secret of the tests, long enough to be allowed");
        let secrets = Secrets::parse(&[secret]).unwrap().unwrap();
        Self::open(Keyring::sealed(secrets))
    }

    fn open(keyring: Keyring) -> Self {
        let clock = Arc::new(ManualClock::new(Timestamp::from_millis(1_000_000)));
        let storage = ByteStorage::new(clock.clone());
        let gateway = TestGateway::new();
        let rows = Encoded::new(storage, "Bytes", keyring, &gateway.services());
        Self {
            gateway,
            rows: Arc::new(rows),
            clock,
        }
    }

    fn load(&self, key: Key) -> Loaded<Versioned> {
        block_on(self.rows.load(key.into()).wait())
    }

    #[track_caller]
    fn write(&self, key: Key, state: State) {
        let row = Versioned::first(state);
        let written = self.rows.write(key.into(), Expected::Absent, row, HOUR);
        assert_eq!(block_on(written.wait()), Written::Done);
    }

    #[track_caller]
    fn replace(&self, key: Key, state: State) {
        let row = Versioned::after(1, state);
        let written = self.rows.write(key.into(), Expected::Version(1), row, HOUR);
        assert_eq!(block_on(written.wait()), Written::Done);
    }

    /// What the storage sees.
    #[track_caller]
    fn row(&self, key: Key) -> Row {
        match block_on(self.rows.storage.load(&key).wait()) {
            Loaded::Found(row) => row,
            other => panic!("{other:?}"),
        }
    }

    /// Does what whoever can write to the storage can do.
    fn plant(&self, key: Key, row: Row) {
        self.rows.storage.plant(key, row, HOUR);
    }

    /// What the operator sees.
    fn quarantined(&self) -> u64 {
        self.gateway
            .counter("session_quarantined_total", "storage=Bytes")
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

fn rotated() -> State {
    let nonce = Nonce::new([7; 32]);
    let until = Timestamp::from_millis(1_000_000);
    State::Rotated(Arc::new(Rotated { nonce, until }))
}

const HOUR: Duration = Duration::from_secs(3600);
const MINE: Key = Key::new([1; 32]);
const YOURS: Key = Key::new([2; 32]);
