//! Counters, and the text Prometheus reads them in.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use http::StatusCode;

/// All counters of the process. A counter lives for ever, because plugins hold plain references to it; asking for the
/// same one again returns the same one, so a reload costs nothing.
#[derive(Debug, Default)]
pub struct Metrics {
    families: Mutex<BTreeMap<String, Family>>,
}

#[derive(Debug)]
struct Family {
    help: String,
    // By labels as they are written, braces included.
    counters: BTreeMap<String, &'static AtomicU64>,
}

/// The requests of one route, by class of status.
#[derive(Debug)]
pub struct RouteCounters {
    name: String,
    by_class: [&'static AtomicU64; 5],
}

/// How often the configuration was read anew.
#[derive(Debug)]
pub struct Reloads {
    done: &'static AtomicU64,
    refused: &'static AtomicU64,
}

impl Reloads {
    /// The counters.
    pub fn new(metrics: &Metrics) -> Self {
        let counter = |result| metrics.counter(RELOADS, RELOADS_HELP, &[("result", result)]);
        Self {
            done: counter("done"),
            refused: counter("refused"),
        }
    }

    /// Counts one, good or not.
    pub fn count(&self, is_done: bool) {
        let counter = if is_done { self.done } else { self.refused };
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

impl Metrics {
    /// The counter of this name and these labels. By convention names end with `_total`; the help of the first caller
    /// stays.
    pub fn counter(&self, name: &str, help: &str, labels: &[(&str, &str)]) -> &'static AtomicU64 {
        let mut families = self.families.lock().unwrap_or_else(PoisonError::into_inner);
        let family = families.entry(name.to_owned()).or_insert_with(|| Family {
            help: help.to_owned(),
            counters: BTreeMap::new(),
        });
        let counter = family.counters.entry(render_labels(labels));
        counter.or_insert_with(|| Box::leak(Box::default()))
    }

    /// Everything, in the text format of Prometheus 0.0.4.
    pub fn render(&self) -> String {
        let families = self.families.lock().unwrap_or_else(PoisonError::into_inner);
        let mut text = String::new();
        for (name, family) in &*families {
            let help = family.help.replace('\\', "\\\\").replace('\n', "\\n");
            // Writing to a string cannot fail.
            let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} counter");
            for (labels, counter) in &family.counters {
                let _ = writeln!(text, "{name}{labels} {}", counter.load(Ordering::Relaxed));
            }
        }
        text
    }
}

impl RouteCounters {
    /// The counters of a route, named by its pattern.
    pub fn new(metrics: &Metrics, name: impl Into<String>) -> Self {
        let name = name.into();
        let by_class = ["1xx", "2xx", "3xx", "4xx", "5xx"].map(|class| {
            metrics.counter(
                REQUESTS,
                REQUESTS_HELP,
                &[("route", &name), ("status", class)],
            )
        });
        Self { name, by_class }
    }

    /// The name that was given.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Counts one response.
    pub fn count(&self, status: StatusCode) {
        let class = usize::from(status.as_u16() / 100).clamp(1, 5) - 1;
        self.by_class[class].fetch_add(1, Ordering::Relaxed);
    }
}

fn render_labels(labels: &[(&str, &str)]) -> String {
    let escape = |value: &str| {
        value
            .replace('\\', "\\\\")
            .replace('"', "\\\"")
            .replace('\n', "\\n")
    };
    let pairs: Vec<String> = labels
        .iter()
        .map(|(name, value)| format!("{name}=\"{}\"", escape(value)))
        .collect();
    if pairs.is_empty() {
        String::new()
    } else {
        format!("{{{}}}", pairs.join(","))
    }
}

const RELOADS: &str = "gateway_reloads_total";
const RELOADS_HELP: &str = "Configurations that were read anew, by what came of them.";
const REQUESTS: &str = "gateway_requests_total";
const REQUESTS_HELP: &str = "Requests by route and class of status.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_rendered_for_prometheus() {
        let metrics = Metrics::default();
        RouteCounters::new(&metrics, "/a\"b").count(StatusCode::NOT_FOUND);
        metrics
            .counter("a_total", "One\nline.", &[])
            .fetch_add(7, Ordering::Relaxed);

        let text = metrics.render();

        assert!(
            text.starts_with("# HELP a_total One\\nline.\n# TYPE a_total counter\na_total 7\n"),
            "{text}"
        );
        assert!(
            text.contains("gateway_requests_total{route=\"/a\\\"b\",status=\"4xx\"} 1\n"),
            "{text}"
        );
        assert!(
            text.contains("gateway_requests_total{route=\"/a\\\"b\",status=\"2xx\"} 0\n"),
            "{text}"
        );
    }

    #[test]
    fn the_same_counter_is_asked_for_twice() {
        let metrics = Metrics::default();

        let first = metrics.counter("a_total", "", &[("b", "c")]);
        let second = metrics.counter("a_total", "", &[("b", "c")]);
        let other = metrics.counter("a_total", "", &[("b", "d")]);

        assert!(std::ptr::eq(first, second) && !std::ptr::eq(first, other));
    }
}
