//! How values are written that no header can carry as they are.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use schemars::JsonSchema;
use serde::Deserialize;

/// How the values of all mapped headers are written. It does not depend on the value: an upstream that undoes it need not
/// guess.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum HeaderEncoding {
    /// As they are; UTF-8 is UTF-8.
    #[default]
    Plain,
    /// `%` and everything but visible ASCII and single spaces between it as `%XX` of their UTF-8 (RFC 3986, section 2.1):
    /// what `decodeURIComponent` undoes. `Bearer abc` stays what it is.
    Percent,
    /// Everything in base64url without padding (RFC 4648, section 5).
    Base64url,
}

impl HeaderEncoding {
    pub(super) fn write(self, text: Cow<'_, str>) -> Cow<'_, str> {
        match self {
            Self::Plain => text,
            Self::Percent if is_plain(&text) => text,
            Self::Percent => percent(&text).into(),
            Self::Base64url => URL_SAFE_NO_PAD.encode(text.as_bytes()).into(),
        }
    }
}

fn is_plain(text: &str) -> bool {
    let bytes = text.as_bytes();
    let may_stand = |at: usize| stays(bytes, at);
    (0..bytes.len()).all(may_stand)
}

fn percent(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut encoded = String::with_capacity(text.len() * 2);
    for (at, byte) in bytes.iter().enumerate() {
        match stays(bytes, at) {
            true => encoded.push(char::from(*byte)),
            false => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

/// A space at either end is none of the value to whoever reads a header.
fn stays(bytes: &[u8], at: usize) -> bool {
    match bytes[at] {
        b'%' => false,
        b' ' => at > 0 && at + 1 < bytes.len(),
        byte => byte.is_ascii_graphic(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percent_leaves_what_is_visible_and_writes_the_rest_in_utf_8() {
        let cases = [
            ("Bearer abc.def", "Bearer abc.def"),
            ("Zoë", "Zo%C3%AB"),
            ("100%", "100%25"),
            (" a b ", "%20a b%20"),
            ("a\r\nX-Role: admin\0", "a%0D%0AX-Role: admin%00"),
            ("日本", "%E6%97%A5%E6%9C%AC"),
        ];
        for (text, expected) in cases {
            assert_eq!(HeaderEncoding::Percent.write(text.into()), expected);
        }
    }

    #[test]
    fn base64url_writes_everything() {
        assert_eq!(HeaderEncoding::Base64url.write("anna".into()), "YW5uYQ");
        assert_eq!(HeaderEncoding::Base64url.write("Zoë?>".into()), "Wm_Dqz8-");
    }

    #[test]
    fn plain_writes_nothing_in_another_way() {
        assert_eq!(HeaderEncoding::Plain.write(" Zoë%\n".into()), " Zoë%\n");
    }
}
