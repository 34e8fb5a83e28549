//! `tracestate`: what tracers tell each other. It is passed on as it is or not at all.

use http::HeaderValue;

/// Whether values of `tracestate` are one list of at most 32 members (Level 2, section 3.3).
pub fn is_state<'a>(values: impl IntoIterator<Item = &'a HeaderValue>) -> bool {
    let lists = values.into_iter().map(HeaderValue::as_bytes);
    let members = lists.flat_map(|list| list.split(|byte| *byte == b','));
    let mut members = members.map(<[u8]>::trim_ascii).filter(|it| !it.is_empty());
    members.by_ref().take(MEMBERS).all(is_member) && members.next().is_none()
}

fn is_member(member: &[u8]) -> bool {
    let Some(middle) = member.iter().position(|byte| *byte == b'=') else {
        return false;
    };
    is_key(&member[..middle]) && is_value(&member[middle + 1..])
}

fn is_key(key: &[u8]) -> bool {
    let is_first = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let is_other = |byte: u8| is_first(byte) || b"_-*/@".contains(&byte);
    key.len() <= LENGTH
        && key.first().is_some_and(|byte| is_first(*byte))
        && key.iter().all(|byte| is_other(*byte))
}

fn is_value(value: &[u8]) -> bool {
    let is_letter = |byte: &u8| matches!(byte, b' '..=b'~') && *byte != b'=';
    !value.is_empty() && value.len() <= LENGTH && value.iter().all(is_letter)
}

const MEMBERS: usize = 32;
// Of a key, and of a value.
const LENGTH: usize = 256;
