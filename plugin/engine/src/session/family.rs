//! What stays the same about a session while its id changes.

use std::fmt;
use std::str::FromStr;

use super::random::{self, RandomError};

/// 64 random bits, drawn when a session begins and kept over every rotation; 16 hexadecimal digits in text.
///
/// No secret: it may be shown to the session's own user, to name a session in a list. It opens nothing.
#[derive(Clone, Copy, Eq, Ord, PartialEq, PartialOrd)]
pub struct Family(u64);

impl Family {
    /// Draws one. Unique among the sessions of one principal, which is all it has to be.
    ///
    /// # Errors
    /// When the operating system has no random bytes.
    pub fn generate() -> Result<Self, RandomError> {
        random::bytes().map(|bytes: [u8; 8]| Self(u64::from_be_bytes(bytes)))
    }

    /// Wraps what was read back from a row.
    pub const fn new(bits: u64) -> Self {
        Self(bits)
    }

    /// The bits to write into a row.
    pub const fn bits(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Family({self})")
    }
}

/// The text is not exactly 16 lower-case hexadecimal digits.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("expected 16 hexadecimal digits")]
pub struct FamilyError;

/// Reads what `Display` writes, and nothing else.
impl FromStr for Family {
    type Err = FamilyError;

    fn from_str(text: &str) -> Result<Self, FamilyError> {
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if text.len() != 16 || !text.bytes().all(is_digit) {
            return Err(FamilyError);
        }
        u64::from_str_radix(text, 16)
            .map(Self)
            .map_err(|_| FamilyError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_leads_back_to_the_family() {
        let family = Family::generate().unwrap();

        assert_eq!(family.to_string().parse(), Ok(family));
        assert_eq!(Family::new(7).to_string(), "0000000000000007");
    }

    #[test]
    fn only_sixteen_lower_case_digits_are_a_family() {
        for text in [
            "",
            "7",
            "+000000000000007",
            "000000000000000G",
            "000000000000000A",
            "00000000000000007",
        ] {
            assert_eq!(text.parse::<Family>(), Err(FamilyError), "{text:?}");
        }
    }
}
