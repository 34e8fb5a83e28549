//! What a session knows about its user.

mod depth;
mod json_len;
mod member;
mod packed;
mod read;
mod value_ref;
mod view;

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use self::packed::Packed;
use self::read::Text;

pub use self::depth::is_too_deep;
pub use self::json_len::json_len;
pub use self::value_ref::ValueRef;
pub use self::view::AttributesRef;

/// JSON values by name, in the order of their names.
#[derive(Clone, Default, Eq, PartialEq)]
pub struct Attributes(Packed);

impl Attributes {
    /// To be read.
    pub const fn view(&self) -> AttributesRef<'_> {
        AttributesRef::of_text(self.0.text())
    }
}

impl From<AttributesRef<'_>> for Attributes {
    fn from(view: AttributesRef<'_>) -> Self {
        Self(Packed::copied(view.text()))
    }
}

impl From<Map<String, Value>> for Attributes {
    fn from(map: Map<String, Value>) -> Self {
        map.into_iter().collect()
    }
}

impl From<BTreeMap<&str, ValueRef<'_>>> for Attributes {
    fn from(all: BTreeMap<&str, ValueRef<'_>>) -> Self {
        Self(Packed::of(all.iter().map(|(name, value)| (*name, value))))
    }
}

/// Of two values for one name the later one stays.
impl<N: AsRef<str>> FromIterator<(N, Value)> for Attributes {
    fn from_iter<I: IntoIterator<Item = (N, Value)>>(pairs: I) -> Self {
        let pairs: Vec<_> = pairs.into_iter().collect();
        let all: BTreeMap<&str, _> = pairs
            .iter()
            .map(|(name, value)| (name.as_ref(), value.into()))
            .collect();
        all.into()
    }
}

/// Shows names only: values are tokens and people.
impl fmt::Debug for Attributes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.view().fmt(f)
    }
}

impl Serialize for Attributes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.view().serialize(serializer)
    }
}

/// Reads a JSON object; one that names an attribute twice is refused, because two readers could disagree about it.
impl<'de> Deserialize<'de> for Attributes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(AttributesVisitor)
    }
}

struct AttributesVisitor;

impl<'de> Visitor<'de> for AttributesVisitor {
    type Value = Attributes;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of attributes")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Attributes, A::Error> {
        let mut all: Vec<(Text<'de>, ValueRef<'de>)> = Vec::with_capacity(USUAL);
        while let Some(pair) = map.next_entry()? {
            all.push(pair);
        }
        // They were written in order, mostly, and then nothing has to be sorted.
        let is_before = |(one, _): &(Text<'de>, _), (next, _): &(Text<'de>, _)| one < next;
        if !all.is_sorted_by(is_before) {
            all.sort_by(|(one, _), (other, _)| one.cmp(other));
            if !all.is_sorted_by(is_before) {
                return Err(A::Error::custom("an attribute is named twice"));
            }
        }
        let pairs = all.iter().map(|(name, value)| (name.as_ref(), value));
        Ok(Attributes(Packed::of(pairs)))
    }
}

/// As many attributes as most sessions have, or more.
const USUAL: usize = 8;

#[cfg(test)]
mod tests;
