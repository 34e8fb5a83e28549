//! Storages that panic, and that look at what they are sent.

use std::time::Duration;

use crate::Maybe;
use crate::storage::{Expected, Key, Loaded, Row, Storage, Unavailable, Written};

pub(super) const KEY: Key = Key::new([9; 32]);
pub(super) const ROW: Row = Row {
    version: 4,
    payload: Vec::new(),
};

pub(super) struct Panicking;

impl Storage for Panicking {
    fn load<'a>(&'a self, _: &'a Key) -> Maybe<'a, Loaded<Row>> {
        panic!("load")
    }

    fn write<'a>(&'a self, _: &'a Key, _: Expected, _: Row, _: Duration) -> Maybe<'a, Written> {
        Maybe::task(async { panic!("write") })
    }

    fn probe(&self) -> Maybe<'_, Result<(), Unavailable>> {
        panic!("probe")
    }

    fn reset(&self) -> Maybe<'_, Result<u64, Unavailable>> {
        panic!("reset")
    }
}

pub(super) struct Checking;

impl Storage for Checking {
    fn load<'a>(&'a self, key: &'a Key) -> Maybe<'a, Loaded<Row>> {
        Maybe::task(async move {
            if *key == KEY {
                Loaded::Found(ROW)
            } else {
                Loaded::Absent
            }
        })
    }

    fn write<'a>(
        &'a self,
        key: &'a Key,
        expected: Expected,
        row: Row,
        keep: Duration,
    ) -> Maybe<'a, Written> {
        let sent = (*key, expected, row, keep);
        let right = (KEY, Expected::Version(3), ROW, Duration::from_millis(1500));
        Maybe::Ready(if sent == right {
            Written::Done
        } else {
            Written::Conflict
        })
    }

    fn probe(&self) -> Maybe<'_, Result<(), Unavailable>> {
        Maybe::Ready(Ok(()))
    }

    fn reset(&self) -> Maybe<'_, Result<u64, Unavailable>> {
        Maybe::Ready(Ok(7))
    }
}
