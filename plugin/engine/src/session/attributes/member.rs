//! A look into an object, without a copy of it.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::read::Text;
use super::value_ref::ValueRef;

/// The value of `name` in an object; nothing in any other JSON.
pub(super) fn member<'j>(json: &'j str, name: &str) -> Option<ValueRef<'j>> {
    let mut json = serde_json::Deserializer::from_str(json);
    let found = Member(name).deserialize(&mut json).ok()??.get();
    if !found.starts_with('"') {
        return Some(ValueRef::Json(found.into()));
    }
    let Text(text) = serde_json::from_str(found).ok()?;
    Some(ValueRef::Text(text))
}

/// Looks for a name.
struct Member<'n>(&'n str);

impl<'de> DeserializeSeed<'de> for Member<'_> {
    type Value = Option<&'de RawValue>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Member<'_> {
    type Value = Option<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(Text(name)) = map.next_key()? {
            if name == self.0 {
                found = Some(map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }
}
