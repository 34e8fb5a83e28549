//! Which keys each of several connections to one server carries.

use abi::storage::Key;

/// One of several equal parts of all keys. A key always goes the same way, so that what is read of it and what is
/// heard of it stay in order.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Share {
    index: u64,
    of: u64,
}

impl Share {
    /// All keys.
    pub(crate) const ALL: Self = Self { index: 0, of: 1 };

    /// As many equal shares.
    pub(crate) fn split(of: u64) -> impl Iterator<Item = Self> {
        (0..of).map(move |index| Self { index, of })
    }

    pub(crate) fn holds(self, key: &Key) -> bool {
        index(key, self.of) == self.index
    }
}

/// Which of so many shares holds `key`. Keys are hashes, so any part of one spreads evenly.
pub(crate) fn index(key: &Key, of: u64) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = *key.as_bytes();
    u64::from_be_bytes([a, b, c, d, e, f, g, h]) % of
}
