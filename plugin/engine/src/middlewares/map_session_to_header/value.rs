//! An attribute as the value of a header.

use std::borrow::Cow;

use abi::Attribute;
use serde_json::Value;

/// Text as it is, numbers and booleans as in JSON, lists as the lists of RFC 9110, objects as JSON.
pub(super) fn render(attribute: Attribute<'_>) -> Cow<'_, str> {
    match attribute {
        Attribute::Text(text) | Attribute::Number(text) | Attribute::Object(text) => text.into(),
        Attribute::Flag(true) => "true".into(),
        Attribute::Flag(false) => "false".into(),
        Attribute::List(json) => list(json).into(),
        // A kind that a later gateway knows: rather no header than one that means something else.
        _ => "".into(),
    }
}

fn list(json: &str) -> String {
    let items: Vec<Value> = serde_json::from_str(json).unwrap_or_default();
    let items: Vec<String> = items.iter().filter_map(item).collect();
    items.join(",")
}

fn item(item: &Value) -> Option<String> {
    match item {
        Value::Null => None,
        Value::Bool(_) | Value::Number(_) => Some(item.to_string()),
        Value::String(text) => Some(quote(text)),
        Value::Array(_) | Value::Object(_) => Some(quote(&item.to_string())),
    }
}

/// An item that could be read as several, or as none, is quoted (RFC 9110, section 5.6.4).
fn quote(text: &str) -> String {
    let is_plain = !text.is_empty() && text.trim() == text && !text.contains([',', '"', '\\']);
    if is_plain {
        return text.to_owned();
    }
    let mut quoted = String::from('"');
    for char in text.chars() {
        if matches!(char, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(char);
    }
    quoted.push('"');
    quoted
}
