//! A storage of decoded rows, for those who come through the boundary.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use abi::Maybe;
use abi::storage::{Expected, Key, Loaded, Row, Storage, Unavailable, Written};

use super::{Rows, Versioned};
use crate::session::{Address, decode, encode};

/// Rows as bytes. Another plugin may share sessions by it; what is not a session, it refuses to keep.
pub struct Exported {
    rows: Arc<dyn Rows>,
}

impl Exported {
    /// Exports `rows`.
    pub const fn new(rows: Arc<dyn Rows>) -> Self {
        Self { rows }
    }
}

impl Storage for Exported {
    fn load<'a>(&'a self, key: &'a Key) -> Maybe<'a, Loaded<Row>> {
        self.rows
            .load(Address::from(*key))
            .map(|loaded| match loaded {
                Loaded::Found(row) => Loaded::Found(Row {
                    version: row.version,
                    payload: encode(&row.state),
                }),
                Loaded::Absent => Loaded::Absent,
                Loaded::Unavailable(cause) => Loaded::Unavailable(cause),
            })
    }

    fn write<'a>(
        &'a self,
        key: &'a Key,
        expected: Expected,
        row: Row,
        keep: Duration,
    ) -> Maybe<'a, Written> {
        match decode(&row.payload) {
            Ok(state) => {
                let row = Versioned {
                    version: row.version,
                    state,
                };
                self.rows.write(Address::from(*key), expected, row, keep)
            }
            Err(error) => Written::Unavailable(Unavailable::new(error.to_string())).into(),
        }
    }

    fn probe(&self) -> Maybe<'_, Result<(), Unavailable>> {
        self.rows.probe()
    }

    fn reset(&self) -> Maybe<'_, Result<u64, Unavailable>> {
        self.rows.reset()
    }
}

impl fmt::Debug for Exported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Exported(..)")
    }
}

#[cfg(test)]
mod tests {
    use abi::storage::StorageHandle;
    use abi::testing::{TestGateway, wait};

    use super::*;
    use crate::clock::ManualClock;
    use crate::session::{Family, Keyring, Lifetime, State, Timestamp};
    use crate::storage::{Encoded, MemoryConfig, MemoryStorage};

    #[test]
    fn session_written_through_the_boundary_is_the_session_inside() {
        let inside = rows();
        let exported = Exported::new(Arc::clone(&inside));
        let services = TestGateway::new().services();
        let exported = StorageHandle::new(Arc::new(exported));
        let outside = Encoded::new(exported, "Memory", Keyring::plain(), &services);
        let record = Lifetime::new(HOUR, None).begin(Family::new(7), NOW);
        let row = Versioned::first(State::Live(record));

        let written = wait(outside.write(KEY.into(), Expected::Absent, row.clone(), HOUR));

        assert_eq!(written, Written::Done);
        assert_eq!(wait(inside.load(KEY.into())), Loaded::Found(row.clone()));
        assert_eq!(wait(outside.load(KEY.into())), Loaded::Found(row));
    }

    #[test]
    fn what_is_no_session_is_not_kept() {
        let exported = Exported::new(rows());
        let row = Row {
            version: 1,
            payload: b"anything".to_vec(),
        };

        let written = wait(exported.write(&KEY, Expected::Absent, row, HOUR));

        assert!(matches!(written, Written::Unavailable(_)), "{written:?}");
        assert_eq!(wait(exported.load(&KEY)), Loaded::Absent);
    }

    fn rows() -> Arc<dyn Rows> {
        let clock = Arc::new(ManualClock::new(NOW));
        Arc::new(MemoryStorage::open(&MemoryConfig::default(), clock).unwrap())
    }

    const KEY: Key = Key::new([7; 32]);
    const HOUR: Duration = Duration::from_secs(3600);
    const NOW: Timestamp = Timestamp::from_millis(1_000_000);
}
