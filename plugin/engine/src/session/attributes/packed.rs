//! Names and values in one piece of memory.
//!
//! ```text
//! entry  = length, name, length, value
//! length = of what follows, in bytes, to the base of 64, the lowest digit first;
//!          a digit is one byte, and 64 more if another one follows
//! value  = a quotation mark and the text without escapes, or anything else in JSON, which begins with another letter
//! ```
//! All of it is text, lengths included, so that a name or a value is found without a copy and without looking at its
//! letters. A `serde_json::Map` takes 600 bytes for the first of them, and a slice of names and values 80 for each.

use super::value_ref::ValueRef;

/// Names and values in the order of the names.
#[derive(Clone, Default, Eq, PartialEq)]
pub(super) struct Packed(Box<str>);

impl Packed {
    /// Of pairs that are in this order already.
    pub(super) fn of<'p, 'v: 'p>(
        pairs: impl Iterator<Item = (&'p str, &'p ValueRef<'v>)> + Clone,
    ) -> Self {
        let pieces = pairs.flat_map(|(name, value)| [["", name], value.parts()]);
        let mut packed = String::with_capacity(pieces.clone().map(packed_len).sum());
        for piece in pieces {
            push(&mut packed, piece);
        }
        Self(packed.into_boxed_str())
    }

    /// What lies in another piece.
    pub(super) fn copied(packed: &str) -> Self {
        Self(packed.into())
    }

    /// The piece.
    pub(super) const fn text(&self) -> &str {
        &self.0
    }
}

/// What is left to be read of a [`Packed`].
pub(super) struct Pairs<'a>(pub(super) &'a str);

impl<'a> Iterator for Pairs<'a> {
    type Item = (&'a str, ValueRef<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let (name, rest) = split(self.0)?;
        let (value, rest) = split(rest)?;
        self.0 = rest;
        Some((name, ValueRef::of_parts(value)))
    }
}

fn push(packed: &mut String, [mark, text]: [&str; 2]) {
    let mut len = mark.len() + text.len();
    while len >= BASE {
        packed.push(digit(BASE + len % BASE));
        len /= BASE;
    }
    packed.push(digit(len));
    packed.push_str(mark);
    packed.push_str(text);
}

/// What [`push`] adds.
fn packed_len([mark, text]: [&str; 2]) -> usize {
    let len = mark.len() + text.len();
    let digits = 1 + len.checked_ilog(BASE).unwrap_or(0) as usize;
    digits + len
}

/// The first piece, and what follows it.
fn split(packed: &str) -> Option<(&str, &str)> {
    let (mut len, mut unit) = (0, 1);
    for (place, digit) in packed.bytes().map(usize::from).enumerate() {
        len += digit % BASE * unit;
        if digit < BASE {
            return packed.get(place + 1..)?.split_at_checked(len);
        }
        unit *= BASE;
    }
    None
}

/// Below twice the base it is ASCII: one byte.
const fn digit(value: usize) -> char {
    value as u8 as char
}

const BASE: usize = 64;

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn pairs_of_every_length_come_back() {
        for len in [0, 1, 62, 63, 64, 65, 4094, 4095, 4096, 4097, 300_000] {
            let (name, text) = ("n".repeat(len), "é".repeat(len));
            let pairs = BTreeMap::from([(&*name, text_ref(&text)), ("z", text_ref(""))]);

            let packed = Packed::of(pairs.iter().map(|(name, value)| (*name, value)));

            assert!(Pairs(packed.text()).eq(pairs), "{len}");
        }
    }

    #[test]
    fn a_short_pair_takes_its_letters_two_lengths_and_a_mark() {
        let packed = Packed::of([("name", &text_ref("value"))].into_iter());

        assert_eq!(packed.text().len(), 4 + 5 + 2 + 1);
    }

    #[test]
    fn the_room_is_known_before_anything_is_written() {
        for len in [0, 1, 62, 63, 64, 4094, 4095, 4096, 262_143, 262_144] {
            let text = "x".repeat(len);
            let mut packed = String::new();

            push(&mut packed, ["", &text]);

            assert_eq!(packed.len(), packed_len(["", &text]), "{len}");
        }
    }

    fn text_ref(text: &str) -> ValueRef<'_> {
        ValueRef::Text(text.into())
    }
}
