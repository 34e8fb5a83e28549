//! A storage that others write through, too.

use std::sync::Arc;
use std::time::Duration;

use abi::Maybe;
use abi::storage::{Expected, Key, Loaded, Row, Storage, Unavailable, Written};

use super::Changes;

/// Tells those who keep copies of what is written here: another plugin shares the connection, and a server tells
/// nobody what they did themselves.
pub(super) struct Announced<S> {
    storage: Arc<S>,
    changes: Changes,
}

/// Tells when it is dropped: what was to be written may be, also if nobody waited for it.
struct Announcement<'a>(&'a Changes, Option<&'a Key>);

impl<S: Storage> Announced<S> {
    pub(super) const fn new(storage: Arc<S>, changes: Changes) -> Self {
        Self { storage, changes }
    }

    fn after<'a, T: 'a>(&'a self, work: Maybe<'a, T>, key: Option<&'a Key>) -> Maybe<'a, T> {
        let announcement = Announcement(&self.changes, key);
        work.map(move |result| {
            drop(announcement);
            result
        })
    }
}

impl<S: Storage> Storage for Announced<S> {
    fn load<'a>(&'a self, key: &'a Key) -> Maybe<'a, Loaded<Row>> {
        self.storage.load(key)
    }

    fn write<'a>(
        &'a self,
        key: &'a Key,
        expected: Expected,
        row: Row,
        keep: Duration,
    ) -> Maybe<'a, Written> {
        self.after(self.storage.write(key, expected, row, keep), Some(key))
    }

    fn probe(&self) -> Maybe<'_, Result<(), Unavailable>> {
        self.storage.probe()
    }

    fn reset(&self) -> Maybe<'_, Result<u64, Unavailable>> {
        self.after(self.storage.reset(), None)
    }
}

impl Drop for Announcement<'_> {
    fn drop(&mut self) {
        let Self(changes, key) = self;
        match key {
            Some(key) => changes.changed(key),
            None => changes.gap(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, Weak};

    use abi::testing::wait;

    use super::*;
    use crate::clock::ManualClock;
    use crate::session::Timestamp;
    use crate::storage::{ByteStorage, Listener};

    #[test]
    fn what_is_written_and_what_is_removed_is_told() {
        let (changes, witness) = (Changes::default(), Arc::new(Witness::default()));
        changes.subscribe(Arc::downgrade(&witness) as Weak<dyn Listener>);
        let clock = Arc::new(ManualClock::new(Timestamp::from_millis(0)));
        let storage = Announced::new(Arc::new(ByteStorage::new(clock)), changes);
        let row = Row {
            version: 1,
            payload: Vec::new(),
        };

        assert_eq!(wait(storage.load(&KEY)), Loaded::Absent);
        assert_eq!(*witness.0.lock().unwrap(), []);

        let hour = Duration::from_secs(3600);
        let written = wait(storage.write(&KEY, Expected::Absent, row, hour));
        assert_eq!(written, Written::Done);
        assert_eq!(*witness.0.lock().unwrap(), [Some(KEY)]);

        assert_eq!(wait(storage.reset()), Ok(1));
        assert_eq!(*witness.0.lock().unwrap(), [Some(KEY), None]);
    }

    #[derive(Default)]
    struct Witness(Mutex<Vec<Option<Key>>>);

    impl Listener for Witness {
        fn changed(&self, key: &Key) {
            self.0.lock().unwrap().push(Some(*key));
        }

        fn gap(&self) {
            self.0.lock().unwrap().push(None);
        }
    }

    const KEY: Key = Key::new([1; 32]);
}
