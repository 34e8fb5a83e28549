//! Spans of time that can be switched off.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize, Serializer};

use super::{ConfigDuration, DurationError, Spelling};

/// A span of time, or `0` where the key says that 0 means none.
///
/// Spelled like [`ConfigDuration`]; `0`, `0s` and the like are nothing.
// Not ordered: whether none is less or more than all others is for each key to say.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(try_from = "Spelling")]
pub struct DurationOrNone(Option<ConfigDuration>);

impl DurationOrNone {
    /// Switched off.
    pub const NONE: Self = Self(None);

    /// A default of so many seconds.
    ///
    /// # Panics
    /// As [`ConfigDuration::of_secs`] does.
    pub const fn of_secs(seconds: u64) -> Self {
        Self(Some(ConfigDuration::of_secs(seconds)))
    }

    /// The span, if it is switched on.
    pub fn get(self) -> Option<Duration> {
        self.0.map(ConfigDuration::get)
    }
}

impl From<ConfigDuration> for DurationOrNone {
    fn from(span: ConfigDuration) -> Self {
        Self(Some(span))
    }
}

impl FromStr for DurationOrNone {
    type Err = DurationError;

    fn from_str(text: &str) -> Result<Self, DurationError> {
        or_none(text.parse())
    }
}

impl TryFrom<u64> for DurationOrNone {
    type Error = DurationError;

    /// Takes a bare integer: seconds.
    fn try_from(seconds: u64) -> Result<Self, DurationError> {
        or_none(seconds.try_into())
    }
}

impl TryFrom<Spelling> for DurationOrNone {
    type Error = DurationError;

    fn try_from(spelling: Spelling) -> Result<Self, DurationError> {
        or_none(spelling.try_into())
    }
}

impl fmt::Display for DurationOrNone {
    /// Writes `0` for none.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(span) => span.fmt(f),
            None => f.write_str("0"),
        }
    }
}

impl Serialize for DurationOrNone {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl JsonSchema for DurationOrNone {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "DurationOrNone".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "integer"], "format": "duration-or-none" })
    }
}

fn or_none(parsed: Result<ConfigDuration, DurationError>) -> Result<DurationOrNone, DurationError> {
    match parsed {
        Err(DurationError::Zero) => Ok(DurationOrNone::NONE),
        parsed => parsed.map(DurationOrNone::from),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_in_every_spelling_is_none() {
        for text in ["0", "0s", "0h0m"] {
            assert_eq!(text.parse(), Ok(DurationOrNone::NONE), "{text:?}");
        }
        assert_eq!(
            serde_json::from_str::<DurationOrNone>("0").unwrap(),
            DurationOrNone::NONE
        );
    }

    #[test]
    fn anything_else_is_what_it_is_as_a_duration() {
        let parsed = |text: &str| text.parse::<DurationOrNone>();

        assert_eq!(parsed("1h30m"), Ok(DurationOrNone::of_secs(5400)));
        assert_eq!(parsed("soon"), Err(DurationError::Malformed));
        assert_eq!(parsed("101y"), Err(DurationError::TooLong));
    }

    #[test]
    fn it_is_written_as_people_write_it() {
        let written = ["0", "45s", "2h"].map(|text| text.parse::<DurationOrNone>().unwrap());

        assert_eq!(written.map(|span| span.to_string()), ["0", "45s", "2h"]);
    }
}
