//! Where the entries of a roster lie.

use std::ops::Deref;

use super::Entry;

/// A slice. Most principals have one session, and the one entry needs no memory besides that of its roster.
#[derive(Clone, Debug)]
pub(super) enum Entries {
    One(Entry),
    Slice(Box<[Entry]>),
}

impl Entries {
    /// The bytes on the heap.
    pub(super) fn footprint(&self) -> usize {
        match self {
            Self::One(_) => 0,
            Self::Slice(entries) => size_of_val(&**entries),
        }
    }
}

impl Default for Entries {
    fn default() -> Self {
        Self::Slice(Box::default())
    }
}

impl Deref for Entries {
    type Target = [Entry];

    fn deref(&self) -> &[Entry] {
        match self {
            Self::One(entry) => std::slice::from_ref(entry),
            Self::Slice(entries) => entries,
        }
    }
}

impl From<Vec<Entry>> for Entries {
    fn from(entries: Vec<Entry>) -> Self {
        match <[Entry; 1]>::try_from(entries) {
            Ok([entry]) => Self::One(entry),
            Err(entries) => Self::Slice(entries.into()),
        }
    }
}

impl FromIterator<Entry> for Entries {
    fn from_iter<I: IntoIterator<Item = Entry>>(entries: I) -> Self {
        Vec::from_iter(entries).into()
    }
}

impl Eq for Entries {}

/// Wherever they lie.
impl PartialEq for Entries {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}
