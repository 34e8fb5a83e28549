//! Numbers for which eight bytes are too many.

use std::fmt;

/// A number below 2^48, in six bytes that may lie anywhere: milliseconds up to the year 10889, or as many writes as
/// nine years of a million a second. What is larger counts as the largest.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(crate) struct SixBytes([u8; 6]);

impl SixBytes {
    pub(crate) const MAX: u64 = (1 << 48) - 1;

    /// Reads what [`as_bytes`](Self::as_bytes) says.
    pub(crate) const fn of_bytes(bytes: [u8; 6]) -> Self {
        Self(bytes)
    }

    /// As it lies in memory.
    pub(crate) const fn as_bytes(&self) -> &[u8; 6] {
        &self.0
    }

    pub(crate) fn get(self) -> u64 {
        let [a, b, c, d, e, f] = self.0;
        u64::from_le_bytes([a, b, c, d, e, f, 0, 0])
    }
}

impl From<u64> for SixBytes {
    fn from(number: u64) -> Self {
        let [a, b, c, d, e, f, ..] = number.min(Self::MAX).to_le_bytes();
        Self([a, b, c, d, e, f])
    }
}

impl fmt::Debug for SixBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_comes_back_and_the_rest_is_the_largest() {
        for number in [0, 1, 255, 256, 1_764_457_000_000, SixBytes::MAX] {
            assert_eq!(SixBytes::from(number).get(), number);
        }
        for number in [SixBytes::MAX + 1, 1 << 48 | 7, u64::MAX] {
            assert_eq!(SixBytes::from(number).get(), SixBytes::MAX);
        }
    }
}
