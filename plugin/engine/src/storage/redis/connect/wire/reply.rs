//! Where an answer ends (RESP2). What it says is for the client library to read, but for the most frequent one.

use std::io;

use redis::Value;

/// The first answer, and how long it is. None: there is more to come.
///
/// # Errors
/// When it is no answer.
pub(super) fn parse(bytes: &[u8]) -> io::Result<Option<(Value, usize)>> {
    let Some(end) = end(bytes, MOST_LEVELS)? else {
        return Ok(None);
    };
    // Rows: copied once.
    let value = match bytes.first() {
        Some(b'$') => bulk(&bytes[..end]),
        _ => redis::parse_redis_value(&bytes[..end]).map_err(|_| malformed())?,
    };
    Ok(Some((value, end)))
}

/// A text that is whole.
fn bulk(bytes: &[u8]) -> Value {
    let line = line(bytes).unwrap_or_default();
    match bytes.get(line..bytes.len() - END) {
        Some(text) => Value::BulkString(text.to_vec()),
        None => Value::Nil,
    }
}

fn end(bytes: &[u8], levels: usize) -> io::Result<Option<usize>> {
    let Some(line) = line(bytes) else {
        return match bytes.len() {
            ..=LONGEST_LINE => Ok(None),
            _ => Err(malformed()),
        };
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

/// The length of the first line, with its end.
fn line(bytes: &[u8]) -> Option<usize> {
    let end = memchr::memchr(b'\n', bytes)?;
    (end > 1 && bytes[end - 1] == b'\r').then_some(end + 1)
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
