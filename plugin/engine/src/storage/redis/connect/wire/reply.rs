//! Where an answer ends (RESP2). What it says is for the client library to read, but for the most frequent one.

use std::io;

use redis::Value;

/// The first answer, and how long it is. None: there is more to come.
///
/// # Errors
/// When it is no answer.
pub fn parse(bytes: &[u8]) -> io::Result<Option<(Value, usize)>> {
    let Some(end) = end(bytes, MOST_LEVELS)? else {
        return Ok(None);
    };
    // Rows: copied once.
    let value = match bytes.first() {
        Some(b'$') => bulk(&bytes[..end], line(bytes)?.unwrap_or_default()),
        _ => redis::parse_redis_value(&bytes[..end]).map_err(|_| malformed())?,
    };
    Ok(Some((value, end)))
}

/// A text that is whole, behind the line that has its length.
fn bulk(bytes: &[u8], line: usize) -> Value {
    match bytes.get(line..bytes.len() - END) {
        Some(text) => Value::BulkString(text.to_vec()),
        None => Value::Nil,
    }
}

fn end(bytes: &[u8], levels: usize) -> io::Result<Option<usize>> {
    let Some(line) = line(bytes)? else {
        return Ok(None);
    };
    match bytes[0] {
        b'+' | b'-' | b':' => Ok(Some(line)),
        b'$' => match length(&bytes[1..line - END])? {
            None => Ok(Some(line)),
            Some(length) => text_end(bytes, line, length),
        },
        b'*' => {
            let mut at = line;
            for _ in 0..length(&bytes[1..line - END])?.unwrap_or(0) {
                let levels = levels.checked_sub(1).ok_or_else(malformed)?;
                match end(&bytes[at..], levels)? {
                    Some(length) => at += length,
                    None => return Ok(None),
                }
            }
            Ok(Some(at))
        }
        _ => Err(malformed()),
    }
}

fn text_end(bytes: &[u8], line: usize, length: usize) -> io::Result<Option<usize>> {
    let end = line + length;
    match bytes.get(end..end + END) {
        Some(b"\r\n") => Ok(Some(end + END)),
        Some(_) => Err(malformed()),
        None => Ok(None),
    }
}

/// The length of the first line, with its end. One that is too long is so before its end has come.
fn line(bytes: &[u8]) -> io::Result<Option<usize>> {
    let (length, is_well) = match memchr::memchr(b'\n', bytes) {
        Some(end) => (Some(end + 1), end >= END && bytes[end - 1] == b'\r'),
        None => (None, true),
    };
    let is_short = length.unwrap_or(bytes.len()) <= LONGEST_LINE;
    (is_short && is_well)
        .then_some(length)
        .ok_or_else(malformed)
}

/// None: there is nothing, which is not the same as nothing in it.
fn length(digits: &[u8]) -> io::Result<Option<usize>> {
    if digits == b"-1" {
        return Ok(None);
    }
    let digits = str::from_utf8(digits).map_err(|_| malformed())?;
    let length: usize = digits.parse().map_err(|_| malformed())?;
    (length <= LARGEST)
        .then_some(Some(length))
        .ok_or_else(malformed)
}

fn malformed() -> io::Error {
    io::ErrorKind::InvalidData.into()
}

/// Of a line's end.
const END: usize = 2;
/// Errors of scripts are the longest that servers write.
const LONGEST_LINE: usize = 64 * 1024;
/// What a server takes at most, by default.
const LARGEST: usize = 512 * 1024 * 1024;
/// Those of `SCAN` are the deepest that we ask for.
const MOST_LEVELS: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_is_too_long_however_it_comes() {
        for (letters, is_read) in [(LONGEST_LINE - 3, true), (LONGEST_LINE - 2, false)] {
            let line = [b"+", &*vec![b'a'; letters], b"\r\n"].concat();

            let at_once = parse(&line);
            let in_pieces = (line.len() - 3..=line.len()).map(|end| parse(&line[..end]));
            let in_pieces = in_pieces.collect::<io::Result<Vec<_>>>();

            assert_eq!(at_once.is_ok(), is_read);
            assert_eq!(in_pieces.is_ok(), is_read);
        }
    }

    #[test]
    fn line_that_ends_otherwise_is_not_waited_for() {
        for bytes in ["+a\nb", "\n", "\r\n", "$1\n", "*1\r\n+a\n"] {
            assert!(parse(bytes.as_bytes()).is_err(), "{bytes:?}");
        }
    }
}
