//! Random operations on a storage and on a map must lead to the same answers.

use std::collections::BTreeMap;
use std::time::Duration;

use abi::storage::{Expected, Key, Loaded, Written};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::behaviour::numbered;
use super::{Subject, block_on};
use crate::session::{Nonce, Rotated, State, Timestamp};
use crate::storage::Versioned;

/// Loads, conditional writes with right and wrong expectations, and time, in any order.
///
/// # Panics
/// With the shortest sequence on which storage and model disagree.
pub fn random_operations_agree_with_a_model(subject: &impl Subject) {
    // A failing sequence is shrunk and printed; a file of old failures would be one more thing to keep.
    let config = Config {
        cases: 200,
        failure_persistence: None,
        ..Config::default()
    };
    let sequences = proptest::collection::vec(operations(), 1..60);
    let run = TestRunner::new(config).run(&sequences, |sequence| {
        block_on(subject.rows().reset().wait()).expect("a storage that works");
        let mut model = Model::default();
        for operation in sequence {
            model.follow(subject, &operation)?;
        }
        Ok(())
    });
    if let Err(failure) = run {
        panic!("{failure}");
    }
}

#[derive(Clone, Debug)]
enum Operation {
    Load {
        key: u64,
    },
    Pass {
        millis: u64,
    },
    Write {
        key: u64,
        basis: Basis,
        state: u8,
        keep_millis: u64,
    },
}

/// What a writer believes to be there.
#[derive(Clone, Copy, Debug)]
enum Basis {
    Current,
    Nothing,
    Stale,
}

fn operations() -> impl Strategy<Value = Operation> {
    let basis = prop_oneof![
        Just(Basis::Current),
        Just(Basis::Nothing),
        Just(Basis::Stale)
    ];
    prop_oneof![
        3 => (0..4_u64).prop_map(|key| Operation::Load { key }),
        1 => (0..400_u64).prop_map(|millis| Operation::Pass { millis }),
        6 => (0..4_u64, basis, any::<u8>(), 1..1000_u64)
            .prop_map(|(key, basis, state, keep_millis)| Operation::Write { key, basis, state, keep_millis }),
    ]
}

#[derive(Default)]
struct Model {
    rows: BTreeMap<Key, (Versioned, u64)>,
    now: u64,
}

impl Model {
    fn follow(
        &mut self,
        subject: &impl Subject,
        operation: &Operation,
    ) -> Result<(), TestCaseError> {
        match *operation {
            Operation::Load { key } => {
                let loaded = block_on(subject.rows().load(numbered(key).into()).wait());
                prop_assert_eq!(loaded, self.load(numbered(key)));
            }
            Operation::Pass { millis } => {
                // A storage with a clock of its own cannot be asked about an exact instant.
                if let Some(clock) = subject.clock() {
                    clock.advance(Duration::from_millis(millis));
                    self.now += millis;
                }
            }
            Operation::Write {
                key,
                basis,
                state,
                keep_millis,
            } => {
                let millis = if subject.clock().is_some() {
                    keep_millis
                } else {
                    3_600_000
                };
                let (key, expected) = (numbered(key), self.expect(numbered(key), basis));
                let row = next(expected, state);
                let keep = Duration::from_millis(millis);
                let written = block_on(
                    subject
                        .rows()
                        .write(key.into(), expected, row.clone(), keep)
                        .wait(),
                );
                prop_assert_eq!(written, self.write(key, expected, row, millis));
            }
        }
        Ok(())
    }

    fn load(&self, key: Key) -> Loaded<Versioned> {
        match self.rows.get(&key) {
            Some((row, dies_at)) if self.now < *dies_at => Loaded::Found(row.clone()),
            _ => Loaded::Absent,
        }
    }

    fn write(&mut self, key: Key, expected: Expected, row: Versioned, keep: u64) -> Written {
        let is_there = match self.load(key) {
            Loaded::Found(row) => Expected::Version(row.version),
            Loaded::Absent | Loaded::Unavailable(_) => Expected::Absent,
        };
        if is_there != expected {
            return Written::Conflict;
        }
        self.rows.insert(key, (row, self.now + keep));
        Written::Done
    }

    fn expect(&self, key: Key, basis: Basis) -> Expected {
        let version = self.rows.get(&key).map_or(1, |(row, _)| row.version);
        match basis {
            Basis::Current => Expected::Version(version),
            Basis::Nothing => Expected::Absent,
            Basis::Stale => Expected::Version(version - 1),
        }
    }
}

fn next(expected: Expected, state: u8) -> Versioned {
    let state = match state % 4 {
        0 => State::Revoked,
        _ => State::Rotated(
            Rotated {
                nonce: Nonce::new([state; 32]),
                until: Timestamp::default(),
            }
            .into(),
        ),
    };
    match expected {
        Expected::Absent => Versioned::first(state),
        Expected::Version(version) => Versioned::after(version, state),
    }
}
