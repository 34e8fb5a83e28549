//! The name in a login body.

use abi::serde_json::{self, Value};

/// Reads the field `user` of a form (`user=anna&...`) or of a JSON object (`{"user": "anna"}`); a form is what its
/// content type says, everything else is taken for JSON. `None` when there is no such text.
pub(crate) fn read(content_type: &[u8], body: &[u8]) -> Option<String> {
    if content_type.starts_with(FORM) {
        return from_form(body);
    }
    match serde_json::from_slice::<Value>(body)
        .ok()?
        .get_mut(FIELD)?
        .take()
    {
        Value::String(name) => Some(name),
        _ => None,
    }
}

fn from_form(body: &[u8]) -> Option<String> {
    let pairs = std::str::from_utf8(body).ok()?.split('&');
    let mut fields = pairs.filter_map(|pair| pair.split_once('='));
    let (_, value) = fields.find(|(field, _)| *field == FIELD)?;
    decode(value)
}

/// Undoes the encoding of <https://url.spec.whatwg.org/#urlencoded-parsing>; `None` when what comes out is no text.
fn decode(value: &str) -> Option<String> {
    let mut bytes = value.bytes();
    let mut decoded = Vec::with_capacity(value.len());
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => 16 * digit(bytes.next()?)? + digit(bytes.next()?)?,
            other => other,
        });
    }
    String::from_utf8(decoded).ok()
}

fn digit(byte: u8) -> Option<u8> {
    let digit = char::from(byte).to_digit(16)?;
    u8::try_from(digit).ok()
}

const FIELD: &str = "user";
const FORM: &[u8] = b"application/x-www-form-urlencoded";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_is_read_from_json() {
        assert_eq!(
            read(b"application/json", br#"{"user":"anna"}"#).as_deref(),
            Some("anna")
        );
    }

    #[test]
    fn name_is_read_from_a_form() {
        let read = |body: &str| {
            read(
                b"application/x-www-form-urlencoded; charset=utf-8",
                body.as_bytes(),
            )
        };

        assert_eq!(read("next=%2F&user=anna").as_deref(), Some("anna"));
        assert_eq!(read("user=J%C3%BCrgen+K%2e").as_deref(), Some("Jürgen K."));
    }

    #[test]
    fn body_without_a_name_has_none() {
        for body in [
            "",
            "[]",
            "{}",
            r#"{"user":7}"#,
            r#"{"user":null}"#,
            "user=anna",
        ] {
            assert_eq!(read(b"application/json", body.as_bytes()), None, "{body}");
        }
        for body in [
            "",
            "user",
            "username=anna",
            "user=%",
            "user=%4",
            "user=%zz",
            "user=%ff",
        ] {
            assert_eq!(read(FORM, body.as_bytes()), None, "{body}");
        }
    }
}
