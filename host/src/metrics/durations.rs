//! How long things take.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use abi::services::HistogramObject;

use super::shards::Shards;

/// A histogram. Recording is two additions to memory that few other threads touch: no lock and no allocation.
#[derive(Debug, Default)]
pub struct Durations(Shards<Part>);

#[derive(Debug, Default)]
struct Part {
    // One more for what takes longer than all bounds.
    counts: [AtomicU64; BOUNDS.len() + 1],
    nanoseconds: AtomicU64,
}

impl Durations {
    /// Counts one.
    pub fn record(&self, duration: Duration) {
        let nanoseconds = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        let bucket = BOUNDS.partition_point(|bound| bound.nanoseconds < nanoseconds);
        let part = self.0.mine();
        part.counts[bucket].fetch_add(1, Ordering::Relaxed);
        part.nanoseconds.fetch_add(nanoseconds, Ordering::Relaxed);
    }

    /// Writes the series of a histogram; `labels` without braces.
    pub(super) fn render(&self, name: &str, labels: &str, text: &mut String) {
        let separator = if labels.is_empty() { "" } else { "," };
        let mut count = 0;
        let bounds = BOUNDS.iter().map(|bound| bound.seconds);
        for (bucket, seconds) in bounds.chain(["+Inf"]).enumerate() {
            let parts = self.0.iter();
            count += parts
                .map(|part| part.counts[bucket].load(Ordering::Relaxed))
                .sum::<u64>();
            // Writing to a string cannot fail.
            let _ = writeln!(
                text,
                "{name}_bucket{{{labels}{separator}le=\"{seconds}\"}} {count}"
            );
        }
        let parts = self.0.iter();
        let nanoseconds: u64 = parts
            .map(|part| part.nanoseconds.load(Ordering::Relaxed))
            .sum();
        let braced = super::braced(labels);
        let seconds = nanoseconds as f64 / 1e9;
        let _ = writeln!(
            text,
            "{name}_sum{braced} {seconds}\n{name}_count{braced} {count}"
        );
    }
}

impl HistogramObject for Durations {
    fn record(&self, duration: Duration) {
        Self::record(self, duration);
    }
}

struct Bound {
    seconds: &'static str,
    nanoseconds: u64,
}

const fn bound(seconds: &'static str, microseconds: u64) -> Bound {
    Bound {
        seconds,
        nanoseconds: microseconds * 1000,
    }
}

// From what a server nearby answers in to what nobody waits for, with one to three steps for each power of ten.
const BOUNDS: [Bound; 16] = [
    bound("0.0001", 100),
    bound("0.00025", 250),
    bound("0.0005", 500),
    bound("0.001", 1_000),
    bound("0.0025", 2_500),
    bound("0.005", 5_000),
    bound("0.01", 10_000),
    bound("0.025", 25_000),
    bound("0.05", 50_000),
    bound("0.1", 100_000),
    bound("0.25", 250_000),
    bound("0.5", 500_000),
    bound("1", 1_000_000),
    bound("2.5", 2_500_000),
    bound("5", 5_000_000),
    bound("10", 10_000_000),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_holds_everything_up_to_its_bound() {
        let durations = Durations::default();
        for micros in [1, 100, 101, 20_000_000] {
            durations.record(Duration::from_micros(micros));
        }
        let mut text = String::new();

        durations.render("a_seconds", "b=\"c\"", &mut text);

        for line in [
            "a_seconds_bucket{b=\"c\",le=\"0.0001\"} 2",
            "a_seconds_bucket{b=\"c\",le=\"0.00025\"} 3",
            "a_seconds_bucket{b=\"c\",le=\"10\"} 3",
            "a_seconds_bucket{b=\"c\",le=\"+Inf\"} 4",
            "a_seconds_sum{b=\"c\"} 20.000202",
            "a_seconds_count{b=\"c\"} 4",
        ] {
            assert!(text.lines().any(|known| known == line), "{line}: {text}");
        }
    }

    #[test]
    fn bounds_say_what_they_are_and_ascend() {
        for pair in BOUNDS.windows(2) {
            assert!(pair[0].nanoseconds < pair[1].nanoseconds);
        }
        for bound in &BOUNDS {
            let seconds: f64 = bound.seconds.parse().unwrap();
            assert_eq!((seconds * 1e9).round() as u64, bound.nanoseconds);
        }
    }
}
