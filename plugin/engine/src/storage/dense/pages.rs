//! A list in pages of a fixed size.

use std::mem;
use std::ops::Index;

/// A dense list that grows and shrinks without moving what is in it.
///
/// A vector that grows copies all of itself, which is a pause, and leaves a hole where it was. With hundreds of them
/// growing at the same pace the holes came to a sixth of all memory.
pub(super) struct Pages<T> {
    /// All but the last one are full, and none is empty.
    pages: Vec<Vec<T>>,
}

impl<T> Pages<T> {
    /// What an item takes at most in a list of many, its share of the page's own bytes included.
    pub(super) const PLACE: usize = size_of::<T>() + size_of::<Vec<T>>().div_ceil(PAGE) + 1;

    pub(super) const fn new() -> Self {
        Self { pages: Vec::new() }
    }

    pub(super) fn push(&mut self, item: T) {
        match self.pages.last_mut() {
            Some(page) if page.len() < PAGE => page.push(item),
            _ => {
                let mut page = Vec::with_capacity(PAGE);
                page.push(item);
                self.pages.push(page);
            }
        }
    }

    /// Takes an item out and moves the last one into its place.
    pub(super) fn swap_remove(&mut self, at: usize) -> Option<T> {
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

    pub(super) const fn is_empty(&self) -> bool {
        self.pages.is_empty()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.pages.iter().flatten()
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
        let (mut pages, mut model) = (Pages::new(), Vec::new());
        for number in 0..1000 {
            pages.push(number);
            model.push(number);
            if number % 3 == 0 {
                let at = number * 7 % model.len();
                assert_eq!(pages.swap_remove(at), Some(model.swap_remove(at)));
            }
        }

        assert!(pages.iter().eq(&model));
        assert_eq!(pages.len(), model.len());
        assert!((0..model.len()).all(|at| pages[at] == model[at]));
    }

    #[test]
    fn a_page_goes_with_its_last_item_and_none_ever_grows() {
        let mut pages = Pages::new();
        (0..=PAGE).for_each(|number| pages.push(number));
        assert_eq!(pages.pages.len(), 2);
        assert!(pages.pages.iter().all(|page| page.capacity() == PAGE));

        pages.swap_remove(0);
        assert_eq!(pages.pages.len(), 1);

        while pages.swap_remove(0).is_some() {}
        assert!(pages.is_empty());
    }
}
