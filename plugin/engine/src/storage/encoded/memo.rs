//! What rows were decoded to the last time.
//!
//! Whoever looks at a page asks for a dozen things within a second, and each time the row of the session is opened and
//! taken apart anew, and the roster beside it: most of what a load takes in this process. What comes of it depends on
//! nothing but where the row is and what its bytes are. So if they are what they were, it is what it was.
//!
//! Nothing is known from here that the storage has not just said: this saves work, and no question.

use std::fmt;
use std::sync::{Mutex, OnceLock};

use abi::storage::{Key, Row};

use crate::session::State;

/// A table of fixed size in which newer rows take the place of older ones.
///
/// It takes 100 KB with the first row that is noted, and with rows of the largest size that are noted some 10 MB.
#[derive(Default)]
pub(super) struct Memo {
    slots: OnceLock<Box<[Mutex<Option<Noted>>]>>,
}

struct Noted {
    key: Key,
    row: Row,
    state: State,
}

impl Memo {
    /// What these bytes meant at this place.
    pub(super) fn recall(&self, key: &Key, row: &Row) -> Option<State> {
        let slot = &self.slots.get()?[place(key)];
        // Whoever would have to wait decodes meanwhile.
        let noted = slot.try_lock().ok()?;
        let noted = noted.as_ref()?;
        (noted.key == *key && noted.row == *row).then(|| noted.state.clone())
    }

    pub(super) fn note(&self, key: Key, row: Row, state: &State) {
        if row.payload.len() > MOST {
            return;
        }
        let slots = || (0..SLOTS).map(|_| Mutex::new(None)).collect();
        if let Ok(mut slot) = self.slots.get_or_init(slots)[place(&key)].try_lock() {
            let state = state.clone();
            *slot = Some(Noted { key, row, state });
        }
    }

    /// There is nothing any more at this place.
    pub(super) fn forget(&self, key: &Key) {
        let Some(slots) = self.slots.get() else {
            return;
        };
        if let Ok(mut slot) = slots[place(key)].try_lock() {
            slot.take_if(|noted| noted.key == *key);
        }
    }
}

/// Shows nothing: it is about people.
impl fmt::Debug for Memo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Memo(..)")
    }
}

// Keys are uniform, so any of their bytes will do.
fn place(key: &Key) -> usize {
    let [first, second, ..] = *key.as_bytes();
    usize::from(u16::from_be_bytes([first, second])) % SLOTS
}

/// As many as are asked for within a second at a gateway of some size.
const SLOTS: usize = 1024;
/// In bytes. Nearly every session is shorter, and of a longer one decoding is not what takes the time.
const MOST: usize = 4 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_bytes_at_the_same_place_mean_the_same_and_no_others_do() {
        let memo = Memo::default();
        let (here, there) = (Key::new([1; 32]), Key::new([2; 32]));
        assert_eq!(memo.recall(&here, &row(1, b"x")), None);

        memo.note(here, row(1, b"x"), &State::Revoked);

        assert_eq!(memo.recall(&here, &row(1, b"x")), Some(State::Revoked));
        assert_eq!(memo.recall(&here, &row(2, b"x")), None);
        assert_eq!(memo.recall(&here, &row(1, b"y")), None);
        assert_eq!(memo.recall(&there, &row(1, b"x")), None);
    }

    #[test]
    fn a_newer_row_takes_the_place_of_an_older_one_and_what_is_gone_is_forgotten() {
        let memo = Memo::default();
        let (one, other) = (Key::new([1; 32]), neighbour());
        memo.note(one, row(1, b"x"), &State::Revoked);

        memo.forget(&other);
        assert!(memo.recall(&one, &row(1, b"x")).is_some());
        memo.note(other, row(1, b"x"), &State::Revoked);
        assert_eq!(memo.recall(&one, &row(1, b"x")), None);
        memo.forget(&other);

        assert_eq!(memo.recall(&other, &row(1, b"x")), None);
    }

    #[test]
    fn a_long_row_is_not_kept() {
        let memo = Memo::default();
        let key = Key::new([1; 32]);
        for (length, is_kept) in [(MOST, true), (MOST + 1, false)] {
            let row = row(1, &vec![b'x'; length]);

            memo.note(key, row.clone(), &State::Revoked);

            assert_eq!(memo.recall(&key, &row).is_some(), is_kept, "{length}");
        }
    }

    /// A key with the same place as that of ones.
    fn neighbour() -> Key {
        let mut bytes = [1; 32];
        bytes[31] = 9;
        Key::new(bytes)
    }

    fn row(version: u64, payload: &[u8]) -> Row {
        let payload = payload.to_vec();
        Row { version, payload }
    }
}
