//! Which lines are written: a level, or one for each target.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;

use crate::config::suggest;

/// The text names no levels.
#[derive(Debug, thiserror::Error)]
pub enum LevelError {
    /// A word where a level belongs.
    #[error("`{0}` is not a level, {known}", known = suggest(.0, LEVELS))]
    Unknown(String),
    /// A target that cannot be one.
    #[error("expected a level such as `info`, or `target=level`")]
    Malformed(#[source] ParseError),
}

/// Reads levels such as `info,access=off`. A word alone is a level and never a target: `verbose` would let nothing
/// through but the lines of a target of that name, of which there are none.
///
/// # Errors
/// When it names something else.
pub fn filter(levels: &str) -> Result<EnvFilter, LevelError> {
    for part in levels.split(',') {
        let level = part.rsplit_once('=').map_or(part, |(_, level)| level);
        if !LEVELS.iter().any(|known| known.eq_ignore_ascii_case(level)) {
            return Err(LevelError::Unknown(level.to_owned()));
        }
    }
    EnvFilter::try_new(levels).map_err(LevelError::Malformed)
}

const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_named_for_all_targets_and_for_one() {
        for levels in [
            "info",
            "OFF",
            "info,access=off",
            "warn,session=trace,abi=debug",
        ] {
            assert!(filter(levels).is_ok(), "{levels}");
        }
    }

    #[test]
    fn a_word_that_is_no_level_is_not_taken_for_a_target() {
        let refused = [
            ("verbose", "verbose"),
            ("warning", "warning"),
            ("info,access", "access"),
            ("info,access=none", "none"),
            ("access=", ""),
            ("", ""),
            ("info,", ""),
        ];

        for (levels, word) in refused {
            let expected =
                format!("`{word}` is not a level, known are off, error, warn, info, debug, trace");
            assert_eq!(
                filter(levels).unwrap_err().to_string(),
                expected,
                "{levels}"
            );
        }
    }

    #[test]
    fn a_target_has_one_level() {
        let error = filter("a=b=info").unwrap_err();

        assert_eq!(
            error.to_string(),
            "expected a level such as `info`, or `target=level`"
        );
    }
}
