//! The slots of all rows, in a list for each kind.

use abi::storage::Key;

use super::lone_slot::LoneSlot;
use super::row::Row;
use super::shard::Lease;
use super::slot::Slot;
use crate::session::{Entries, Narrow, Packed, Piece, State, Text, Timestamp, Wide};
use crate::storage::Versioned;
use crate::storage::dense::{Items, Keyed, Pages, ShortKey};

/// Defines a slot of any kind, and a list for each. The upper bits of a place are the number of the kind.
macro_rules! kinds {
    ($($number:literal $kind:ident($slot:ty) in $list:ident,)+) => {
        /// A slot to be added.
        pub(super) enum AnySlot {
            $($kind($slot),)+
        }

        impl AnySlot {
            /// As any other row.
            pub(super) fn row(&self) -> &dyn Row {
                match self {
                    $(Self::$kind(slot) => slot,)+
                }
            }
        }

        /// The usual kinds first.
        #[derive(Default)]
        #[repr(C)]
        pub(super) struct Slots {
            $($list: Pages<$slot>,)+
        }

        impl Slots {
            /// As that of any row, without a table of functions on the way.
            #[inline]
            pub(super) fn load(&self, at: u32, now: Timestamp) -> Option<Versioned> {
                match kind(at) {
                    $($number => self.$list[index(at)].load(now),)+
                    _ => unreachable!("{NO_KIND}"),
                }
            }
        }

        impl Items for Slots {
            type Item = AnySlot;
            type Lent<'a> = &'a dyn Row;

            fn len(&self) -> usize {
                0 $(+ Items::len(&self.$list))+
            }

            fn push(&mut self, slot: AnySlot) -> u32 {
                match slot {
                    $(AnySlot::$kind(slot) => place($number, self.$list.push(slot)),)+
                }
            }

            fn get(&self, at: u32) -> &dyn Row {
                match kind(at) {
                    $($number => &self.$list[index(at)],)+
                    _ => unreachable!("{NO_KIND}"),
                }
            }

            #[inline]
            fn key(&self, at: u32) -> ShortKey {
                match kind(at) {
                    $($number => self.$list[index(at)].key(),)+
                    _ => unreachable!("{NO_KIND}"),
                }
            }

            fn last_beside(&self, at: u32) -> u32 {
                match kind(at) {
                    $($number => place($number, self.$list.last_beside(at)),)+
                    _ => unreachable!("{NO_KIND}"),
                }
            }

            fn swap_remove(&mut self, at: u32) -> Option<AnySlot> {
                match kind(at) {
                    $($number => self.$list.swap_remove(index(at) as u32).map(AnySlot::$kind),)+
                    _ => unreachable!("{NO_KIND}"),
                }
            }

            fn nth(&self, nth: usize) -> u32 {
                let mut nth = nth;
                $(
                    match nth.checked_sub(Items::len(&self.$list)) {
                        None => return place($number, nth as u32),
                        Some(beyond) => nth = beyond,
                    }
                )+
                unreachable!("there are {nth} fewer")
            }
        }
    };
}

kinds! {
    0 Visitor(Slot<Text<Narrow<()>>>) in visitors,
    1 Member(Slot<Text<Narrow<Key>>>) in members,
    2 Lone(LoneSlot) in lone,
    3 Wide(Slot<Text<Wide>>) in wide,
    4 Roster(Slot<Packed>) in rosters,
    5 Other(Slot<State>) in others,
}

impl AnySlot {
    /// In the smallest slot that can say it.
    pub(super) fn new(key: &Key, row: Versioned, lease: Lease) -> Self {
        let name = (ShortKey::from(key), row.version);
        match row.state {
            State::Live(record) => match record.into() {
                Piece::Visitor(text) => Self::Visitor(Slot::new(name, text, lease)),
                Piece::Member(text) => Self::Member(Slot::new(name, text, lease)),
                Piece::Wide(text) => Self::Wide(Slot::new(name, text, lease)),
            },
            State::Roster(roster) => match roster.into() {
                Entries::Packed(packed) => Self::Roster(Slot::new(name, packed, lease)),
                Entries::Lone(lone) => match LoneSlot::new(name, lone, lease) {
                    Some(slot) => Self::Lone(slot),
                    None => Self::Other(Slot::new(name, State::Roster(lone.into()), lease)),
                },
            },
            other => Self::Other(Slot::new(name, other, lease)),
        }
    }
}

const fn place(kind: u32, index: u32) -> u32 {
    (kind << INDEX_BITS) | index
}

const fn kind(at: u32) -> u32 {
    at >> INDEX_BITS
}

const fn index(at: u32) -> usize {
    (at & ((1 << INDEX_BITS) - 1)) as usize
}

/// Half a thousand million of each kind in each shard.
const INDEX_BITS: u32 = 29;
const NO_KIND: &str = "places are made here";

#[cfg(test)]
mod tests;
