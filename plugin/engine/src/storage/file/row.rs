//! How a row lies in the file, and which change to it is allowed.
//!
//! ```text
//! 8 bytes   version, big endian
//! 8 bytes   end, big endian: milliseconds since 1970; from then on the row is absent
//! rest      payload
//! ```

use abi::storage::{Expected, Key, Row};

use crate::session::Timestamp;

/// A row and its end.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Stored {
    pub(super) end: Timestamp,
    pub(super) row: Row,
}

/// A write that somebody waits for.
#[derive(Clone, Debug)]
pub(super) struct Change {
    pub(super) key: Key,
    pub(super) expected: Expected,
    pub(super) stored: Stored,
}

impl Stored {
    /// Reads a value of the file; nothing when it cannot be one of ours.
    pub(super) fn decode(value: &[u8]) -> Option<Self> {
        let (version, rest) = value.split_first_chunk()?;
        let (end, payload) = rest.split_first_chunk()?;
        Some(Self {
            end: Timestamp::from_millis(u64::from_be_bytes(*end)),
            row: Row {
                version: u64::from_be_bytes(*version),
                payload: payload.to_vec(),
            },
        })
    }

    /// The value for the file.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut value = Vec::with_capacity(16 + self.row.payload.len());
        value.extend(self.row.version.to_be_bytes());
        value.extend(self.end.as_millis().to_be_bytes());
        value.extend(&self.row.payload);
        value
    }

    /// The row, if its time has not run out.
    pub(super) fn living(self, now: Timestamp) -> Option<Row> {
        (self.end > now).then_some(self.row)
    }

    /// The version that a writer has to expect; none when there is nothing any more.
    pub(super) fn version(&self, now: Timestamp) -> Option<u64> {
        (self.end > now).then_some(self.row.version)
    }
}

impl Change {
    /// Whether what is there is what the writer expected.
    pub(super) fn fits(&self, version: Option<u64>) -> bool {
        match self.expected {
            Expected::Absent => version.is_none(),
            Expected::Version(expected) => version == Some(expected),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_encoded_is_decoded() {
        for payload in [vec![], b"payload".to_vec()] {
            let stored = Stored {
                end: Timestamp::from_millis(u64::MAX - 1),
                row: Row {
                    version: 258,
                    payload,
                },
            };

            assert_eq!(Stored::decode(&stored.encode()), Some(stored));
        }
    }

    #[test]
    fn the_layout_is_the_documented_one() {
        let stored = Stored {
            end: Timestamp::from_millis(0x0102),
            row: Row {
                version: 3,
                payload: b"ab".to_vec(),
            },
        };

        assert_eq!(
            stored.encode(),
            [0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 1, 2, b'a', b'b']
        );
    }

    #[test]
    fn a_value_without_a_whole_head_is_no_row() {
        for length in 0..16 {
            assert_eq!(Stored::decode(&vec![0; length]), None, "{length}");
        }
    }
}
