//! One session as it must be: the documented rules once more, as plainly as they can be written.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::script::{Change, Write};
use crate::session::{Deltas, Family, Lifetime, Record, Timestamp};

/// What a session holds and when it ends.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Life {
    pub(super) family: Family,
    pub(super) created_at: Timestamp,
    pub(super) renewed_at: Timestamp,
    pub(super) seen_at: Timestamp,
    pub(super) expires_at: Timestamp,
    pub(super) own_life: Option<Duration>,
    pub(super) attributes: BTreeMap<String, Value>,
}

impl Life {
    /// Of nothing, from `now` on.
    pub(super) fn begin(rules: &Lifetime, family: Family, now: Timestamp) -> Self {
        Self {
            family,
            created_at: now,
            renewed_at: now,
            seen_at: now,
            expires_at: now.after(rules.life),
            own_life: None,
            attributes: BTreeMap::new(),
        }
    }

    /// The data of this one in a session that begins now.
    pub(super) fn begin_again(&self, rules: &Lifetime, family: Family, now: Timestamp) -> Self {
        let mut again = Self {
            own_life: self.own_life,
            attributes: self.attributes.clone(),
            ..Self::begin(rules, family, now)
        };
        again.expires_at = now.after(again.promised(rules));
        again
    }

    /// With another id. Its clocks never go back, and the renewal is told apart from the beginning.
    pub(super) fn renewed(&self, rules: &Lifetime, now: Timestamp) -> Self {
        let renewed_at = now.max(self.seen_at).max(next(self.created_at));
        Self {
            renewed_at,
            seen_at: renewed_at,
            expires_at: match rules.is_sliding {
                true => renewed_at.after(self.promised(rules)),
                false => self.expires_at.max(renewed_at),
            },
            ..self.clone()
        }
    }

    /// Seen in use, under the id it has now.
    pub(super) fn touched(&self, now: Timestamp) -> Self {
        Self {
            seen_at: now.max(self.seen_at).max(next(self.renewed_at)),
            ..self.clone()
        }
    }

    /// With the changes of somebody whose clock says `now`.
    pub(super) fn written(&self, rules: &Lifetime, write: &Write, now: Timestamp) -> Self {
        let mut life = self.clone();
        for change in &write.0 {
            match change {
                Change::Delete(name) => drop(life.attributes.remove(name)),
                Change::Expire { after, ago } => {
                    life.own_life = Some((*after).max(MILLISECOND));
                    life.expires_at = before(now, *ago).max(life.renewed_at).after(*after);
                }
                Change::Set(name, value) => {
                    drop(life.attributes.insert(name.clone(), value.clone()))
                }
            }
        }
        if life.asks_to_be_remembered() != self.asks_to_be_remembered() && life.own_life.is_none() {
            life.expires_at = life.renewed_at.after(life.promised(rules));
        }
        life
    }

    /// The first instant at which it is over.
    pub(super) fn end(&self, rules: &Lifetime) -> Timestamp {
        let is_remembered = rules.remembered.filter(|_| self.asks_to_be_remembered());
        let absolute = rules
            .absolute
            .map(|absolute| is_remembered.unwrap_or(absolute));
        let idle = rules.idle.filter(|_| is_remembered.is_none());
        let ends = [
            Some(self.expires_at),
            absolute.map(|absolute| self.created_at.after(absolute)),
            idle.map(|idle| self.seen_at.after(idle)),
        ];
        ends.into_iter().flatten().min().unwrap_or_default()
    }

    /// What is left of it by a clock that says `now`; nothing when it is over. A clock that is behind, or was set
    /// back, gives no more than there was at the last use.
    pub(super) fn left(&self, rules: &Lifetime, now: Timestamp) -> Duration {
        self.end(rules).since(now.max(self.seen_at))
    }

    /// Whether the client was ever seen with the id of the last renewal.
    pub(super) fn is_confirmed(&self) -> bool {
        self.renewed_at == self.created_at || self.seen_at > self.renewed_at
    }

    pub(super) fn principal(&self) -> Option<String> {
        let name = self.attributes.get("user_id")?.as_str()?;
        Some(name.to_owned())
    }

    /// The length of its attributes, as `maxBytes` counts it.
    pub(super) fn len(&self) -> usize {
        serde_json::to_string(&self.attributes).unwrap().len()
    }

    fn promised(&self, rules: &Lifetime) -> Duration {
        let remembered = rules.remembered.filter(|_| self.asks_to_be_remembered());
        self.own_life.or(remembered).unwrap_or(rules.life)
    }

    fn asks_to_be_remembered(&self) -> bool {
        self.attributes.get("remember_me") == Some(&Value::Bool(true))
    }
}

/// What the engine says a session is.
impl From<&Record> for Life {
    fn from(record: &Record) -> Self {
        let attributes = record.attributes().iter();
        Self {
            family: record.family(),
            created_at: record.created_at(),
            renewed_at: record.renewed_at(),
            seen_at: record.seen_at(),
            expires_at: record.expires_at(),
            own_life: record.own_life(),
            attributes: attributes
                .map(|(name, value)| (name.to_owned(), value.to_value()))
                .collect(),
        }
    }
}

impl Write {
    /// Whether they say who the user is.
    pub(super) fn names_user(&self) -> bool {
        self.0.iter().any(|change| match change {
            Change::Delete(name) | Change::Set(name, _) => name == "user_id",
            Change::Expire { .. } => false,
        })
    }

    /// The same changes in the words of the engine.
    pub(super) fn deltas(&self, now: Timestamp) -> Deltas {
        let mut deltas = Deltas::new();
        for change in &self.0 {
            match change {
                Change::Delete(name) => deltas.delete(name.as_str()),
                Change::Expire { after, ago } => deltas.expire(*after, before(now, *ago)),
                Change::Set(name, value) => deltas.set(name.as_str(), value.clone()),
            }
        }
        deltas
    }
}

fn next(instant: Timestamp) -> Timestamp {
    instant.after(MILLISECOND)
}

fn before(now: Timestamp, ago: Duration) -> Timestamp {
    Timestamp::from_millis(now.as_millis().saturating_sub(ago.as_millis() as u64))
}

const MILLISECOND: Duration = Duration::from_millis(1);
