//! The ends of lines (RFC 9112 2.2).

use memchr::{memchr_iter, memmem};

/// Whether each line feed stands behind a carriage return. Parsers may take one alone for the end of a line, and a
/// server in front that does not has read another message.
pub(crate) fn are_whole(bytes: &[u8]) -> bool {
    memchr_iter(b'\n', bytes).all(|at| at > 0 && bytes[at - 1] == b'\r')
}

/// Whether an empty line ends behind the first `before` bytes, as any parser sees it.
pub(crate) fn has_end(bytes: &[u8], before: usize) -> bool {
    let recent = &bytes[before.saturating_sub(2)..];
    memmem::find(recent, b"\n\r\n").is_some() || memmem::find(recent, b"\n\n").is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_feed_alone_is_seen_wherever_it_is() {
        assert!(are_whole(b"") && are_whole(b"a: b\r\n\r\n") && are_whole(b"a\rb"));
        for text in ["\n", "a\n", "a\r\n\n", "\na\r\n"] {
            assert!(!are_whole(text.as_bytes()), "{text:?}");
        }
    }

    #[test]
    fn an_end_is_found_in_whatever_pieces_it_comes() {
        for end in ["\r\n\r\n", "\n\n", "\r\n\n"] {
            let text = format!("a: b{end}");
            for before in 0..text.len() {
                assert!(has_end(text.as_bytes(), before), "{text:?} by {before}");
            }
        }
        assert!(!has_end(b"a: b\r\nc: d\r\n", 0));
    }
}
