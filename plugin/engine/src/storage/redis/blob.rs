//! One row as one value of the server.
//!
//! ```text
//! offset  size  field
//!      0     1  tag: R
//!      1     8  version, big-endian
//!      9     *  payload
//! ```
//! The version lies at a fixed place so that a script can compare it without reading the rest.

use abi::storage::Row;

/// The first nine bytes of every row at `version`: what a conditional write compares.
pub(super) fn header(version: u64) -> [u8; 9] {
    let [a, b, c, d, e, f, g, h] = version.to_be_bytes();
    [TAG, a, b, c, d, e, f, g, h]
}

pub(super) fn join(row: &Row) -> Vec<u8> {
    [header(row.version).as_slice(), &row.payload].concat()
}

/// None when somebody else wrote under our name.
pub(super) fn split(mut blob: Vec<u8>) -> Option<Row> {
    let &[TAG, ref version @ ..] = blob.first_chunk::<9>()? else {
        return None;
    };
    let version = u64::from_be_bytes(*version.first_chunk()?);
    blob.drain(..9);
    Some(Row {
        version,
        payload: blob,
    })
}

const TAG: u8 = b'R';

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_comes_back_as_it_was_written() {
        for payload in [b"".to_vec(), b"x\0\r\n".to_vec()] {
            let row = Row {
                version: u64::MAX - 1,
                payload,
            };

            assert_eq!(split(join(&row)), Some(row));
        }
    }

    #[test]
    fn what_somebody_else_wrote_is_no_row() {
        for blob in [
            b"".as_slice(),
            b"R",
            b"R1234567",
            b"S12345678",
            b"{\"user\":1}",
        ] {
            assert_eq!(split(Vec::from(blob)), None);
        }
    }
}
