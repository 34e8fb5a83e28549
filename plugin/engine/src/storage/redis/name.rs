//! What rows are called on the server.

use std::sync::Arc;

use abi::storage::Key;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The prefix of all names. Cheap to clone.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Names(Arc<str>);

impl Names {
    pub(super) fn new(prefix: &str) -> Self {
        Self(prefix.into())
    }

    pub(super) fn prefix(&self) -> &str {
        &self.0
    }

    /// The name of a row: the prefix and 43 characters of base64url.
    pub(super) fn of(&self, key: &Key) -> String {
        let mut name = String::with_capacity(self.0.len() + ENCODED);
        name.push_str(&self.0);
        URL_SAFE_NO_PAD.encode_string(key.as_bytes(), &mut name);
        name
    }

    /// Writes the command that reads a row.
    pub(super) fn write_get(&self, key: &Key, bytes: &mut Vec<u8>) {
        let mut encoded = [0; ENCODED];
        // Exactly as much room as it takes.
        let _ = URL_SAFE_NO_PAD.encode_slice(key.as_bytes(), &mut encoded);
        bytes.extend_from_slice(b"*2\r\n$3\r\nGET\r\n$");
        write_decimal(self.0.len() + ENCODED, bytes);
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(self.0.as_bytes());
        bytes.extend_from_slice(&encoded);
        bytes.extend_from_slice(b"\r\n");
    }

    /// The row of this name. None for all else: somebody may use a longer prefix that begins with ours.
    pub(super) fn key(&self, name: &[u8]) -> Option<Key> {
        let encoded = name.strip_prefix(self.0.as_bytes())?;
        let mut key = [0; 32];
        let length = URL_SAFE_NO_PAD.decode_slice(encoded, &mut key).ok()?;
        (length == key.len()).then(|| Key::new(key))
    }
}

fn write_decimal(number: usize, bytes: &mut Vec<u8>) {
    if number >= 10 {
        write_decimal(number / 10, bytes);
    }
    bytes.push(b'0' + (number % 10) as u8);
}

const ENCODED: usize = 43;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_leads_back_to_its_row() {
        let names = Names::new("session:");
        let key = Key::new([9; 32]);

        assert_eq!(
            names.of(&key),
            "session:CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk"
        );
        assert_eq!(names.key(names.of(&key).as_bytes()), Some(key));
    }

    #[test]
    fn a_read_is_what_the_client_library_would_write() {
        for prefix in ["", "session:", &"long".repeat(300)] {
            let (names, key) = (Names::new(prefix), Key::new([9; 32]));
            let mut bytes = Vec::new();

            names.write_get(&key, &mut bytes);

            let expected = redis::cmd("GET").arg(names.of(&key)).get_packed_command();
            assert_eq!(bytes, expected, "{prefix}");
        }
    }

    #[test]
    fn other_names_lead_nowhere() {
        let others = [
            "session:",
            "session:probe:0123456789abcdef",
            "session:deep:CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk",
            "session:CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQ",
            "other:CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk",
        ];
        for name in others {
            assert_eq!(Names::new("session:").key(name.as_bytes()), None, "{name}");
        }
    }
}
