//! How fast a server answers.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A moving average of answering times, in nanoseconds. The newest counts for a quarter: a server that became slow is
/// left after a few checks, and one slow answer changes little.
#[derive(Debug, Default)]
pub(super) struct Latency(AtomicU64);

impl Latency {
    pub(super) fn measured(&self, answered: Duration) {
        let newest = u64::try_from(answered.as_nanos()).unwrap_or(u64::MAX / 4);
        let average = match self.0.load(Ordering::Relaxed) {
            0 => newest,
            average => average - average / 4 + newest / 4,
        };
        self.0.store(average, Ordering::Relaxed);
    }

    /// Zero before the first measurement.
    pub(super) fn average(&self) -> Duration {
        Duration::from_nanos(self.0.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_average_follows_what_lasts_and_not_what_happens_once() {
        let latency = Latency::default();
        let milli = Duration::from_millis;

        latency.measured(milli(1));
        assert_eq!(latency.average(), milli(1));
        latency.measured(milli(9));
        assert_eq!(latency.average(), milli(3));
        for _ in 0..20 {
            latency.measured(milli(9));
        }
        assert!(latency.average() > milli(8));
    }
}
