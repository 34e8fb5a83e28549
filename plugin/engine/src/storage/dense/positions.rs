//! Where items are, by the hash of their keys.
//!
//! A load among millions of items is as slow as the lines of memory that it has to wait for. So all that is asked here
//! is in one line of the processor's cache: up to twelve positions, and a byte of the hash of each. A table with bytes in
//! one place and positions in another takes two. Positions that find their line full go into the next one with room, and
//! the lines that they passed count them, so that nobody looks on for what is not there.

/// A table of positions that grows by half, so that it is at least five ninths full once it is large.
#[derive(Default)]
pub(super) struct Positions {
    lines: Vec<Line>,
    len: usize,
}

#[derive(Clone, Default)]
#[repr(align(64))]
struct Line {
    /// Of the hashes; none is [`FREE`].
    tags: [u8; WIDTH],
    /// How many lie behind this line that belong to it or before it.
    passed: u32,
    positions: [u32; WIDTH],
}

impl Positions {
    /// The position under a hash that is the right one.
    #[inline]
    pub(super) fn find(&self, hash: u64, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        let (line, slot) = self.place(hash, is_it)?;
        Some(self.lines[line].positions[slot])
    }

    /// Adds a position that is not there yet. `hash` is that of any position in the table, should it grow.
    pub(super) fn add(&mut self, position: u32, hash: impl Fn(u32) -> u64) {
        if self.len >= room(self.lines.len()) {
            self.resize(self.lines.len() + self.lines.len() / 2 + 1, &hash);
        }
        self.put(hash(position), position);
        self.len += 1;
    }

    pub(super) fn remove(&mut self, hash: u64, position: u32) {
        let Some((found, slot)) = self.place(hash, |it| it == position) else {
            return;
        };
        self.lines[found].tags[slot] = FREE;
        let mut at = self.home(hash);
        while at != found {
            self.lines[at].passed -= 1;
            at = self.next(at);
        }
        self.len -= 1;
    }

    /// Says that what was at `from` is at `to`.
    pub(super) fn rename(&mut self, hash: u64, from: u32, to: u32) {
        if let Some((line, slot)) = self.place(hash, |it| it == from) {
            self.lines[line].positions[slot] = to;
        }
    }

    /// Gives memory back when most positions are gone.
    pub(super) fn give_back(&mut self, hash: impl Fn(u32) -> u64) {
        let few = self.len.div_ceil(WIDTH) * 2;
        if few < self.lines.len() / 2 {
            self.resize(few, hash);
        }
    }

    /// The bytes of the table.
    #[cfg(test)]
    pub(super) fn weight(&self) -> usize {
        size_of_val(&*self.lines)
    }

    fn resize(&mut self, lines: usize, hash: impl Fn(u32) -> u64) {
        let old = std::mem::replace(&mut self.lines, vec![Line::default(); lines]);
        for line in old {
            for (tag, position) in line.tags.into_iter().zip(line.positions) {
                if tag != FREE {
                    self.put(hash(position), position);
                }
            }
        }
    }

    /// There is room somewhere.
    fn put(&mut self, hash: u64, position: u32) {
        let mut at = self.home(hash);
        loop {
            let line = &mut self.lines[at];
            let free = line.slots(FREE).next();
            if let Some(slot) = free {
                line.tags[slot] = tag(hash);
                line.positions[slot] = position;
                return;
            }
            line.passed += 1;
            at = self.next(at);
        }
    }

    /// The line of the right position, and the slot in it.
    #[inline]
    fn place(&self, hash: u64, is_it: impl Fn(u32) -> bool) -> Option<(usize, usize)> {
        let (mut at, tag) = (self.home(hash), tag(hash));
        // Where lines were full once, even the last of them may have been passed: nobody goes round twice.
        for _ in 0..self.lines.len() {
            let line = &self.lines[at];
            let found = line.slots(tag).find(|&slot| is_it(line.positions[slot]));
            if let Some(slot) = found {
                return Some((at, slot));
            }
            if line.passed == 0 {
                break;
            }
            at = self.next(at);
        }
        None
    }

    /// The upper bits of a hash, in proportion.
    #[inline]
    fn home(&self, hash: u64) -> usize {
        ((u128::from(hash) * self.lines.len() as u128) >> 64) as usize
    }

    #[inline]
    const fn next(&self, line: usize) -> usize {
        match line + 1 == self.lines.len() {
            true => 0,
            false => line + 1,
        }
    }
}

impl Line {
    /// The slots that have this tag. All twelve are compared at once: a byte that is equal is one of zeros after the
    /// exclusive or, and the borrow of subtracting ones sets its highest bit.
    #[inline]
    fn slots(&self, tag: u8) -> impl Iterator<Item = usize> + use<> {
        let mut tags = [0; 16];
        tags[..WIDTH].copy_from_slice(&self.tags);
        let unequal = u128::from_le_bytes(tags) ^ (ONES * u128::from(tag));
        let mut equal = unequal.wrapping_sub(ONES) & !unequal & HIGHEST;
        let unequal = move |slot: usize| (unequal >> (8 * slot)) as u8;
        std::iter::from_fn(move || {
            while equal != 0 {
                let slot = equal.trailing_zeros() as usize / 8;
                equal &= equal - 1;
                // A one above an equal byte loses the borrow, and only looks equal.
                if unequal(slot) == 0 {
                    return Some(slot);
                }
            }
            None
        })
    }
}

/// The lowest byte of a hash.
#[inline]
const fn tag(hash: u64) -> u8 {
    match hash as u8 {
        FREE => 1,
        tag => tag,
    }
}

/// How many positions so many lines take before there have to be more: ten in twelve, so that few find their line full.
const fn room(lines: usize) -> usize {
    lines * 10
}

/// What a position takes at most among many.
pub(in crate::storage) const ENTRY: usize = size_of::<Line>() * 3 / 2 / 10;

const WIDTH: usize = 12;
const FREE: u8 = 0;
const ONES: u128 = u128::from_le_bytes([1; 16]);
/// Of the bytes that are tags.
const HIGHEST: u128 = (ONES << 7) & ((1 << (8 * WIDTH)) - 1);

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn positions_are_found_whichever_come_and_go() {
        for spread in [1, 0x9e37_79b9_7f4a_7c15, 1 << 52, 1 << 60] {
            let hash = |position: u32| u64::from(position).wrapping_mul(spread);
            let (mut positions, mut model) = (Positions::default(), HashSet::new());
            for number in 0..2000_u32 {
                positions.add(number, hash);
                model.insert(number);
                let gone = number.wrapping_mul(7919) % (number + 1);
                if number % 3 != 0 && model.remove(&gone) {
                    positions.remove(hash(gone), gone);
                    positions.give_back(hash);
                }
            }

            assert_eq!(positions.len, model.len());
            for number in 0..2000 {
                let found = positions.find(hash(number), |position| position == number);
                assert_eq!(found.is_some(), model.contains(&number), "{number}");
            }
        }
    }

    #[test]
    fn a_table_of_a_few_lines_agrees_with_a_model_at_every_step() {
        // All in one line, half in the last one, and spread.
        for hash in [
            |_| 7,
            |it| u64::from(it % 2) * u64::MAX,
            |it| u64::from(it) << 59,
        ] {
            let hash: fn(u32) -> u64 = hash;
            let (mut positions, mut model) = (Positions::default(), HashSet::new());
            let mut dice = 1_u32;
            for _ in 0..2000 {
                dice = dice.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let number = (dice >> 16) % 40;
                match model.remove(&number) {
                    true => positions.remove(hash(number), number),
                    false => {
                        positions.add(number, hash);
                        model.insert(number);
                    }
                }
                for number in 0..40 {
                    let found = positions.find(hash(number), |position| position == number);
                    assert_eq!(found.is_some(), model.contains(&number), "{number}");
                }
            }
        }
    }

    #[test]
    fn nobody_looks_on_for_what_is_gone() {
        let mut positions = Positions::default();
        let crowded = |_: u32| 7;
        (0..100).for_each(|number| positions.add(number, crowded));
        assert!(positions.lines.iter().any(|line| line.passed > 0));

        (0..100).for_each(|number| positions.remove(7, number));

        assert_eq!(positions.len, 0);
        assert!(positions.lines.iter().all(|line| line.passed == 0));
        assert_eq!(positions.find(7, |_| true), None);
    }

    #[test]
    fn a_search_for_what_is_not_there_ends_even_if_every_line_was_passed() {
        const THERE: u64 = u64::MAX;
        let mut positions = Positions::default();
        let hash = |position: u32| if position < 20 { 0 } else { THERE };
        // The thirteenth passes the first of two lines.
        (0..13).for_each(|number| positions.add(number, hash));
        (0..6).for_each(|number| positions.remove(0, number));
        // The last one passes the second.
        (20..32).for_each(|number| positions.add(number, hash));
        let passed: Vec<_> = positions.lines.iter().map(|line| line.passed).collect();
        assert_eq!(passed, [1, 1]);

        assert_eq!(positions.find(0, |_| false), None);
    }

    #[test]
    fn what_moves_is_found_where_it_is() {
        let mut positions = Positions::default();
        positions.add(1, u64::from);
        positions.rename(1, 1, 9);

        assert_eq!(positions.find(1, |_| true), Some(9));
        positions.remove(1, 1);
        assert_eq!(positions.find(1, |_| true), Some(9));
    }

    #[test]
    fn of_the_slots_those_with_the_tag_are_named() {
        let line = Line {
            tags: [3, 2, 3, 0, 1, 2, 255, 254, 3, 0, 128, 3],
            ..Line::default()
        };
        for tag in 0..=255 {
            let named: Vec<_> = line.slots(tag).collect();
            let equal: Vec<_> = (0..WIDTH).filter(|&slot| line.tags[slot] == tag).collect();
            assert_eq!(named, equal, "{tag}");
        }
    }

    #[test]
    fn a_line_is_one_of_the_cache_and_a_position_takes_no_more_than_its_entry() {
        assert_eq!((size_of::<Line>(), align_of::<Line>()), (64, 64));

        let mut positions = Positions::default();
        for number in 0..20_000_u32 {
            positions.add(number, |position| {
                u64::from(position).wrapping_mul(0x9e37_79b9_7f4a_7c15)
            });
            if number > 1000 {
                let table = positions.weight();
                assert!(table <= positions.len * (ENTRY + 1), "at {number}");
            }
        }
    }
}
