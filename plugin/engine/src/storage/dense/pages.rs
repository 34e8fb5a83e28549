//! A list in pages of a fixed size.

use std::mem;
use std::ops::Index;

/// A dense list that grows and shrinks without moving what is in it.
///
/// A vector that grows copies all of itself, which is a pause, and leaves a hole where it was. With hundreds of them
/// growing at the same pace the holes came to a sixth of all memory.
pub(in crate::storage) struct Pages<T> {
    /// All but the last one are full, and none is empty.
    pages: Vec<Vec<T>>,
}

/// What an item takes besides itself at most in a list of many: its share of the page's own bytes, and of what the
/// allocator adds.
pub(in crate::storage) const SHARE: usize = size_of::<Vec<()>>().div_ceil(PAGE) + 1;

impl<T> Pages<T> {
    /// Says where it is.
    pub(super) fn add(&mut self, item: T) -> u32 {
        let at = self.len();
        match self.pages.last_mut() {
            Some(page) if page.len() < PAGE => page.push(item),
            _ => {
                let mut page = Vec::with_capacity(PAGE);
                page.push(item);
                self.pages.push(page);
            }
        }
        at as u32
    }

    /// Takes an item out and moves the last one into its place.
    pub(super) fn take(&mut self, at: usize) -> Option<T> {
        let last = self.pop()?;
        let page = self.pages.get_mut(at / PAGE);
        match page.and_then(|page| page.get_mut(at % PAGE)) {
            Some(item) => Some(mem::replace(item, last)),
            None => Some(last),
        }
    }

    pub(super) fn len(&self) -> usize {
        let last = self.pages.last().map_or(0, Vec::len);
        self.pages.len().saturating_sub(1) * PAGE + last
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
        &self.pages[at / PAGE][at % PAGE]
    }
}

/// So few that a list of a handful wastes little, and so many that the page itself weighs nothing.
const PAGE: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_dense_whatever_is_taken_out() {
        let (mut pages, mut model) = (Pages::default(), Vec::new());
        for number in 0..1000 {
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
        for number in 0..=PAGE {
            pages.add(number);
        }
        assert_eq!(pages.pages.len(), 2);
        assert!(pages.pages.iter().all(|page| page.capacity() == PAGE));

        pages.take(0);
        assert_eq!(pages.pages.len(), 1);

        while pages.take(0).is_some() {}
        assert!(pages.pages.is_empty());
    }
}
