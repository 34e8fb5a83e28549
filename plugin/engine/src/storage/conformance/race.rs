//! What must hold when many write at once.

use std::sync::{Arc, Barrier};
use std::time::Duration;

use abi::storage::{Expected, Key, Loaded, Written};

use super::behaviour::numbered;
use super::{Subject, block_on};
use crate::session::State;
use crate::storage::{Rows, Versioned};

/// Threads that start one thing at the same moment.
#[derive(Clone, Copy, Debug)]
pub struct Crowd(pub usize);

impl Crowd {
    /// Runs `act` on every thread, each with its number, and collects what they return.
    ///
    /// # Panics
    /// When one of them panics.
    pub fn run<T: Send>(self, act: impl Fn(usize) -> T + Sync) -> Vec<T> {
        let start = Barrier::new(self.0);
        std::thread::scope(|scope| {
            let spawn = |number| {
                let (start, act) = (&start, &act);
                scope.spawn(move || {
                    start.wait();
                    act(number)
                })
            };
            let threads: Vec<_> = (0..self.0).map(spawn).collect();
            threads
                .into_iter()
                .map(|thread| thread.join().expect("no panic in the crowd"))
                .collect()
        })
    }
}

/// However many create a row at once.
///
/// # Panics
/// When not exactly one succeeds.
pub fn one_of_many_creators_wins(subject: &impl Subject) {
    let rows = subject.rows();
    for round in 0..20 {
        let race = Race {
            rows: &rows,
            key: numbered(round),
            expected: Expected::Absent,
        };

        race.has_one_winner_from(1);
    }
}

/// However many replace the same version at once.
///
/// # Panics
/// When not exactly one succeeds.
pub fn one_of_many_writers_wins(subject: &impl Subject) {
    let rows = subject.rows();
    let key = numbered(0);
    let mut version = Race {
        rows: &rows,
        key,
        expected: Expected::Absent,
    }
    .has_one_winner_from(1);
    for _ in 0..20 {
        let race = Race {
            rows: &rows,
            key,
            expected: Expected::Version(version),
        };

        version = race.has_one_winner_from(version + 1);
    }
}

/// Many writes that expect the same.
struct Race<'a> {
    rows: &'a Arc<dyn Rows>,
    key: Key,
    expected: Expected,
}

impl Race<'_> {
    /// Lets everybody write a version of their own, the first of them `from`; exactly one may succeed, and its
    /// version must be there. Returns that version.
    fn has_one_winner_from(&self, from: u64) -> u64 {
        let outcomes = Crowd(64).run(|number| {
            let row = Versioned {
                version: from + number as u64,
                state: State::Revoked,
            };
            let written = self
                .rows
                .write(self.key.into(), self.expected, row.clone(), HOUR);
            (row.version, block_on(written.wait()))
        });

        let winners: Vec<_> = outcomes
            .iter()
            .filter(|(_, written)| *written == Written::Done)
            .map(|(version, _)| *version)
            .collect();
        let losers = outcomes
            .iter()
            .filter(|(_, written)| *written == Written::Conflict)
            .count();
        assert_eq!((winners.len(), losers), (1, 63), "{outcomes:?}");
        let row = Versioned {
            version: winners[0],
            state: State::Revoked,
        };
        assert_eq!(
            block_on(self.rows.load(self.key.into()).wait()),
            Loaded::Found(row)
        );
        winners[0]
    }
}

const HOUR: Duration = Duration::from_secs(3600);
