//! Counters, gauges and histograms, and the text Prometheus reads them in.

mod durations;
mod names;
mod process;
mod reloads;
mod shards;
mod traffic;
mod upstream;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

pub use durations::Durations;
pub use reloads::Reloads;
pub use shards::Sum;
use tracing::warn;
pub use traffic::{Present, RouteCounters, Traffic};
pub use upstream::UpstreamCounters;

/// Everything that is counted in a gateway. What was made once lives for ever, because plugins hold plain references to
/// it; asking for the same again returns the same, so it goes on over every reload.
#[derive(Debug)]
pub struct Metrics {
    started: SystemTime,
    families: Mutex<BTreeMap<String, Family>>,
}

#[derive(Debug)]
struct Family {
    help: String,
    kind: Kind,
    // By labels as they are written, without braces.
    series: BTreeMap<String, Series>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    Counter,
    Gauge,
    Histogram,
}

#[derive(Clone, Debug)]
enum Series {
    Number(&'static AtomicU64),
    Sum(&'static Sum),
    Durations(&'static Durations),
}

impl Metrics {
    /// The counter of this name and these labels. By convention names end with `_total`; the help of the first caller
    /// stays. What is asked for under the name of something else, or under one that Prometheus could not read, is counted
    /// and not shown, with a warning.
    pub fn counter(&self, name: &str, help: &str, labels: &[(&str, &str)]) -> &'static AtomicU64 {
        let made = || Series::Number(Box::leak(Box::default()));
        match self.series((name, help, Kind::Counter), labels, made) {
            Some(Series::Number(number)) => number,
            _ => Box::leak(Box::default()),
        }
    }

    /// The histogram of this name and these labels. By convention names end with `_seconds`.
    pub fn durations(&self, name: &str, help: &str, labels: &[(&str, &str)]) -> &'static Durations {
        let made = || Series::Durations(Box::leak(Box::default()));
        match self.series((name, help, Kind::Histogram), labels, made) {
            Some(Series::Durations(durations)) => durations,
            _ => Box::leak(Box::default()),
        }
    }

    /// A counter that is increased at each request: threads do not wait for each other.
    fn sum(&self, name: &str, help: &str, labels: &[(&str, &str)]) -> &'static Sum {
        let made = || Series::Sum(Box::leak(Box::default()));
        match self.series((name, help, Kind::Counter), labels, made) {
            Some(Series::Sum(sum)) => sum,
            _ => Box::leak(Box::default()),
        }
    }

    /// A gauge that goes up and down with each request: threads do not wait for each other.
    fn gauge(&self, name: &str, help: &str, labels: &[(&str, &str)]) -> &'static Sum {
        let made = || Series::Sum(Box::leak(Box::default()));
        match self.series((name, help, Kind::Gauge), labels, made) {
            Some(Series::Sum(sum)) => sum,
            _ => Box::leak(Box::default()),
        }
    }

    /// A gauge that is set.
    fn level(&self, name: &str, help: &str) -> &'static AtomicU64 {
        let made = || Series::Number(Box::leak(Box::default()));
        match self.series((name, help, Kind::Gauge), &[], made) {
            Some(Series::Number(number)) => number,
            _ => Box::leak(Box::default()),
        }
    }

    /// `None` when the name is that of another kind, or none.
    fn series(
        &self,
        (name, help, kind): (&str, &str, Kind),
        labels: &[(&str, &str)],
        made: impl FnOnce() -> Series,
    ) -> Option<Series> {
        if let Err(problem) = names::check(name, labels) {
            warn!(metric = name, "counted, but not shown: {problem}");
            return None;
        }
        let mut families = self.families();
        let family = families.entry(name.to_owned()).or_insert_with(|| Family {
            help: help.to_owned(),
            kind,
            series: BTreeMap::new(),
        });
        if family.kind != kind {
            let known = family.kind.as_str();
            warn!(
                metric = name,
                "counted, but not shown: the name is that of a {known}"
            );
            return None;
        }
        let labels = render_labels(labels);
        Some(family.series.entry(labels).or_insert_with(made).clone())
    }

    /// Everything, in the text format of Prometheus 0.0.4.
    pub fn render(&self) -> String {
        let mut text = String::new();
        for (name, family) in &*self.families() {
            family.render(name, &mut text);
        }
        process::render(self.started, &mut text);
        text
    }

    fn families(&self) -> MutexGuard<'_, BTreeMap<String, Family>> {
        self.families.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Metrics {
    /// With what is true of every gateway.
    fn default() -> Self {
        let metrics = Self {
            started: SystemTime::now(),
            families: Mutex::default(),
        };
        let (version, interface) = (env!("CARGO_PKG_VERSION"), abi::INTERFACE.to_string());
        let labels = [("version", version), ("interface", &interface)];
        let made = || Series::Number(Box::leak(Box::new(AtomicU64::new(1))));
        metrics.series((BUILD, BUILD_HELP, Kind::Gauge), &labels, made);
        metrics
    }
}

impl Kind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

impl Family {
    fn render(&self, name: &str, text: &mut String) {
        let help = self.help.replace('\\', "\\\\").replace('\n', "\\n");
        let kind = self.kind.as_str();
        // Writing to a string cannot fail.
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
        for (labels, series) in &self.series {
            let value = match series {
                Series::Number(number) => number.load(Ordering::Relaxed),
                Series::Sum(sum) => sum.value(),
                Series::Durations(durations) => {
                    durations.render(name, labels, text);
                    continue;
                }
            };
            let _ = writeln!(text, "{name}{} {value}", braced(labels));
        }
    }
}

fn render_labels(labels: &[(&str, &str)]) -> String {
    let escape = |value: &str| {
        value
            .replace('\\', "\\\\")
            .replace('"', "\\\"")
            .replace('\n', "\\n")
    };
    let pairs = labels
        .iter()
        .map(|(name, value)| format!("{name}=\"{}\"", escape(value)));
    pairs.collect::<Vec<_>>().join(",")
}

fn braced(labels: &str) -> String {
    match labels {
        "" => String::new(),
        labels => format!("{{{labels}}}"),
    }
}

const BUILD: &str = "gateway_build_info";
const BUILD_HELP: &str = "Always 1: which release this is, and which interface plugins find.";

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::StatusCode;

    use super::*;

    #[test]
    fn counters_are_rendered_for_prometheus() {
        let metrics = Metrics::default();
        RouteCounters::new(&metrics, "/a\"b").count(StatusCode::NOT_FOUND, Duration::ZERO);
        metrics
            .counter("a_total", "One\nline.", &[])
            .fetch_add(7, Ordering::Relaxed);

        let text = metrics.render();

        assert!(
            text.starts_with("# HELP a_total One\\nline.\n# TYPE a_total counter\na_total 7\n"),
            "{text}"
        );
        for line in [
            "gateway_requests_total{route=\"/a\\\"b\",status=\"4xx\"} 1\n",
            "gateway_requests_total{route=\"/a\\\"b\",status=\"2xx\"} 0\n",
            "# TYPE gateway_request_duration_seconds histogram\n",
            "gateway_request_duration_seconds_count{route=\"/a\\\"b\"} 1\n",
            "process_threads ",
        ] {
            assert!(text.contains(line), "{line}: {text}");
        }
    }

    #[test]
    fn the_same_counter_is_asked_for_twice() {
        let metrics = Metrics::default();

        let first = metrics.counter("a_total", "", &[("b", "c")]);
        let second = metrics.counter("a_total", "", &[("b", "c")]);
        let other = metrics.counter("a_total", "", &[("b", "d")]);

        assert!(std::ptr::eq(first, second) && !std::ptr::eq(first, other));
    }

    #[test]
    fn a_name_is_of_one_kind() {
        let metrics = Metrics::default();
        metrics.counter("a", "", &[]).store(7, Ordering::Relaxed);

        metrics.durations("a", "", &[]).record(Duration::ZERO);

        let text = metrics.render();
        assert!(text.contains("# TYPE a counter\na 7\n"), "{text}");
        assert!(!text.contains("a_bucket"), "{text}");
    }

    #[test]
    fn a_name_that_prometheus_cannot_read_spoils_no_other() {
        let metrics = Metrics::default();
        let nothing_else = metrics.render();

        let counter = metrics.counter("front desk_total", "", &[]);
        counter.fetch_add(1, Ordering::Relaxed);
        metrics.counter("a_total", "", &[("front-desk", "b")]);
        metrics.durations("9_seconds", "", &[]);

        let families = |text: &str| text.lines().filter(|line| line.starts_with('#')).count();
        assert_eq!(families(&metrics.render()), families(&nothing_else));
    }

    #[test]
    fn who_is_present_counts_until_he_goes() {
        let metrics = Metrics::default();
        let traffic = Traffic::new(&metrics);
        let shows = |value| format!("gateway_connections_open {value}\n");

        let present = traffic.connection();
        assert!(metrics.render().contains(&shows(1)));
        drop(present);

        assert!(metrics.render().contains(&shows(0)));
    }

    #[test]
    fn a_refused_configuration_is_seen_until_one_is_accepted() {
        let metrics = Metrics::default();
        let reloads = Reloads::new(&metrics);
        let is_current = || metrics.render().contains("last_reload_successful 1\n");

        reloads.refused();
        assert!(!is_current());
        reloads.done();

        assert!(is_current());
    }
}
