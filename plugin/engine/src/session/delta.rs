//! Changes to a session, as something that can be applied again to a newer record.

use std::fmt;
use std::time::Duration;

use serde_json::Value;

use super::device::Device;
use super::timestamp::Timestamp;

/// One change to a session.
#[derive(Clone, Eq, PartialEq)]
pub enum Delta {
    /// Removes the attribute; removing an absent one is fine.
    Delete {
        /// Which attribute.
        name: Box<str>,
    },
    /// From now on the session lives this long after each renewal, instead of the configured time.
    Expire {
        /// How long.
        after: Duration,
        /// When it was decided. A delta that is merged late must not start the life late.
        since: Timestamp,
    },
    /// Sets the attribute, whatever it was.
    Set {
        /// Which attribute.
        name: Box<str>,
        /// Its new value.
        value: Value,
    },
}

/// Shows what changes and hides the values.
impl fmt::Debug for Delta {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Delete { name } => write!(f, "Delete({name:?})"),
            Self::Expire { after, .. } => write!(f, "Expire({after:?})"),
            Self::Set { name, .. } => write!(f, "Set({name:?})"),
        }
    }
}

/// Changes in the order in which they were made.
///
/// A session is never written back as a whole: two requests that read the same record and change different
/// attributes each hand in their deltas, and both survive.
#[derive(Clone, Default, Eq, PartialEq)]
pub struct Deltas {
    changes: Vec<Delta>,
    device: Option<Device>,
}

impl Deltas {
    /// No change yet.
    pub const fn new() -> Self {
        Self {
            changes: Vec::new(),
            device: None,
        }
    }

    /// Adds one more change after the others.
    pub fn push(&mut self, delta: Delta) {
        self.changes.push(delta);
    }

    /// Says from where they were made, which is told of a login.
    pub fn made_from(&mut self, device: Option<Device>) {
        self.device = device;
    }

    /// From where they were made.
    pub const fn device(&self) -> Option<&Device> {
        self.device.as_ref()
    }

    /// Sets an attribute.
    pub fn set(&mut self, name: impl Into<Box<str>>, value: impl Into<Value>) {
        self.push(Delta::Set {
            name: name.into(),
            value: value.into(),
        });
    }

    /// Removes an attribute.
    pub fn delete(&mut self, name: impl Into<Box<str>>) {
        self.push(Delta::Delete { name: name.into() });
    }

    /// Gives the session a life of its own, counted from `since`.
    pub fn expire(&mut self, after: Duration, since: Timestamp) {
        self.push(Delta::Expire { after, since });
    }

    /// The changes, first to last.
    pub fn iter(&self) -> std::slice::Iter<'_, Delta> {
        self.changes.iter()
    }

    /// Whether they leave the session no life.
    pub fn leave_no_life(&self) -> bool {
        let mut lives = self.iter().rev().filter_map(|delta| match delta {
            Delta::Expire { after, .. } => Some(*after),
            Delta::Delete { .. } | Delta::Set { .. } => None,
        });
        lives.next().is_some_and(|life| life.is_zero())
    }

    /// Whether one of them is of this attribute.
    pub fn change(&self, attribute: &str) -> bool {
        self.iter().any(|delta| match delta {
            Delta::Delete { name } | Delta::Set { name, .. } => **name == *attribute,
            Delta::Expire { .. } => false,
        })
    }

    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }
}

impl fmt::Debug for Deltas {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Deltas")?;
        f.debug_list().entries(&self.changes).finish()
    }
}

impl FromIterator<Delta> for Deltas {
    fn from_iter<I: IntoIterator<Item = Delta>>(deltas: I) -> Self {
        Self {
            changes: deltas.into_iter().collect(),
            device: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_names_the_change_and_hides_the_value() {
        let mut deltas = Deltas::new();
        deltas.set("token", "hunter2");
        deltas.delete("old");

        assert_eq!(
            format!("{deltas:?}"),
            r#"Deltas[Set("token"), Delete("old")]"#
        );
    }
}
