//! The public name of a secret.

use std::fmt;

/// Four bytes derived from a secret. They say which one sealed something and nothing about it: sealed bytes carry
/// them, and so may logs.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct Mark([u8; 4]);

impl Mark {
    pub(in crate::session) const LEN: usize = 4;

    pub(in crate::session) const fn new(bytes: [u8; Self::LEN]) -> Self {
        Self(bytes)
    }

    /// Reads what `Display` writes, and nothing else.
    pub(in crate::session) fn parse(text: &str) -> Option<Self> {
        let bits = u32::from_str_radix(text, 16).ok()?;
        let mark = Self(bits.to_be_bytes());
        (mark.to_string() == text).then_some(mark)
    }

    pub(in crate::session) const fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }
}

/// Eight hexadecimal digits.
impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", u32::from_be_bytes(self.0))
    }
}

impl fmt::Debug for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mark({self})")
    }
}
