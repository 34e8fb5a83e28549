//! The contract of a storage, one sentence per function.
#![expect(missing_docs, reason = "the names are the sentences")]

use std::time::Duration;

use abi::storage::{Expected, Key, Loaded, Written};
use serde_json::json;

use super::{Subject, block_on};
use crate::session::{
    Deltas, Entry, Family, Lifetime, Nonce, Record, Roster, Rotated, Rotating, State, Timestamp,
};
use crate::storage::Versioned;

pub fn a_row_that_was_never_written_is_absent(subject: &impl Subject) {
    assert_eq!(load(subject, KEY), Loaded::Absent);
}

pub fn what_was_written_is_loaded(subject: &impl Subject) {
    let row = Versioned::first(live());

    assert_eq!(write(subject, Expected::Absent, row.clone()), Written::Done);

    assert_eq!(load(subject, KEY), Loaded::Found(row));
}

pub fn every_state_survives(subject: &impl Subject) {
    let nonce = Nonce::new([0; 32]);
    let record = record();
    let states = [
        State::Live(record.clone()),
        State::Rotating(Rotating { nonce, record }.into()),
        State::Rotated(
            Rotated {
                nonce,
                until: Timestamp::from_millis(1_700_000_000_000),
            }
            .into(),
        ),
        State::Revoked,
        State::Roster(Roster::default()),
        State::Roster(roster()),
    ];
    let mut expected = Expected::Absent;
    for (version, state) in (1..).zip(states) {
        let row = Versioned { version, state };
        assert_eq!(write(subject, expected, row.clone()), Written::Done);
        assert_eq!(load(subject, KEY), Loaded::Found(row));
        expected = Expected::Version(version);
    }
}

pub fn creating_where_a_row_is_conflicts(subject: &impl Subject) {
    let row = Versioned::first(live());
    assert_eq!(write(subject, Expected::Absent, row.clone()), Written::Done);

    let second = write(subject, Expected::Absent, Versioned::first(State::Revoked));

    assert_eq!(second, Written::Conflict);
    assert_eq!(load(subject, KEY), Loaded::Found(row));
}

pub fn replacing_where_no_row_is_conflicts(subject: &impl Subject) {
    for version in [0, 1, u64::MAX - 1] {
        let written = write(
            subject,
            Expected::Version(version),
            Versioned::after(version, live()),
        );

        assert_eq!(written, Written::Conflict);
        assert_eq!(load(subject, KEY), Loaded::Absent);
    }
}

pub fn replacing_another_version_conflicts(subject: &impl Subject) {
    let row = Versioned {
        version: 258,
        state: live(),
    };
    assert_eq!(write(subject, Expected::Absent, row.clone()), Written::Done);

    for version in [0, 1, 2, 257, 259, 258 << 8, 258 | 1 << 63] {
        let written = write(
            subject,
            Expected::Version(version),
            Versioned::after(version, State::Revoked),
        );
        assert_eq!(written, Written::Conflict, "at {version}");
    }

    assert_eq!(load(subject, KEY), Loaded::Found(row));
}

pub fn repeating_a_write_conflicts(subject: &impl Subject) {
    let (first, second) = (
        Versioned::first(live()),
        Versioned::after(1, State::Revoked),
    );

    assert_eq!(
        write(subject, Expected::Absent, first.clone()),
        Written::Done
    );
    assert_eq!(write(subject, Expected::Absent, first), Written::Conflict);
    assert_eq!(
        write(subject, Expected::Version(1), second.clone()),
        Written::Done
    );
    assert_eq!(
        write(subject, Expected::Version(1), second),
        Written::Conflict
    );
}

pub fn a_row_whose_time_ran_out_is_absent(subject: &impl Subject) {
    assert_eq!(
        keep(subject, Expected::Absent, Versioned::first(live()), SHORT),
        Written::Done
    );

    subject.pass(SHORT);

    assert_eq!(load(subject, KEY), Loaded::Absent);
}

pub fn a_row_whose_time_ran_out_can_be_created_again(subject: &impl Subject) {
    assert_eq!(
        keep(subject, Expected::Absent, Versioned::first(live()), SHORT),
        Written::Done
    );
    subject.pass(SHORT);

    let again = write(subject, Expected::Absent, Versioned::first(State::Revoked));

    assert_eq!(again, Written::Done);
    assert_eq!(
        load(subject, KEY),
        Loaded::Found(Versioned::first(State::Revoked))
    );
}

pub fn a_row_whose_time_ran_out_cannot_be_replaced(subject: &impl Subject) {
    assert_eq!(
        keep(subject, Expected::Absent, Versioned::first(live()), SHORT),
        Written::Done
    );
    subject.pass(SHORT);

    let late = write(subject, Expected::Version(1), Versioned::after(1, live()));

    assert_eq!(late, Written::Conflict);
    assert_eq!(load(subject, KEY), Loaded::Absent);
}

pub fn a_write_sets_the_time_anew(subject: &impl Subject) {
    assert_eq!(
        keep(subject, Expected::Absent, Versioned::first(live()), SHORT),
        Written::Done
    );
    let longer = Versioned::after(1, live());
    // A slow machine may have lost the row already; then this is a conflict and nothing can be shown.
    if write(subject, Expected::Version(1), longer.clone()) == Written::Done {
        subject.pass(SHORT);
        assert_eq!(load(subject, KEY), Loaded::Found(longer));

        let shorter = Versioned::after(2, live());
        assert_eq!(
            keep(subject, Expected::Version(2), shorter, SHORT),
            Written::Done
        );
        subject.pass(SHORT);
        assert_eq!(load(subject, KEY), Loaded::Absent);
    }
}

pub fn rows_do_not_touch_each_other(subject: &impl Subject) {
    let neighbours: Vec<_> = (0..64).map(neighbour).collect();
    let row = |version| Versioned {
        version,
        state: State::Revoked,
    };
    for (version, &key) in (1..).zip(&neighbours) {
        assert_eq!(write_at(subject, key, row(version)), Written::Done);
    }

    for (version, &key) in (1..).zip(&neighbours) {
        assert_eq!(load(subject, key), Loaded::Found(row(version)));
    }
}

pub fn a_working_storage_passes_its_probe(subject: &impl Subject) {
    assert_eq!(block_on(subject.rows().probe().wait()), Ok(()));
    assert_eq!(
        block_on(subject.rows().reset().wait()),
        Ok(0),
        "the probe left something"
    );
}

pub fn reset_removes_every_row_and_counts_them(subject: &impl Subject) {
    let keys: Vec<_> = (0..1500).map(numbered).collect();
    for &key in &keys {
        assert_eq!(
            write_at(subject, key, Versioned::first(State::Revoked)),
            Written::Done
        );
    }

    assert_eq!(block_on(subject.rows().reset().wait()), Ok(1500));

    assert!(
        keys.into_iter()
            .all(|key| load(subject, key) == Loaded::Absent)
    );
    assert_eq!(block_on(subject.rows().reset().wait()), Ok(0));
}

fn load(subject: &impl Subject, key: Key) -> Loaded<Versioned> {
    block_on(subject.rows().load(key.into()).wait())
}

fn write(subject: &impl Subject, expected: Expected, row: Versioned) -> Written {
    keep(subject, expected, row, HOUR)
}

fn keep(subject: &impl Subject, expected: Expected, row: Versioned, keep: Duration) -> Written {
    block_on(subject.rows().write(KEY.into(), expected, row, keep).wait())
}

fn write_at(subject: &impl Subject, key: Key, row: Versioned) -> Written {
    block_on(
        subject
            .rows()
            .write(key.into(), Expected::Absent, row, HOUR)
            .wait(),
    )
}

fn live() -> State {
    State::Live(record())
}

/// Everything that could be mangled on the way: quotes, line ends, nothing, more than one byte a character.
fn record() -> Record {
    let mut deltas = Deltas::new();
    deltas.set("user_id", "42\r\n\u{0}\"é漢");
    deltas.set("", u64::MAX);
    deltas.set("roles", json!(["a", {"b": 1.5, "c": null}]));
    deltas.expire(Duration::from_secs(77), Timestamp::default());
    let lifetime = Lifetime::new(Duration::from_secs(60), None);
    lifetime
        .begin(
            Family::new(u64::MAX),
            Timestamp::from_millis(1_700_000_000_000),
        )
        .merge(&deltas)
}

fn roster() -> Roster {
    let at = Timestamp::from_millis(1_700_000_000_000);
    let entry = |family| Entry {
        device: None,
        family: Family::new(family),
        created_at: at,
        seen_at: at,
        expires_at: at,
    };
    [0, 1, u64::MAX].map(entry).into_iter().collect()
}

/// Keys that differ in one bit at most from the one before, and contain every byte that a protocol could stumble on.
fn neighbour(number: u8) -> Key {
    let mut bytes = *KEY.as_bytes();
    bytes[usize::from(number / 2)] ^= if number.is_multiple_of(2) { 1 } else { 0x80 };
    Key::new(bytes)
}

pub(super) fn numbered(number: u64) -> Key {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
    bytes[31] = number.to_be_bytes()[7];
    Key::new(bytes)
}

const KEY: Key = Key::new(*b"*?[^-]\\ \r\n\0{}:%\"'\x80\xff\xfe0123456789ab");
const HOUR: Duration = Duration::from_secs(3600);
/// Long enough to write, short enough to wait for where the storage has a clock of its own.
const SHORT: Duration = Duration::from_millis(60);
