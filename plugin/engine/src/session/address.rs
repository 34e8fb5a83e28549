//! Where a row is.

use std::fmt;

use abi::storage::Key;

use super::id::SessionId;

/// The name of a row, and what its content is sealed by.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct Address {
    pub(super) key: Key,
    /// The id of the session; for a row without one, its name.
    pub(super) seed: [u8; 32],
    /// The place in the list of the secret that names and seals the row; 0 if there are none.
    pub(super) secret: u8,
}

impl Address {
    /// The name of the row, as a storage knows it.
    pub const fn key(&self) -> Key {
        self.key
    }

    /// Whether this is where the row would be written now. What is found under an older secret has to move before
    /// that secret can go.
    pub const fn is_newest(&self) -> bool {
        self.secret == 0
    }

    /// What is left of it when the id is known.
    pub(crate) const fn name(&self) -> RowName {
        RowName {
            key: self.key,
            secret: self.secret,
        }
    }

    /// The row called `key`, which belongs to no id, under the secret of this one.
    #[must_use]
    pub const fn beside(&self, key: Key) -> Self {
        Self {
            key,
            seed: *key.as_bytes(),
            secret: self.secret,
        }
    }
}

/// The address of a session's row, for whoever has its id: half as large.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RowName {
    key: Key,
    secret: u8,
}

impl RowName {
    /// The name of the row, as a storage knows it.
    pub(crate) const fn key(&self) -> Key {
        self.key
    }

    /// As [`Address::is_newest`].
    pub(crate) const fn is_newest(&self) -> bool {
        self.secret == 0
    }

    /// Where the row of `id` is, whose name this is.
    pub(crate) const fn address(&self, id: &SessionId) -> Address {
        Address {
            key: self.key,
            seed: *id.as_bytes(),
            secret: self.secret,
        }
    }
}

/// A row that belongs to no id, under the newest secret: its name is all there is to know about it.
impl From<Key> for Address {
    fn from(key: Key) -> Self {
        Self {
            key,
            seed: *key.as_bytes(),
            secret: 0,
        }
    }
}

/// Shows the name only: the seed of a session is its id.
impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Address").field(&self.key).finish()
    }
}
