//! Paths of this site, as they may stand in `Location`.

use std::borrow::Cow;

/// The path, query and fragment of `text`, in the letters of RFC 3986. None when it is no path of this site.
pub(super) fn read(text: &str) -> Option<String> {
    if text.len() > MAX_LENGTH || text.chars().any(is_forbidden) {
        return None;
    }
    let (text, fragment) = cut(text, '#');
    let (path, query) = cut(text, '?');
    if !is_local(path) {
        return None;
    }
    let mut target = escape(path, in_path);
    for (mark, part) in [('?', query), ('#', fragment)] {
        if let Some(part) = part {
            target.push(mark);
            target.push_str(&escape(part, in_query));
        }
    }
    Some(target)
}

/// Percent-encodes everything but letters, digits and `-._~`.
pub(super) fn escape_all(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() * 2);
    for byte in text.bytes() {
        match is_unreserved(byte) {
            true => escaped.push(char::from(byte)),
            false => push_escaped(&mut escaped, byte),
        }
    }
    escaped
}

fn cut(text: &str, mark: char) -> (&str, Option<&str>) {
    match text.split_once(mark) {
        Some((before, after)) => (before, Some(after)),
        None => (text, None),
    }
}

/// What browsers drop, trim or take for a slash, and what makes a line of a header end.
fn is_forbidden(letter: char) -> bool {
    letter == '\\' || letter.is_control() || (letter != ' ' && letter.is_whitespace())
}

/// Whether the path stays on this site for everybody, also for whoever decodes it again before following it.
fn is_local(path: &str) -> bool {
    let mut path = Cow::Borrowed(path.as_bytes());
    for _ in 0..MAX_LAYERS {
        if !begins_here(&path) || !is_plain(&path) {
            return false;
        }
        match decode(&path) {
            Some(decoded) => path = Cow::Owned(decoded),
            None => return true,
        }
    }
    false
}

/// One slash, and then something that cannot be the name of a host or lead to one.
fn begins_here(path: &[u8]) -> bool {
    match path {
        [b'/'] => true,
        [b'/', next, ..] => *next != b'/' && !next.is_ascii_whitespace(),
        _ => false,
    }
}

fn is_plain(path: &[u8]) -> bool {
    let is_dots = |segment: &[u8]| matches!(segment, b"." | b"..");
    let is_odd = |byte: &u8| byte.is_ascii_control() || *byte == b'\\';
    !path.iter().any(is_odd) && !path.split(|byte| *byte == b'/').any(is_dots)
}

/// The path without one layer of percent-encoding. None when there is none.
fn decode(path: &[u8]) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(path.len());
    let mut rest = path;
    while let [first, tail @ ..] = rest {
        let code = (*first == b'%').then(|| code(tail)).flatten();
        decoded.push(code.unwrap_or(*first));
        rest = if code.is_some() { &tail[2..] } else { tail };
    }
    (decoded.len() < path.len()).then_some(decoded)
}

/// What two hexadecimal digits at the beginning stand for.
fn code(digits: &[u8]) -> Option<u8> {
    let digit = |at: usize| char::from(*digits.get(at)?).to_digit(16);
    u8::try_from(digit(0)? * 16 + digit(1)?).ok()
}

fn escape(text: &str, may_stand: fn(u8) -> bool) -> String {
    let mut escaped = String::with_capacity(text.len() + 8);
    let bytes = text.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        let is_escape = *byte == b'%' && code(&bytes[at + 1..]).is_some();
        match is_escape || may_stand(*byte) {
            true => escaped.push(char::from(*byte)),
            false => push_escaped(&mut escaped, *byte),
        }
    }
    escaped
}

fn push_escaped(text: &mut String, byte: u8) {
    text.push_str(&format!("%{byte:02X}"));
}

const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// RFC 3986, section 3.3.
const fn in_path(byte: u8) -> bool {
    is_unreserved(byte)
        || matches!(
            byte,
            b'/' | b':' | b'@' | b'!' | b'$' | b'&' | b'\'' | b'('..=b',' | b';' | b'='
        )
}

/// RFC 3986, sections 3.4 and 3.5.
const fn in_query(byte: u8) -> bool {
    in_path(byte) || byte == b'?'
}

/// What fits beside everything else into a header of any server. A longer target is not worth coming back to.
const MAX_LENGTH: usize = 2048;
/// Nobody encodes more often than this for an honest reason.
const MAX_LAYERS: usize = 4;
