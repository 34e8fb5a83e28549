//! What a session holds, by name.

use serde_json::Value;

/// The value of an attribute, borrowed while it is visited.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Attribute<'a> {
    /// A text, unescaped.
    Text(&'a str),
    /// A number, as it stands in JSON.
    Number(&'a str),
    /// `true` or `false`.
    Flag(bool),
    /// A list, as JSON.
    List(&'a str),
    /// An object, as JSON.
    Object(&'a str),
}

/// The attribute was refused: its name is empty, its value is nested more than 100 deep, or the session would become
/// larger than allowed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "the attribute has no name, is nested too deep, or would make the session larger than allowed"
)]
pub struct AttributeError;

impl Attribute<'_> {
    /// Lends a JSON value as an attribute: how a [`SessionObject`](super::SessionObject) answers a read. `null` is no attribute.
    pub fn lend(value: &Value, visit: impl FnOnce(Attribute<'_>)) {
        match value {
            Value::Null => {}
            Value::String(text) => visit(Attribute::Text(text)),
            Value::Bool(flag) => visit(Attribute::Flag(*flag)),
            Value::Number(number) => visit(Attribute::Number(&number.to_string())),
            list @ Value::Array(_) => visit(Attribute::List(&list.to_string())),
            object @ Value::Object(_) => visit(Attribute::Object(&object.to_string())),
        }
    }

    /// A copy that outlives the visit.
    pub fn to_value(&self) -> Value {
        match self {
            Self::Text(text) => Value::from(*text),
            Self::Flag(flag) => Value::from(*flag),
            Self::Number(json) | Self::List(json) | Self::Object(json) => {
                serde_json::from_str(json).unwrap_or(Value::Null)
            }
        }
    }

    pub(crate) const fn parts(&self) -> (u8, &str) {
        match self {
            Self::Text(text) => (0, text),
            Self::Number(json) => (1, json),
            Self::Flag(false) => (2, ""),
            Self::Flag(true) => (3, ""),
            Self::List(json) => (4, json),
            Self::Object(json) => (5, json),
        }
    }
}

impl<'a> Attribute<'a> {
    pub(crate) const fn from_parts(kind: u8, text: &'a str) -> Option<Self> {
        Some(match kind {
            0 => Self::Text(text),
            1 => Self::Number(text),
            2 => Self::Flag(false),
            3 => Self::Flag(true),
            4 => Self::List(text),
            5 => Self::Object(text),
            _ => return None,
        })
    }
}
