//! Spans of time as people write them.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize, Serializer};

use super::Spelling;

/// A span of time: `300ms`, `45s`, `30m`, `2h`, `1d`, `1w`, `1M` (30 days), `1y` (365 days), combinations from the
/// largest unit down (`1h30m`), or a bare integer of seconds.
///
/// Never zero and never above [`ConfigDuration::MAX`]: a limit of nothing is a mistake, and a key that can be turned
/// off says so with a type of its own.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd)]
#[serde(try_from = "Spelling")]
pub struct ConfigDuration(Duration);

/// Why a text is not a span of time.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum DurationError {
    /// Not a sequence of numbers with units.
    #[error("expected a duration such as `30m`, `1h30m` or `300ms`")]
    Malformed,
    /// Above [`ConfigDuration::MAX`].
    #[error("a duration cannot exceed 100 years")]
    TooLong,
    /// Nothing at all.
    #[error("a duration cannot be 0")]
    Zero,
}

impl ConfigDuration {
    /// 100 years of 365 days: adding it to any clock of the next centuries cannot overflow.
    pub const MAX: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

    /// A default of so many seconds.
    ///
    /// # Panics
    /// In a constant evaluation, so at compile time, when `seconds` is 0 or above [`ConfigDuration::MAX`].
    pub const fn of_secs(seconds: u64) -> Self {
        assert!(seconds > 0 && seconds <= Self::MAX.as_secs());
        Self(Duration::from_secs(seconds))
    }

    /// The span as the standard library has it.
    pub const fn get(self) -> Duration {
        self.0
    }

    fn of_millis(millis: u64) -> Result<Self, DurationError> {
        let span = Duration::from_millis(millis);
        if span.is_zero() {
            return Err(DurationError::Zero);
        }
        if span > Self::MAX {
            return Err(DurationError::TooLong);
        }
        Ok(Self(span))
    }
}

impl From<ConfigDuration> for Duration {
    fn from(span: ConfigDuration) -> Self {
        span.0
    }
}

impl TryFrom<Duration> for ConfigDuration {
    type Error = DurationError;

    /// Takes a span; what is below a millisecond is cut off.
    fn try_from(span: Duration) -> Result<Self, DurationError> {
        Self::of_millis(u64::try_from(span.as_millis()).map_err(|_| DurationError::TooLong)?)
    }
}

impl TryFrom<u64> for ConfigDuration {
    type Error = DurationError;

    /// Takes a bare integer: seconds.
    fn try_from(seconds: u64) -> Result<Self, DurationError> {
        Self::of_millis(seconds.checked_mul(SECOND).ok_or(DurationError::TooLong)?)
    }
}

impl FromStr for ConfigDuration {
    type Err = DurationError;

    fn from_str(text: &str) -> Result<Self, DurationError> {
        if let Some(seconds) = digits(text) {
            return Self::try_from(seconds?);
        }
        let mut rest = text;
        let mut total = 0_u64;
        let mut units = UNITS;
        loop {
            let (millis, tail, smaller) = part(rest, units)?;
            total = total.checked_add(millis).ok_or(DurationError::TooLong)?;
            if tail.is_empty() {
                return Self::of_millis(total);
            }
            (rest, units) = (tail, smaller);
        }
    }
}

impl TryFrom<Spelling> for ConfigDuration {
    type Error = DurationError;

    fn try_from(spelling: Spelling) -> Result<Self, DurationError> {
        match spelling {
            Spelling::Integer(seconds) => Self::try_from(seconds),
            Spelling::Text(text) => text.parse(),
        }
    }
}

impl fmt::Display for ConfigDuration {
    /// Writes the largest unit that divides the span: what most people would have written.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.0.as_millis();
        let exact = UNITS
            .iter()
            .find(|(_, unit)| millis.is_multiple_of(u128::from(*unit)));
        let (name, unit) = exact.unwrap_or(&("ms", 1));
        write!(f, "{}{name}", millis / u128::from(*unit))
    }
}

impl Serialize for ConfigDuration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl JsonSchema for ConfigDuration {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "integer"], "format": "duration" })
    }
}

type Unit = (&'static str, u64);

/// Reads one number with its unit: its milliseconds, what follows, and the units that may follow.
fn part<'a>(
    text: &'a str,
    units: &'static [Unit],
) -> Result<(u64, &'a str, &'static [Unit]), DurationError> {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .ok_or(DurationError::Malformed)?;
    let count = digits(&text[..end]).ok_or(DurationError::Malformed)??;
    let tail = &text[end..];
    let name = &tail[..tail
        .find(|c: char| c.is_ascii_digit())
        .unwrap_or(tail.len())];
    let index = units
        .iter()
        .position(|(unit, _)| *unit == name)
        .ok_or(DurationError::Malformed)?;
    let millis = count
        .checked_mul(units[index].1)
        .ok_or(DurationError::TooLong)?;
    Ok((millis, &tail[name.len()..], &units[index + 1..]))
}

/// The number, when the text is nothing but digits.
fn digits(text: &str) -> Option<Result<u64, DurationError>> {
    let only_digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    only_digits.then(|| text.parse().map_err(|_| DurationError::TooLong))
}

const SECOND: u64 = 1_000;
const DAY: u64 = 24 * 60 * 60 * SECOND;

// From the largest down: the order in which a combination is written.
const UNITS: &[Unit] = &[
    ("y", 365 * DAY),
    ("M", 30 * DAY),
    ("w", 7 * DAY),
    ("d", DAY),
    ("h", 60 * 60 * SECOND),
    ("m", 60 * SECOND),
    ("s", SECOND),
    ("ms", 1),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unit_means_its_length() {
        let spelled = [
            "300ms", "45s", "30m", "2h", "1d", "1w", "1M", "1y", "1h30m", "7",
        ];

        let seconds = spelled.map(|text| parse(text).unwrap().get().as_secs_f64());

        assert_eq!(
            seconds,
            [
                0.3,
                45.0,
                1800.0,
                7200.0,
                86_400.0,
                604_800.0,
                2_592_000.0,
                31_536_000.0,
                5400.0,
                7.0
            ]
        );
    }

    #[test]
    fn anything_else_is_malformed() {
        for text in [
            "", "m", "1x", "-1s", "1.5h", "1h 30m", "30m1h", "1h1h", "1H", "1s5", "١s",
        ] {
            assert_eq!(parse(text), Err(DurationError::Malformed), "{text:?}");
        }
    }

    #[test]
    fn zero_is_refused_in_every_spelling() {
        for text in ["0", "0s", "0h0m"] {
            assert_eq!(parse(text), Err(DurationError::Zero), "{text:?}");
        }
    }

    #[test]
    fn more_than_a_century_is_refused_without_overflow() {
        assert_eq!(parse("100y").unwrap().get(), ConfigDuration::MAX);
        for text in [
            "101y",
            "99999999999999999y",
            "99999999999999999999",
            "18446744073709551615ms",
        ] {
            assert_eq!(parse(text), Err(DurationError::TooLong), "{text:?}");
        }
    }

    #[test]
    fn a_span_is_written_as_people_write_it() {
        for text in ["300ms", "45s", "90m", "2h", "1d", "2w", "1M", "1y", "3601s"] {
            assert_eq!(parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn json_takes_texts_and_integers_only() {
        let parsed = |json| serde_json::from_str::<ConfigDuration>(json);

        assert_eq!(parsed("90").unwrap(), parsed("\"90s\"").unwrap());
        assert!(
            parsed("true")
                .unwrap_err()
                .to_string()
                .starts_with("expected a text such as `30m`")
        );
        assert_eq!(
            parsed("0").unwrap_err().to_string(),
            "a duration cannot be 0"
        );
    }

    fn parse(text: &str) -> Result<ConfigDuration, DurationError> {
        text.parse()
    }
}
