//! An attribute as the value of a header.

use std::fmt::Write as _;

use abi::Attribute;
use serde_json::Value;

/// A header value in the making. Empty means that there is no header: an upstream may take an empty one for a user.
#[derive(Debug, Default)]
pub(super) struct HeaderText(String);

impl HeaderText {
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// Text as it is, numbers and booleans as in JSON, lists as the lists of RFC 9110, objects as JSON.
    pub(super) fn write(&mut self, attribute: Attribute<'_>) {
        match attribute {
            Attribute::Text(text) | Attribute::Number(text) | Attribute::Object(text) => {
                self.0.push_str(text);
            }
            Attribute::Flag(flag) => self.0.push_str(if flag { "true" } else { "false" }),
            Attribute::List(json) => self.write_list(json),
            // A kind that a later gateway knows: rather no header than one that means something else.
            _ => {}
        }
    }

    fn write_list(&mut self, json: &str) {
        let items: Vec<Value> = serde_json::from_str(json).unwrap_or_default();
        for item in items.iter().filter(|item| !item.is_null()) {
            if !self.0.is_empty() {
                self.0.push(',');
            }
            match item {
                Value::String(text) => self.write_item(text),
                Value::Bool(_) | Value::Number(_) => {
                    let _ = write!(self.0, "{item}");
                }
                Value::Null | Value::Array(_) | Value::Object(_) => {
                    self.write_item(&item.to_string());
                }
            }
        }
    }

    /// An item that could be read as several, or as none, is quoted (RFC 9110, section 5.6.4).
    fn write_item(&mut self, text: &str) {
        let is_plain = !text.is_empty() && text.trim() == text && !text.contains([',', '"', '\\']);
        if is_plain {
            return self.0.push_str(text);
        }
        self.0.push('"');
        for char in text.chars() {
            if matches!(char, '"' | '\\') {
                self.0.push('\\');
            }
            self.0.push(char);
        }
        self.0.push('"');
    }
}
