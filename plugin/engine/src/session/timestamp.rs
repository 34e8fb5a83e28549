//! An instant, as every gateway and every storage writes it down.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Milliseconds since the Unix epoch.
///
/// Arithmetic saturates: no sum of a timestamp and a configured duration can wrap into the past (mod_auth_openidc
/// once wrapped after 2038).
#[derive(
    Clone, Copy, Debug, Default, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize,
)]
#[serde(transparent)]
pub struct Timestamp(u64);

impl Timestamp {
    /// Wraps a number of milliseconds since 1970-01-01T00:00:00Z.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// The number of milliseconds since 1970-01-01T00:00:00Z.
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// The instant `by` later, or the last one there is.
    pub fn after(self, by: Duration) -> Self {
        Self(self.0.saturating_add(millis(by)))
    }

    /// The instant `by` earlier, or the first one there is.
    pub fn before(self, by: Duration) -> Self {
        Self(self.0.saturating_sub(millis(by)))
    }

    /// How much later this is than `earlier`; nothing when it is not later at all.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

/// Whole milliseconds, rounded up, so that a life of a microsecond is not a life of nothing.
fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_saturate_instead_of_wrapping_into_the_past() {
        let end = Timestamp::from_millis(u64::MAX - 1).after(Duration::MAX);

        assert_eq!(end, Timestamp::from_millis(u64::MAX));
    }

    #[test]
    fn an_earlier_instant_is_no_time_after_a_later_one() {
        let (early, late) = (Timestamp::from_millis(5), Timestamp::from_millis(9));

        assert_eq!(early.since(late), Duration::ZERO);
        assert_eq!(late.since(early), Duration::from_millis(4));
    }

    #[test]
    fn a_fraction_of_a_millisecond_counts_as_one() {
        let soon = Timestamp::from_millis(0).after(Duration::from_nanos(1));

        assert_eq!(soon, Timestamp::from_millis(1));
    }
}
