//! Attributes that lie in a record.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use abi::session::Attribute;
use serde::{Serialize, Serializer};

use super::packed::Pairs;
use super::{Attributes, ValueRef, json_len};
use crate::session::delta::Delta;

/// Attributes, borrowed. In memory they take what they take as JSON, and to read one copies nothing.
#[derive(Clone, Copy, Default, Eq, PartialEq)]
pub struct AttributesRef<'a>(&'a str);

impl<'a> AttributesRef<'a> {
    /// Reads what [`text`](Self::text) says.
    pub(in crate::session) const fn of_text(packed: &'a str) -> Self {
        Self(packed)
    }

    /// All of them in one piece.
    pub(crate) const fn text(self) -> &'a str {
        self.0
    }

    /// The value of `name`. Names are case-sensitive and never empty in a sane session, but any text is one.
    pub fn value(self, name: &str) -> Option<ValueRef<'a>> {
        let mut all = self.iter();
        all.find_map(|(known, value)| (known == name).then_some(value))
    }

    /// Shows `visit` the attribute of exactly this name, or else what lies where the dots in it lead through objects.
    /// Nothing is shown of what is absent or `null`.
    pub fn lend(self, path: &str, visit: impl FnOnce(Attribute<'_>)) {
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
    pub fn principal(self, attribute: &str) -> Option<Cow<'a, str>> {
        let user = match self.value(attribute)? {
            ValueRef::Json(json) if json == "null" => return None,
            ValueRef::Json(user) | ValueRef::Text(user) => user,
        };
        Some(user).filter(|user| !user.is_empty())
    }

    /// Name and value of each attribute, sorted by name.
    pub fn iter(self) -> impl Iterator<Item = (&'a str, ValueRef<'a>)> {
        Pairs(self.0)
    }

    /// Whether there are none.
    pub const fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// A copy with `deltas` applied in their order.
    pub(in crate::session) fn merge<'d>(
        self,
        deltas: impl Iterator<Item = &'d Delta>,
    ) -> Attributes {
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
    pub fn json_len(self) -> usize {
        json_len(&self)
    }
}

/// Shows names only: values are tokens and people.
impl fmt::Debug for AttributesRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set()
            .entries(self.iter().map(|(name, _)| name))
            .finish()
    }
}

impl Serialize for AttributesRef<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}
