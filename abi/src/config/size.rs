//! Amounts of bytes as people write them.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize, Serializer};

use super::Spelling;

/// An amount of bytes: `64KiB`, `1GiB`, `512MB`, or a bare integer.
///
/// `KiB`, `MiB`, `GiB`, `TiB` are powers of 1024, `kB`, `MB`, `GB`, `TB` powers of 1000. What 0 means is for the key
/// to say; usually that there is no limit.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Ord, PartialEq, PartialOrd)]
#[serde(try_from = "Spelling")]
pub struct ByteSize(u64);

/// Why a text is not an amount of bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SizeError {
    /// Not a number with a unit.
    #[error("expected a size such as `64KiB` or `1GiB`")]
    Malformed,
    /// More than 64 bits of bytes.
    #[error("a size cannot exceed 2^64 bytes")]
    TooBig,
}

impl ByteSize {
    /// A default of so many bytes.
    pub const fn of_bytes(bytes: u64) -> Self {
        Self(bytes)
    }

    /// A default of so many times 1024 bytes.
    pub const fn of_kib(kib: u32) -> Self {
        Self(kib as u64 * 1024)
    }

    /// The amount in bytes.
    pub const fn bytes(self) -> u64 {
        self.0
    }
}

impl FromStr for ByteSize {
    type Err = SizeError;

    fn from_str(text: &str) -> Result<Self, SizeError> {
        let end = text
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(text.len());
        let (count, name) = text.split_at(end);
        if count.is_empty() {
            return Err(SizeError::Malformed);
        }
        let count: u64 = count.parse().map_err(|_| SizeError::TooBig)?;
        let unit = UNITS
            .iter()
            .find(|(unit, _)| *unit == name)
            .ok_or(SizeError::Malformed)?
            .1;
        count.checked_mul(unit).map(Self).ok_or(SizeError::TooBig)
    }
}

impl TryFrom<Spelling> for ByteSize {
    type Error = SizeError;

    fn try_from(spelling: Spelling) -> Result<Self, SizeError> {
        match spelling {
            Spelling::Integer(bytes) => Ok(Self(bytes)),
            Spelling::Text(text) => text.parse(),
        }
    }
}

impl fmt::Display for ByteSize {
    /// Writes the largest unit that divides the amount.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let exact = UNITS
            .iter()
            .filter(|(_, unit)| self.0 >= *unit && self.0.is_multiple_of(*unit));
        let (name, unit) = exact.max_by_key(|(_, unit)| *unit).unwrap_or(&("", 1));
        write!(f, "{}{name}", self.0 / unit)
    }
}

impl Serialize for ByteSize {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl JsonSchema for ByteSize {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "ByteSize".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "integer"], "format": "byte-size" })
    }
}

const UNITS: [(&str, u64); 10] = [
    ("B", 1),
    ("", 1),
    ("kB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unit_means_its_power() {
        let spelled = ["0", "12", "12B", "64KiB", "512MB", "1GiB", "2TB"];

        let bytes = spelled.map(|text| parse(text).unwrap().bytes());

        assert_eq!(
            bytes,
            [
                0,
                12,
                12,
                65_536,
                512_000_000,
                1_073_741_824,
                2_000_000_000_000
            ]
        );
    }

    #[test]
    fn anything_else_is_malformed() {
        for text in ["", "KiB", "-1", "1.5MB", "64 KiB", "64kib", "64K"] {
            assert_eq!(parse(text), Err(SizeError::Malformed), "{text:?}");
        }
    }

    #[test]
    fn more_than_64_bits_is_refused() {
        for text in ["18446744073709551616", "99999999TiB"] {
            assert_eq!(parse(text), Err(SizeError::TooBig), "{text:?}");
        }
    }

    #[test]
    fn a_size_is_written_as_people_write_it() {
        for text in ["0", "1023", "64KiB", "512MB", "1GiB", "1TB"] {
            assert_eq!(parse(text).unwrap().to_string(), text);
        }
    }

    fn parse(text: &str) -> Result<ByteSize, SizeError> {
        text.parse()
    }
}
