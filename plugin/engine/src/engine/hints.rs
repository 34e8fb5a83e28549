//! Which roster a session is on, remembered from the last time.
//!
//! The row of a session names its roster, so both can be had with one round trip only by who knows the name before.
//! A wrong or missing hint costs a second round trip and nothing else; what is true is always read.

use std::fmt;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use abi::storage::Key;

/// A table of fixed size in which newer hints take the place of older ones.
///
/// It takes its 5 MB when the first storage behind a network answers, and never more.
#[derive(Default)]
pub(super) struct Hints {
    shelves: OnceLock<Box<[Mutex<Shelf>]>>,
}

type Shelf = Box<[Option<(Key, Key)>]>;

impl Hints {
    pub(super) fn recall(&self, session: Key) -> Option<Key> {
        let shelves = self.shelves.get()?;
        let (known, roster) = (*shelf(shelves, session))[slot(session)]?;
        (known == session).then_some(roster)
    }

    pub(super) fn remember(&self, session: Key, roster: Key) {
        let shelves = self.shelves.get_or_init(|| {
            (0..SHELVES)
                .map(|_| Mutex::new(vec![None; SLOTS].into()))
                .collect()
        });
        shelf(shelves, session)[slot(session)] = Some((session, roster));
    }
}

/// Shows nothing: whose sessions they are is nobody's business.
impl fmt::Debug for Hints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hints(..)")
    }
}

// Keys are uniform, so any of their bytes will do.
fn shelf(shelves: &[Mutex<Shelf>], session: Key) -> MutexGuard<'_, Shelf> {
    let [first, ..] = *session.as_bytes();
    shelves[usize::from(first) % SHELVES]
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
}

fn slot(session: Key) -> usize {
    let [_, second, third, ..] = *session.as_bytes();
    usize::from(u16::from_be_bytes([second, third])) % SLOTS
}

const SHELVES: usize = 64;
const SLOTS: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_remembered_is_recalled_until_another_takes_its_place() {
        let hints = Hints::default();
        let (session, roster) = (Key::new([1; 32]), Key::new([2; 32]));
        assert_eq!(hints.recall(session), None);

        hints.remember(session, roster);
        assert_eq!(hints.recall(session), Some(roster));

        let mut neighbour = [1; 32];
        neighbour[31] = 9;
        hints.remember(Key::new(neighbour), roster);
        assert_eq!(hints.recall(session), None);
    }
}
