//! What a session knows about its user.

mod depth;
mod json_len;
mod member;
mod packed;
mod read;
mod value_ref;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use abi::session::Attribute;
use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use self::packed::Packed;
use self::read::Text;
use super::delta::Delta;

pub use self::depth::is_too_deep;
pub use self::json_len::json_len;
pub use self::value_ref::ValueRef;

/// JSON values by name, in the order of their names.
///
/// In memory they take what they take as JSON, and to read one copies nothing.
#[derive(Clone, Default, Eq, PartialEq)]
pub struct Attributes(Packed);

impl Attributes {
    /// The value of `name`. Names are case-sensitive and never empty in a sane session, but any text is one.
    pub fn value(&self, name: &str) -> Option<ValueRef<'_>> {
        let mut all = self.iter();
        all.find_map(|(known, value)| (known == name).then_some(value))
    }

    /// Shows `visit` the attribute of exactly this name, or else what lies where the dots in it lead through objects.
    /// Nothing is shown of what is absent or `null`.
    pub fn lend(&self, path: &str, visit: impl FnOnce(Attribute<'_>)) {
        if let Some(value) = self.value(path) {
            return value.lend(visit);
        }
        if let Some((name, rest)) = path.split_once('.')
            && let Some(value) = self.value(name)
        {
            value.lend_at(rest.split('.'), visit);
        }
    }

    /// Who is named by `attribute`; nobody by null or an empty text. Numbers and flags name somebody as their
    /// JSON text does.
    pub fn principal(&self, attribute: &str) -> Option<Cow<'_, str>> {
        let user = match self.value(attribute)? {
            ValueRef::Json(json) if json == "null" => return None,
            ValueRef::Json(user) | ValueRef::Text(user) => user,
        };
        Some(user).filter(|user| !user.is_empty())
    }

    /// Name and value of each attribute, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, ValueRef<'_>)> {
        self.0.iter()
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.0.bytes() == 0
    }

    /// A copy with `deltas` applied in their order.
    pub(super) fn merge<'d>(&self, deltas: impl Iterator<Item = &'d Delta>) -> Self {
        let mut all: BTreeMap<&str, ValueRef<'_>> = self.iter().collect();
        for delta in deltas {
            match delta {
                Delta::Delete { name } => drop(all.remove(&**name)),
                Delta::Expire { .. } => {}
                Delta::Set { name, value } => drop(all.insert(name, value.into())),
            }
        }
        all.into()
    }

    /// The length of the attributes as one JSON object: what `maxBytes` limits.
    pub fn json_len(&self) -> usize {
        json_len(self)
    }

    /// The bytes on the heap, without what an allocator adds.
    pub(super) const fn footprint(&self) -> usize {
        self.0.bytes()
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
        f.debug_set()
            .entries(self.iter().map(|(name, _)| name))
            .finish()
    }
}

impl Serialize for Attributes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
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
