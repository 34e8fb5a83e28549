//! A value, as it lies in memory.

use std::borrow::Cow;
use std::fmt;

use abi::session::Attribute;
use serde::ser::Error as _;
use serde::{Serialize, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;

use super::member::member;
use super::read::written;

/// The value of an attribute, borrowed.
#[derive(Clone, Eq, PartialEq)]
pub enum ValueRef<'a> {
    /// Anything but a text, in JSON without a space and without a name twice.
    Json(Cow<'a, str>),
    /// A text, without quotes and escapes.
    Text(Cow<'a, str>),
}

impl<'a> ValueRef<'a> {
    /// Reads what [`parts`](Self::parts) says, in one piece.
    pub(super) fn of_parts(packed: &'a str) -> Self {
        match packed.strip_prefix(TEXT_MARK) {
            Some(text) => Self::Text(text.into()),
            None => Self::Json(packed.into()),
        }
    }

    /// What tells a text from JSON, and the letters.
    pub(super) fn parts(&self) -> [&str; 2] {
        match self {
            Self::Json(json) => ["", json],
            Self::Text(text) => [TEXT_MARK, text],
        }
    }

    /// Shows it to `visit`. `null` is no attribute.
    pub fn lend(&self, visit: impl FnOnce(Attribute<'_>)) {
        let json = match self {
            Self::Json(json) => json,
            Self::Text(text) => return visit(Attribute::Text(text)),
        };
        match json.as_bytes().first() {
            Some(b'[') => visit(Attribute::List(json)),
            Some(b'{') => visit(Attribute::Object(json)),
            Some(b't') => visit(Attribute::Flag(true)),
            Some(b'f') => visit(Attribute::Flag(false)),
            Some(b'n') | None => {}
            Some(_) => visit(Attribute::Number(json)),
        }
    }

    /// Shows what `steps` lead to, from object to object, if it is there.
    pub(super) fn lend_at<'s>(
        &self,
        mut steps: impl Iterator<Item = &'s str>,
        visit: impl FnOnce(Attribute<'_>),
    ) {
        match (steps.next(), self) {
            (None, _) => self.lend(visit),
            (Some(name), Self::Json(json)) => {
                if let Some(inner) = member(json, name) {
                    inner.lend_at(steps, visit);
                }
            }
            (Some(_), Self::Text(_)) => {}
        }
    }

    /// A copy of its own.
    pub fn to_value(&self) -> Value {
        let mut value = Value::Null;
        self.lend(|attribute| value = attribute.to_value());
        value
    }
}

impl<'a> From<&'a Value> for ValueRef<'a> {
    fn from(value: &'a Value) -> Self {
        match value {
            Value::String(text) => Self::Text(text.into()),
            other => Self::Json(written(other).into()),
        }
    }
}

impl PartialEq<Value> for ValueRef<'_> {
    fn eq(&self, other: &Value) -> bool {
        match self {
            Self::Json(_) => self.to_value() == *other,
            Self::Text(text) => other.as_str() == Some(text),
        }
    }
}

/// Shows nothing: values are tokens and people.
impl fmt::Debug for ValueRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ValueRef(..)")
    }
}

/// For `serde_json` alone, which takes JSON as it is.
impl Serialize for ValueRef<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Json(json) => {
                let json: &RawValue = serde_json::from_str(json).map_err(S::Error::custom)?;
                json.serialize(serializer)
            }
            Self::Text(text) => serializer.serialize_str(text),
        }
    }
}

/// No JSON but a text begins with it.
const TEXT_MARK: &str = "\"";
