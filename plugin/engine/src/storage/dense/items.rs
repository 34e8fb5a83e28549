//! What a list without gaps is to whoever finds items in it.

use super::{Pages, ShortKey};

/// What is found by a key.
pub(in crate::storage) trait Keyed {
    fn key(&self) -> ShortKey;
}

/// Items in one list or several, each of which is without gaps. An item is at a place, which says in which list; it stays
/// there until the last of its list takes the place of one that goes.
pub(in crate::storage) trait Items: Default {
    type Item;
    type Lent<'a>
    where
        Self: 'a;

    fn len(&self) -> usize;

    /// Adds an item and says where.
    fn push(&mut self, item: Self::Item) -> u32;

    fn get(&self, at: u32) -> Self::Lent<'_>;

    fn key(&self, at: u32) -> ShortKey;

    /// Where the last item of the same list is.
    fn last_beside(&self, at: u32) -> u32;

    /// Takes an item out and moves the last one of its list into its place.
    fn swap_remove(&mut self, at: u32) -> Option<Self::Item>;

    /// Where the item is that so many others are before, below [`len`](Self::len).
    fn nth(&self, nth: usize) -> u32;
}

impl<T: Keyed + 'static> Items for Pages<T> {
    type Item = T;
    type Lent<'a> = &'a T;

    fn len(&self) -> usize {
        Self::len(self)
    }

    fn push(&mut self, item: T) -> u32 {
        self.add(item)
    }

    fn get(&self, at: u32) -> &T {
        &self[at as usize]
    }

    #[inline]
    fn key(&self, at: u32) -> ShortKey {
        self[at as usize].key()
    }

    fn last_beside(&self, _: u32) -> u32 {
        (Self::len(self) - 1) as u32
    }

    fn swap_remove(&mut self, at: u32) -> Option<T> {
        self.take(at as usize)
    }

    fn nth(&self, nth: usize) -> u32 {
        nth as u32
    }
}
