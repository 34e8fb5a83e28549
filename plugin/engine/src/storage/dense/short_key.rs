//! Keys of half the length, for lists in memory.

use abi::storage::Key;

/// 128 bits in which every bit of a key counts: half of what millions of rows would pay for.
///
/// A key is the output of SHA-256 or of HMAC, so these bits are as even as those are. Who wants to meet the row of
/// somebody else has to hit one of them with an input that nobody gives away, and may try once in a request: 2^128 tries,
/// by the number of rows. Ids are drawn by the gateway and nobody chooses one. Who chooses names of principals, and
/// computes 2^64 hashes without `secrets`, finds two names of their own that share a roster.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::storage) struct ShortKey([u8; 16]);

impl ShortKey {
    /// Eight bytes of it, for a table.
    pub(in crate::storage) fn hash(self) -> u64 {
        let [a, b, c, d, e, f, g, h, ..] = self.0;
        u64::from_le_bytes([a, b, c, d, e, f, g, h])
    }
}

impl From<&Key> for ShortKey {
    fn from(key: &Key) -> Self {
        let halves = key.as_bytes().as_chunks().0;
        let [first, second] = [0, 1].map(|half| u128::from_le_bytes(halves[half]));
        // One to one, as the number of terms is odd; and three, so that no bit of one half is one of the other.
        let spread = second ^ second.rotate_left(43) ^ second.rotate_left(85);
        Self((first ^ spread).to_le_bytes())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_bit_of_a_key_counts() {
        let flipped = |bit: usize| {
            let mut bytes = [0x5a; 32];
            bytes[bit / 8] ^= 1 << (bit % 8);
            ShortKey::from(&Key::new(bytes)).0
        };

        let keys: HashSet<_> = (0..256).map(flipped).collect();

        assert_eq!(keys.len(), 256);
        assert!(!keys.contains(&ShortKey::from(&Key::new([0x5a; 32])).0));
    }
}
