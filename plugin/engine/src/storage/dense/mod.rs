//! Items found by their key, in lists without gaps.

mod items;
mod pages;
mod positions;
mod short_key;

use abi::storage::Key;

use self::positions::Positions;

pub(super) use self::items::{Items, Keyed};
pub(super) use self::pages::{Pages, SHARE};
pub(super) use self::positions::ENTRY;
pub(super) use self::short_key::ShortKey;

/// Dense rather than linked: removing moves the last item into the gap, so there is no free list to keep, sweeping
/// walks memory in order, and an item costs no more than itself and a few bytes of table.
///
/// In the order in which a load asks for it, so that it lies in one line of the processor's cache, or two.
#[repr(C)]
pub(super) struct Dense<I> {
    positions: Positions,
    items: I,
    /// Where the next walk begins.
    hand: usize,
}

impl<I: Items> Dense<I> {
    pub(super) fn new() -> Self {
        Self {
            positions: Positions::default(),
            items: I::default(),
            hand: 0,
        }
    }

    /// Adds an item whose key is not there yet.
    pub(super) fn insert(&mut self, item: I::Item) {
        let at = self.items.push(item);
        let items = &self.items;
        self.positions.add(at, |at| items.key(at).hash());
    }

    pub(super) fn remove(&mut self, at: u32) -> Option<I::Item> {
        let items = &self.items;
        let hash = |at: u32| items.key(at).hash();
        let last = items.last_beside(at);
        self.positions.remove(hash(at), at);
        self.positions.rename(hash(last), last, at);
        let removed = self.items.swap_remove(at);
        self.give_back();
        removed
    }

    /// Looks at the next few items and drops those that are over, telling `gone` of each.
    ///
    /// Called with every insertion: so there is no thread, no pause, and no list of deadlines to keep. With eight items
    /// looked at for one that may be added, those that are over are at most a seventh of all in the long run.
    pub(super) fn sweep(
        &mut self,
        is_over: impl Fn(I::Lent<'_>) -> bool,
        mut gone: impl FnMut(I::Item),
    ) {
        for _ in 0..SLICE.min(self.len()) {
            let nth = self.hand % self.len();
            let at = self.items.nth(nth);
            if is_over(self.items.get(at)) {
                // The hand stays: what moves here was not looked at yet.
                self.remove(at).map(&mut gone);
                if self.is_empty() {
                    return;
                }
            } else {
                self.hand = nth + 1;
            }
        }
    }

    /// The item of the highest rank among the next few; exact in a small list, and close to it in a large one, without
    /// an order that every reader would have to lock. None when there is no item.
    pub(super) fn first_to_go<R: Ord>(&mut self, rank: impl Fn(I::Lent<'_>) -> R) -> Option<u32> {
        let (from, len) = (self.hand, self.len());
        let sample = (0..SAMPLE.min(len)).map(|step| self.items.nth((from + step) % len));
        let first = sample.max_by_key(|&at| rank(self.items.get(at)))?;
        self.hand = (from + SAMPLE) % len;
        Some(first)
    }

    #[inline]
    pub(super) fn position(&self, key: &Key) -> Option<u32> {
        let key = ShortKey::from(key);
        let is_it = |at| self.items.key(at) == key;
        self.positions.find(key.hash(), is_it)
    }

    pub(super) fn find(&self, key: &Key) -> Option<I::Lent<'_>> {
        Some(self.get(self.position(key)?))
    }

    pub(super) const fn items(&self) -> &I {
        &self.items
    }

    pub(super) fn get(&self, at: u32) -> I::Lent<'_> {
        self.items.get(at)
    }

    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = I::Lent<'_>> {
        (0..self.len()).map(|nth| self.items.get(self.items.nth(nth)))
    }

    /// After most items are gone, so is their memory. Pages go as they empty.
    fn give_back(&mut self) {
        let items = &self.items;
        self.positions.give_back(|at| items.key(at).hash());
    }
}

const SLICE: usize = 8;
const SAMPLE: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

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

        assert!(dense.positions.weight() < 1000);
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

    fn filled(count: u64) -> Dense<Pages<ShortKey>> {
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
