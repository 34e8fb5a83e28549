//! Items found by their key, in a list without gaps.

mod pages;
mod short_key;

use std::ops::Index;

use abi::storage::Key;
use hashbrown::HashTable;

use self::pages::Pages;
pub(super) use self::short_key::ShortKey;

/// What is found by a key.
pub(super) trait Keyed {
    fn key(&self) -> ShortKey;
}

/// Dense rather than linked: removing moves the last item into the gap, so there is no free list to keep, sweeping
/// walks memory in order, and an item costs no more than itself and four bytes of table.
pub(super) struct Dense<T> {
    items: Pages<T>,
    positions: HashTable<u32>,
    /// Where the next walk begins.
    hand: usize,
}

impl<T: Keyed> Dense<T> {
    /// What an item takes at most among many: its place in a page and in the table, which is at least seven sixteenths
    /// full of five-byte entries.
    pub(super) const PLACE: usize = Pages::<T>::PLACE + 12;

    pub(super) fn new() -> Self {
        Self {
            items: Pages::new(),
            positions: HashTable::new(),
            hand: 0,
        }
    }

    /// Adds an item whose key is not there yet.
    pub(super) fn insert(&mut self, item: T) {
        let (at, item_hash) = (self.items.len() as u32, item.key().hash());
        self.items.push(item);
        let items = &self.items;
        self.positions
            .insert_unique(item_hash, at, |&at| items[at as usize].key().hash());
    }

    pub(super) fn remove(&mut self, at: usize) -> Option<T> {
        let items = &self.items;
        let hash = |&at: &u32| items[at as usize].key().hash();
        let entry = self
            .positions
            .find_entry(hash(&(at as u32)), |&found| found as usize == at);
        if let Ok(entry) = entry {
            entry.remove();
        }
        let last = items.len() - 1;
        if let Some(moved) = self
            .positions
            .find_mut(hash(&(last as u32)), |&found| found as usize == last)
        {
            *moved = at as u32;
        }
        let removed = self.items.swap_remove(at);
        self.give_back();
        removed
    }

    /// Looks at the next few items and drops those that are over, telling `gone` of each.
    ///
    /// Called with every insertion: so there is no thread, no pause, and no list of deadlines to keep. With eight items
    /// looked at for one that may be added, those that are over are at most a seventh of all in the long run.
    pub(super) fn sweep(&mut self, is_over: impl Fn(&T) -> bool, mut gone: impl FnMut(T)) {
        for _ in 0..SLICE.min(self.len()) {
            let at = self.hand % self.len();
            if is_over(&self.items[at]) {
                // The hand stays: the last item moves here and was not looked at yet.
                self.remove(at).map(&mut gone);
                if self.is_empty() {
                    return;
                }
            } else {
                self.hand = at + 1;
            }
        }
    }

    /// The item of the highest rank among the next few; exact in a small list, and close to it in a large one, without
    /// an order that every reader would have to lock. None when there is no item.
    pub(super) fn first_to_go<R: Ord>(&mut self, rank: impl Fn(&T) -> R) -> Option<usize> {
        let (from, len) = (self.hand, self.len());
        let sample = (0..SAMPLE.min(len)).map(|step| (from + step) % len);
        let first = sample.max_by_key(|&at| rank(&self.items[at]))?;
        self.hand = (from + SAMPLE) % len;
        Some(first)
    }

    pub(super) fn position(&self, key: &Key) -> Option<usize> {
        let key = ShortKey::from(key);
        let found = self
            .positions
            .find(key.hash(), |&at| self.items[at as usize].key() == key);
        found.map(|&at| at as usize)
    }

    pub(super) fn find(&self, key: &Key) -> Option<&T> {
        Some(&self.items[self.position(key)?])
    }

    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.items.iter()
    }

    /// After most items are gone, so is their memory. Pages go as they empty.
    fn give_back(&mut self) {
        let items = &self.items;
        if items.len() < self.positions.capacity() / 4 {
            self.positions
                .shrink_to(items.len() * 2, |&at| items[at as usize].key().hash());
        }
    }
}

impl<T> Index<usize> for Dense<T> {
    type Output = T;

    fn index(&self, at: usize) -> &T {
        &self.items[at]
    }
}

const SLICE: usize = 8;
const SAMPLE: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_of_an_item_is_what_list_and_table_really_take() {
        let mut dense = Dense::new();
        for number in 0..20_000_u64 {
            dense.insert(short(number));
            if number > 1000 {
                let table = dense.positions.num_buckets() * 5;
                let real = dense.len() * Pages::<ShortKey>::PLACE + table;
                assert!(
                    real <= dense.len() * (Dense::<ShortKey>::PLACE + 1),
                    "at {number}"
                );
            }
        }
    }

    #[test]
    fn removing_in_any_order_leaves_the_others_findable() {
        let mut dense = filled(500);

        for number in (0..500).step_by(2) {
            let at = dense.position(&key(number)).unwrap();
            assert_eq!(dense.remove(at), Some(short(number)));
        }

        for number in 0..500 {
            let found = dense.find(&key(number));
            assert_eq!(found.is_some(), number % 2 == 1, "{number}");
        }
    }

    #[test]
    fn memory_is_given_back_when_most_items_are_gone() {
        let mut dense = filled(10_000);

        while dense.len() > 10 {
            dense.remove(0);
        }

        assert!(dense.positions.capacity() < 200);
    }

    #[test]
    fn what_is_over_is_swept_by_as_many_walks_as_it_takes() {
        let mut dense = filled(100);
        let (mut gone, is_over) = (0, |key: &ShortKey| key.hash() % 256 < 100);
        let over = dense.iter().filter(|key| is_over(key)).count();

        for _ in 0..100 {
            dense.sweep(is_over, |_| gone += 1);
        }

        assert_eq!((gone, dense.len()), (over, 100 - over));
        assert!(!dense.iter().any(is_over));
    }

    fn filled(count: u64) -> Dense<ShortKey> {
        let mut dense = Dense::new();
        (0..count).for_each(|number| dense.insert(short(number)));
        dense
    }

    impl Keyed for ShortKey {
        fn key(&self) -> ShortKey {
            *self
        }
    }

    fn short(number: u64) -> ShortKey {
        ShortKey::from(&key(number))
    }

    fn key(number: u64) -> Key {
        let mut bytes = [0; 32];
        // The hash has to be spread as that of a real key is.
        bytes[..8].copy_from_slice(&number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes());
        Key::new(bytes)
    }
}
