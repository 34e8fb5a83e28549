//! What a session knows about its user.

use std::borrow::Cow;
use std::{fmt, io};

use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use super::delta::Delta;

/// JSON values by name, in the order of their names.
///
/// A sorted slice instead of a tree: a session has a handful of attributes, and a `serde_json::Map` takes more than
/// 600 bytes for the first of them.
#[derive(Clone, Default, Eq, PartialEq)]
pub struct Attributes(Box<[(Box<str>, Value)]>);

impl Attributes {
    /// The value of `name`. Names are case-sensitive and never empty in a sane session, but any text is one.
    pub fn value(&self, name: &str) -> Option<&Value> {
        let at = self.position(name).ok()?;
        Some(&self.0[at].1)
    }

    /// Who is named by `attribute`; nobody by null or an empty text. Numbers and flags name somebody as their
    /// JSON text does.
    pub fn principal(&self, attribute: &str) -> Option<Cow<'_, str>> {
        let user = match self.value(attribute)? {
            Value::Null => return None,
            Value::String(user) => Cow::Borrowed(user.as_str()),
            other => Cow::Owned(other.to_string()),
        };
        Some(user).filter(|user| !user.is_empty())
    }

    /// Name and value of each attribute, sorted by name.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (&**name, value))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A copy with `deltas` applied in their order.
    pub(super) fn merge<'d>(&self, deltas: impl Iterator<Item = &'d Delta>) -> Self {
        let mut list = self.0.to_vec();
        for delta in deltas {
            apply(&mut list, delta);
        }
        Self(list.into_boxed_slice())
    }

    /// The length of the attributes as one JSON object: what `maxBytes` limits.
    pub fn json_len(&self) -> usize {
        let mut counter = Counter(0);
        // Counting cannot fail, and every name is a text.
        let _ = serde_json::to_writer(&mut counter, self);
        counter.0
    }

    /// The bytes on the heap, as far as they can be known without asking the allocator.
    pub(super) fn footprint(&self) -> usize {
        let outside = self.0.iter().map(|(name, value)| name.len() + heap(value));
        size_of_val(&*self.0) + outside.sum::<usize>()
    }

    fn position(&self, name: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|(other, _)| (**other).cmp(name))
    }
}

fn apply(list: &mut Vec<(Box<str>, Value)>, delta: &Delta) {
    let find = |list: &[(Box<str>, Value)], name: &str| {
        list.binary_search_by(|(other, _)| (**other).cmp(name))
    };
    match delta {
        Delta::Delete { name } => {
            if let Ok(at) = find(list, name) {
                list.remove(at);
            }
        }
        Delta::Expire { .. } => {}
        Delta::Set { name, value } => match find(list, name) {
            Ok(at) => list[at].1 = value.clone(),
            Err(at) => list.insert(at, (name.clone(), value.clone())),
        },
    }
}

/// Forgets what is written and remembers how much.
struct Counter(usize);

impl io::Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn heap(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        Value::String(text) => text.capacity(),
        Value::Array(items) => {
            items.capacity() * size_of::<Value>() + items.iter().map(heap).sum::<usize>()
        }
        Value::Object(map) => {
            // A node of the standard tree has eleven places and is at least half full.
            let nodes = map.len().div_ceil(6);
            let inside = map
                .iter()
                .map(|(name, value)| name.capacity() + heap(value));
            nodes * 11 * (size_of::<String>() + size_of::<Value>()) + inside.sum::<usize>()
        }
    }
}

impl From<Map<String, Value>> for Attributes {
    fn from(map: Map<String, Value>) -> Self {
        map.into_iter().collect()
    }
}

/// Of two values for one name the later one stays.
impl<N: Into<Box<str>>> FromIterator<(N, Value)> for Attributes {
    fn from_iter<I: IntoIterator<Item = (N, Value)>>(pairs: I) -> Self {
        let mut list = Vec::new();
        for (name, value) in pairs {
            apply(
                &mut list,
                &Delta::Set {
                    name: name.into(),
                    value,
                },
            );
        }
        Self(list.into_boxed_slice())
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
        let mut list = Vec::with_capacity(map.size_hint().unwrap_or(0).min(64));
        while let Some(pair) = map.next_entry::<Box<str>, Value>()? {
            list.push(pair);
        }
        list.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        if list.windows(2).any(|pair| pair[0].0 == pair[1].0) {
            return Err(A::Error::custom("an attribute is named twice"));
        }
        Ok(Attributes(list.into_boxed_slice()))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_value_is_found_by_its_exact_name() {
        let attributes: Attributes = [("b", json!(2)), ("a", json!(1))].into_iter().collect();

        assert_eq!(attributes.value("a"), Some(&json!(1)));
        assert_eq!(attributes.value("A"), None);
    }

    #[test]
    fn attributes_come_in_the_order_of_their_names() {
        let attributes: Attributes = ["c", "a", "b"]
            .map(|name| (name, json!(0)))
            .into_iter()
            .collect();

        let names: Vec<_> = attributes.iter().map(|(name, _)| name).collect();

        assert_eq!(names, ["a", "b", "c"]);
    }

    #[test]
    fn an_object_that_names_an_attribute_twice_is_refused() {
        let twice = serde_json::from_str::<Attributes>(r#"{"a":1,"b":2,"a":3}"#);

        assert!(twice.is_err());
    }

    #[test]
    fn json_comes_back_as_it_was_written() {
        let attributes: Attributes = [("n", json!({"x": [1, null, "é"]}))].into_iter().collect();

        let text = serde_json::to_string(&attributes).unwrap();

        assert_eq!(
            serde_json::from_str::<Attributes>(&text).unwrap(),
            attributes
        );
    }

    #[test]
    fn debug_shows_names_and_hides_values() {
        let attributes: Attributes = [("user_id", json!("hunter2"))].into_iter().collect();

        assert_eq!(format!("{attributes:?}"), r#"{"user_id"}"#);
    }

    #[test]
    fn the_footprint_grows_with_the_data() {
        let small: Attributes = [("a", json!("x"))].into_iter().collect();
        let large: Attributes = [("a", json!("x".repeat(1000)))].into_iter().collect();

        assert!(large.footprint() >= small.footprint() + 999);
    }
}
