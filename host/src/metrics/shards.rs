//! Numbers that many threads change all the time and somebody reads once in a while.
//!
//! Each thread changes a part of its own, on a line of memory that it shares with few others; reading adds them up.

use std::cell::Cell;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// One `T` for each part.
#[derive(Debug)]
pub(super) struct Shards<T>(Box<[Apart<T>]>);

/// A sum. It may go down again, but not below zero.
#[derive(Debug, Default)]
pub struct Sum(Shards<AtomicU64>);

/// Two lines of memory: processors fetch them in pairs.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Apart<T>(T);

impl<T> Shards<T> {
    /// The part of the thread that calls.
    pub(super) fn mine(&self) -> &T {
        // A power of two of them.
        &self.0[number() & (self.0.len() - 1)].0
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter().map(|apart| &apart.0)
    }
}

impl<T: Default> Default for Shards<T> {
    fn default() -> Self {
        static PARTS: OnceLock<usize> = OnceLock::new();
        let parts = *PARTS.get_or_init(|| {
            let processors = std::thread::available_parallelism().map_or(1, usize::from);
            processors.next_power_of_two().min(MOST_PARTS)
        });
        Self((0..parts).map(|_| Apart::default()).collect())
    }
}

impl Sum {
    /// Adds one.
    pub fn increment(&self) {
        self.0.mine().fetch_add(1, Ordering::Relaxed);
    }

    /// Takes one away.
    pub fn decrement(&self) {
        self.0.mine().fetch_sub(1, Ordering::Relaxed);
    }

    /// The sum. Another thread may have taken away what this one has added: only all parts together are a number.
    pub fn value(&self) -> u64 {
        let parts = self.0.iter().map(|part| part.load(Ordering::Relaxed));
        let sum = parts.fold(0, u64::wrapping_add);
        // Parts are not read at one moment.
        u64::try_from(sum.cast_signed()).unwrap_or(0)
    }
}

/// Threads are numbered as they come; those of the workers come first.
fn number() -> usize {
    static THREADS: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static NUMBER: Cell<usize> = const { Cell::new(usize::MAX) };
    }
    NUMBER.with(|number| {
        if number.get() == usize::MAX {
            number.set(THREADS.fetch_add(1, Ordering::Relaxed));
        }
        number.get()
    })
}

const MOST_PARTS: usize = 64;

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn what_threads_add_and_others_take_away_adds_up() {
        let sum = Sum::default();

        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| (0..1000).for_each(|_| sum.increment()));
            }
        });
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..1000).for_each(|_| sum.decrement()));
            }
        });

        assert_eq!(sum.value(), 4000);
    }

    #[test]
    fn a_sum_is_never_below_zero() {
        let sum = Sum::default();
        sum.decrement();

        assert_eq!(sum.value(), 0);
    }
}
