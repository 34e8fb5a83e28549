//! A list in pages.

use std::mem;
use std::ops::Index;

/// A dense list that grows and shrinks without moving what is in it.
///
/// A vector that grows copies all of itself, which is a pause, and leaves a hole where it was. With hundreds of them
/// growing at the same pace the holes came to a sixth of all memory.
///
/// Pages are larger in a longer list, a sixteenth of it at most. So no list wastes much, and the pages of millions of items
/// are few enough to be found without waiting for memory.
pub(in crate::storage) struct Pages<T> {
    /// All but the last one are full, and none is empty.
    pages: Vec<Vec<T>>,
}

/// What an item takes besides itself at most in a list of many: its share of the page's own bytes, and of what the
/// allocator adds.
pub(in crate::storage) const SHARE: usize = size_of::<Vec<()>>().div_ceil(SMALLEST) + 1;

impl<T> Pages<T> {
    /// Says where it is.
    pub(super) fn add(&mut self, item: T) -> u32 {
        let at = self.len();
        match self.pages.last_mut() {
            Some(page) if page.len() < page.capacity() => page.push(item),
            _ => {
                let mut page = Vec::with_capacity(size(self.pages.len()));
                page.push(item);
                self.pages.push(page);
            }
        }
        at as u32
    }

    /// Takes an item out and moves the last one into its place.
    pub(super) fn take(&mut self, at: usize) -> Option<T> {
        let last = self.pop()?;
        let (page, at) = place(at);
        match self.pages.get_mut(page).and_then(|page| page.get_mut(at)) {
            Some(item) => Some(mem::replace(item, last)),
            None => Some(last),
        }
    }

    pub(super) fn len(&self) -> usize {
        match self.pages.split_last() {
            Some((last, full)) => before(full.len()) + last.len(),
            None => 0,
        }
    }

    fn pop(&mut self) -> Option<T> {
        let page = self.pages.last_mut()?;
        let last = page.pop();
        if page.is_empty() {
            self.pages.pop();
        }
        last
    }
}

impl<T> Default for Pages<T> {
    fn default() -> Self {
        Self { pages: Vec::new() }
    }
}

impl<T> Index<usize> for Pages<T> {
    type Output = T;

    fn index(&self, at: usize) -> &T {
        let (page, at) = place(at);
        &self.pages[page][at]
    }
}

/// The page of an item, and where it is there. As with numbers that have four bits behind the first: those between two
/// powers of two lie in sixteen pages.
#[inline]
const fn place(at: usize) -> (usize, usize) {
    let at = at + ALIKE * SMALLEST;
    let bits = at.ilog2() - ALIKE.ilog2();
    let doubled = (bits - SMALLEST.ilog2()) as usize;
    (
        ALIKE * doubled + (at >> bits) - ALIKE,
        at & ((1 << bits) - 1),
    )
}

/// How many items are in the pages before this one.
const fn before(page: usize) -> usize {
    (ALIKE + page % ALIKE) * size(page) - ALIKE * SMALLEST
}

/// How many items a page has room for.
const fn size(page: usize) -> usize {
    SMALLEST << (page / ALIKE)
}

/// So few that a list of a handful wastes little, and so many that the page itself weighs nothing.
const SMALLEST: usize = 32;
/// How many pages have the smallest size, and how many each that is twice as large as the one before.
const ALIKE: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_dense_whatever_is_taken_out() {
        let (mut pages, mut model) = (Pages::default(), Vec::new());
        for number in 0..5000 {
            pages.add(number);
            model.push(number);
            if number % 3 == 0 {
                let at = number * 7 % model.len();
                assert_eq!(pages.take(at), Some(model.swap_remove(at)));
            }
        }

        assert!(pages.pages.iter().flatten().eq(&model));
        assert_eq!(pages.len(), model.len());
        assert!((0..model.len()).all(|at| pages[at] == model[at]));
    }

    #[test]
    fn a_page_goes_with_its_last_item_and_none_ever_grows() {
        let mut pages = Pages::default();
        for number in 0..2000 {
            pages.add(number);
        }
        let sizes: Vec<_> = pages.pages.iter().map(Vec::capacity).collect();
        let wanted = [[32; ALIKE], [64; ALIKE], [128; ALIKE]].concat();
        assert_eq!(sizes, wanted[..36]);

        while pages.len() > SMALLEST + 1 {
            pages.take(0);
        }
        assert_eq!(pages.pages.len(), 2);

        while pages.take(0).is_some() {}
        assert!(pages.pages.is_empty());
    }
}
