//! Values that are written in more than one way.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{self, Deserializer, Visitor};

use crate::cookie::SameSite;
use crate::{KeyLookup, LookupError};

/// One place, or several in their order.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum KeyLookupText {
    /// `cookie:session_id`
    One(String),
    /// `[cookie:session_id, header:X-Session]`
    Many(Vec<String>),
}

/// `Strict`, `Lax` or `None`, or the numbers 3, 2 and 4 that Go's `http.SameSite` has for them.
#[derive(Clone, Copy, Debug)]
pub struct SameSiteText(pub SameSite);

impl KeyLookupText {
    pub(super) fn parse(&self) -> Result<KeyLookup, LookupError> {
        match self {
            Self::One(text) => KeyLookup::parse([text.as_str()]),
            Self::Many(texts) => KeyLookup::parse(texts.iter().map(String::as_str)),
        }
    }
}

impl<'de> Deserialize<'de> for SameSiteText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SameSiteVisitor).map(Self)
    }
}

struct SameSiteVisitor;

impl Visitor<'_> for SameSiteVisitor {
    type Value = SameSite;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("`Strict`, `Lax` or `None`")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<SameSite, E> {
        match text {
            "Lax" => Ok(SameSite::Lax),
            "None" => Ok(SameSite::None),
            "Strict" => Ok(SameSite::Strict),
            _ => Err(E::invalid_value(de::Unexpected::Str(text), &self)),
        }
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<SameSite, E> {
        match number {
            2 => Ok(SameSite::Lax),
            3 => Ok(SameSite::Strict),
            4 => Ok(SameSite::None),
            _ => Err(E::invalid_value(de::Unexpected::Unsigned(number), &self)),
        }
    }
}

impl JsonSchema for SameSiteText {
    fn schema_name() -> Cow<'static, str> {
        "SameSite".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "enum": ["Strict", "Lax", "None", 2, 3, 4] })
    }
}
