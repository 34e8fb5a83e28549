use super::*;
use crate::clock::ManualClock;
use crate::session::{Deltas, Family, Lifetime, State, Timestamp};
use crate::storage::conformance::Subject;

crate::conformance_suite!(MemorySubject::open);

#[test]
fn a_hit_is_there_at_once_and_shares_the_record() {
    let MemorySubject { rows, .. } = MemorySubject::open();
    let record = Lifetime::new(HOUR, None).begin(Family::new(7), START);
    put(&rows, key(1), State::Live(record.clone()));

    let Maybe::Ready(Loaded::Found(found)) = rows.load(key(1).into()) else {
        panic!("not there at once")
    };

    let State::Live(shared) = found.state else {
        panic!("not live")
    };
    let [found, put] = [&shared, &record].map(|record| record.attributes().text());
    assert!(std::ptr::eq(found, put));
}

#[test]
fn the_row_idle_longest_goes_first() {
    let (rows, clock) = bounded(3, 1 << 30);
    for number in 0..3 {
        put(&rows, key(number), State::Revoked);
        clock.advance(SECOND);
    }
    assert!(is_there(&rows, 0), "used again, so 1 is idle longest");

    put(&rows, key(3), State::Revoked);

    assert_eq!(
        (0..4)
            .map(|number| is_there(&rows, number))
            .collect::<Vec<_>>(),
        [true, false, true, true]
    );
    assert_eq!(rows.evicted(), 1);
}

#[test]
fn a_dead_row_makes_room_before_a_living_one() {
    let (rows, clock) = bounded(2, 1 << 30);
    put(&rows, key(0), State::Revoked);
    clock.advance(SECOND);
    keep(&rows, key(1), State::Revoked, SECOND);
    clock.advance(SECOND);

    put(&rows, key(2), State::Revoked);

    assert!(is_there(&rows, 0) && is_there(&rows, 2));
    assert_eq!(rows.evicted(), 0);
}

#[test]
fn bytes_are_a_limit_as_rows_are() {
    let (rows, _) = bounded(1000, 10_000);

    for number in 0..100 {
        put(&rows, key(number), large(1000));
    }

    let left = (0..100).filter(|&number| is_there(&rows, number)).count();
    assert!((6..=9).contains(&left), "{left}");
}

#[test]
fn a_row_larger_than_everything_is_refused_and_harms_nobody() {
    let (rows, _) = bounded(1000, 10_000);
    put(&rows, key(1), State::Revoked);

    let Maybe::Ready(written) = rows.write(
        key(1).into(),
        Expected::Version(1),
        Versioned::after(1, large(20_000)),
        HOUR,
    ) else {
        panic!("not at once")
    };

    assert!(matches!(written, Written::Unavailable(_)));
    assert!(is_there(&rows, 1));
}

#[test]
fn a_growing_row_makes_others_go_not_itself() {
    let (rows, _) = bounded(1000, 10_000);
    for number in 0..8 {
        put(&rows, key(number), large(900));
    }

    let Maybe::Ready(written) = rows.write(
        key(0).into(),
        Expected::Version(1),
        Versioned::after(1, large(5000)),
        HOUR,
    ) else {
        panic!("not at once")
    };

    assert_eq!(written, Written::Done);
    assert!(is_there(&rows, 0));
}

#[test]
fn dead_rows_are_collected_by_the_writes_that_follow() {
    let (rows, clock) = bounded(1_000_000, 1 << 20);
    for number in 0..1000 {
        keep(&rows, key(number), State::Revoked, SECOND);
    }
    clock.advance(SECOND);

    for number in 0..200 {
        put(&rows, key(10_000 + number), State::Revoked);
    }

    let stored: usize = rows
        .shards
        .iter()
        .map(|shard| shard.read().unwrap().slots.len())
        .sum();
    assert_eq!(stored, 200);
}

#[test]
fn reset_does_not_count_the_dead() {
    let (rows, clock) = bounded(100, 1 << 30);
    keep(&rows, key(1), State::Revoked, SECOND);
    put(&rows, key(2), State::Revoked);
    clock.advance(SECOND);

    let Maybe::Ready(removed) = rows.reset() else {
        panic!("not at once")
    };

    assert_eq!(removed, Ok(1));
}

fn bounded(max_entries: u32, max_bytes: u64) -> (MemoryStorage, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::new(START));
    let config = MemoryConfig {
        max_entries,
        max_bytes: abi::config::ByteSize::of_bytes(max_bytes),
    };
    (MemoryStorage::open(&config, clock.clone()).unwrap(), clock)
}

fn put(rows: &MemoryStorage, key: Key, state: State) {
    keep(rows, key, state, HOUR);
}

fn keep(rows: &MemoryStorage, key: Key, state: State, keep: Duration) {
    let Maybe::Ready(written) =
        rows.write(key.into(), Expected::Absent, Versioned::first(state), keep)
    else {
        panic!("not at once")
    };
    assert_eq!(written, Written::Done);
}

fn is_there(rows: &MemoryStorage, number: u64) -> bool {
    matches!(
        rows.load(key(number).into()),
        Maybe::Ready(Loaded::Found(_))
    )
}

fn large(bytes: usize) -> State {
    let mut deltas = Deltas::new();
    deltas.set("blob", "x".repeat(bytes));
    let record = Lifetime::new(HOUR, None).begin(Family::new(7), START);
    State::Live(record.merge(&deltas))
}

fn key(number: u64) -> Key {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes());
    bytes[31] = number as u8;
    Key::new(bytes)
}

pub(crate) struct MemorySubject {
    rows: Arc<MemoryStorage>,
    clock: Arc<ManualClock>,
}

impl MemorySubject {
    pub(crate) fn open() -> Self {
        let (rows, clock) = bounded(1_000_000, 1 << 30);
        Self {
            rows: Arc::new(rows),
            clock,
        }
    }
}

impl Subject for MemorySubject {
    fn rows(&self) -> Arc<dyn Rows> {
        self.rows.clone()
    }

    fn clock(&self) -> Option<&ManualClock> {
        Some(&self.clock)
    }
}

const START: Timestamp = Timestamp::from_millis(1_000_000_000);
const HOUR: Duration = Duration::from_secs(3600);
const SECOND: Duration = Duration::from_secs(1);
