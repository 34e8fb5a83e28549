//! Heads as text.

use http::header::{HeaderName, HeaderValue};

/// Writes parts, one behind the other.
pub(crate) fn put(out: &mut Vec<u8>, parts: &[&[u8]]) {
    for part in parts {
        out.extend_from_slice(part);
    }
}

/// Writes a field and the end of its line.
pub(crate) fn put_field(out: &mut Vec<u8>, name: &HeaderName, value: &HeaderValue) {
    let (name, value) = (name.as_str().as_bytes(), value.as_bytes());
    put(out, &[name, b": ", value, b"\r\n"]);
}

/// Writes how long a body is.
pub(crate) fn put_length(out: &mut Vec<u8>, length: u64) {
    put(
        out,
        &[b"content-length: ", length.to_string().as_bytes(), b"\r\n"],
    );
}

/// Whether a list has this in it, over all lines of a field and in any case (RFC 9110 5.6.1).
pub(crate) fn says<'a>(lines: impl IntoIterator<Item = &'a HeaderValue>, word: &[u8]) -> bool {
    let is_there = |line: &HeaderValue| {
        let mut words = line.as_bytes().split(|&byte| byte == b',');
        words.any(|said| said.trim_ascii().eq_ignore_ascii_case(word))
    };
    lines.into_iter().any(is_there)
}
