//! What an upstream says about the session with its answer: `responseHeader`.

use base64::Engine as _;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

/// What to do with the session.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Instruction {
    /// End it.
    Destroy,
    /// Set these attributes; `null` removes one.
    Merge(Map<String, Value>),
}

/// The upstream wrote something else. Nothing of the value is repeated: it may hold a token.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("expected the word `destroy` or a JSON object, plain or base64url")]
pub(super) struct InstructionError;

impl Instruction {
    /// Reads a header value: `destroy`, an object in plain JSON, or one in base64url for what is not ASCII.
    pub(super) fn parse(value: &[u8]) -> Result<Self, InstructionError> {
        let value = value.trim_ascii();
        if value == b"destroy" {
            return Ok(Self::Destroy);
        }
        if value.starts_with(b"{") {
            return Self::merge(value);
        }
        let decoded = URL_SAFE_NO_PAD
            .decode(value)
            .or_else(|_| URL_SAFE.decode(value))
            .map_err(|_| InstructionError)?;
        Self::merge(&decoded)
    }

    fn merge(json: &[u8]) -> Result<Self, InstructionError> {
        serde_json::from_slice(json)
            .map(Self::Merge)
            .map_err(|_| InstructionError)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn object_is_read_plain_and_in_base64url_with_and_without_padding() {
        let expected = json!({ "user_id": "Zoë" });
        let json = expected.to_string();
        let Value::Object(expected) = expected else {
            panic!("an object")
        };
        for value in [
            json.clone(),
            URL_SAFE.encode(&json),
            URL_SAFE_NO_PAD.encode(&json),
            format!(" {json} "),
        ] {
            assert_eq!(
                Instruction::parse(value.as_bytes()),
                Ok(Instruction::Merge(expected.clone())),
                "{value}"
            );
        }
    }

    #[test]
    fn the_word_destroy_ends_the_session() {
        assert_eq!(Instruction::parse(b"destroy"), Ok(Instruction::Destroy));
        assert_eq!(Instruction::parse(b" destroy "), Ok(Instruction::Destroy));
    }

    #[test]
    fn everything_else_is_refused() {
        for value in [
            "",
            "null",
            "[]",
            "1",
            "\"destroy\"",
            "Destroy",
            "{",
            "{\"a\":1}x",
            "{\"a\":1,}",
            "****",
            "W10",
        ] {
            assert_eq!(
                Instruction::parse(value.as_bytes()),
                Err(InstructionError),
                "{value}"
            );
        }
    }
}
