//! The slot of a row whose state is of a known kind.

use std::sync::atomic::AtomicU32;

use super::row::{Row, second};
use super::shard::Lease;
use crate::session::{Packed, Piece, SixBytes, State, Text, Timestamp};
use crate::storage::dense::{Keyed, ShortKey};

/// Of a kind that the compiler knows, so that no slot says it.
pub(super) struct Slot<S> {
    key: ShortKey,
    version: SixBytes,
    /// In milliseconds since 1970.
    dies_at: SixBytes,
    used: AtomicU32,
    state: S,
}

impl<S> Slot<S> {
    /// `version` has to be one of six bytes.
    pub(super) fn new((key, version): (ShortKey, u64), state: S, lease: Lease) -> Self {
        Self {
            key,
            version: version.into(),
            dies_at: lease.dies_at.as_millis().into(),
            used: AtomicU32::new(second(lease.now)),
            state,
        }
    }
}

/// What is left of a [`State`] when its kind is known.
pub(super) trait Kind: Clone {
    fn state(&self) -> State;

    /// The bytes on the heap.
    fn footprint(&self) -> usize {
        self.state().footprint()
    }
}

impl<H> Kind for Text<H>
where
    Piece: From<Self>,
{
    fn state(&self) -> State {
        State::Live(Piece::from(self.clone()).into())
    }
}

impl Kind for Packed {
    fn state(&self) -> State {
        State::Roster(self.clone().into())
    }
}

impl Kind for State {
    fn state(&self) -> State {
        self.clone()
    }
}

impl<S> Keyed for Slot<S> {
    fn key(&self) -> ShortKey {
        self.key
    }
}

impl<S: Kind> Row for Slot<S> {
    fn version(&self) -> u64 {
        self.version.get()
    }

    fn dies_at(&self) -> Timestamp {
        Timestamp::from_millis(self.dies_at.get())
    }

    fn used(&self) -> &AtomicU32 {
        &self.used
    }

    fn state(&self) -> State {
        self.state.state()
    }

    fn footprint(&self) -> usize {
        self.state.footprint()
    }
}

#[cfg(test)]
mod tests {
    use abi::storage::Key;

    use super::*;
    use crate::session::Narrow;

    #[test]
    fn a_slot_takes_32_bytes_and_what_is_kept() {
        let sizes = [
            size_of::<Slot<Text<Narrow<()>>>>(),
            size_of::<Slot<Text<Narrow<Key>>>>(),
            size_of::<Slot<Packed>>(),
            size_of::<Slot<State>>(),
        ];

        assert_eq!(sizes, [32 + 16, 32 + 16, 32 + 16, 32 + size_of::<State>()]);
    }
}
