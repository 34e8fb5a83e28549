//! How long something is in JSON.

use std::io;

use serde::Serialize;

/// The bytes of `value` as JSON, which is not kept.
pub fn json_len(value: &impl Serialize) -> usize {
    let mut counter = Counter(0);
    // Counting cannot fail, and every name is a text.
    let _ = serde_json::to_writer(&mut counter, value);
    counter.0
}

/// Forgets what is written and remembers how much.
struct Counter(usize);

impl io::Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
