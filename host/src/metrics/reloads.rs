//! What came of configurations that were read anew.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use super::Metrics;

/// How often the configuration was read anew, and whether the last time went well.
#[derive(Debug)]
pub struct Reloads {
    done: &'static AtomicU64,
    refused: &'static AtomicU64,
    is_current: &'static AtomicU64,
    read_at: &'static AtomicU64,
}

impl Reloads {
    /// The counters of a gateway that has just read its configuration.
    pub fn new(metrics: &Metrics) -> Self {
        let counter = |result| metrics.counter(RELOADS, RELOADS_HELP, &[("result", result)]);
        let reloads = Self {
            done: counter("done"),
            refused: counter("refused"),
            is_current: metrics.level(CURRENT, CURRENT_HELP),
            read_at: metrics.level(READ_AT, READ_AT_HELP),
        };
        reloads.serve();
        reloads
    }

    /// Counts one that serves from now on.
    pub fn done(&self) {
        self.done.fetch_add(1, Ordering::Relaxed);
        self.serve();
    }

    /// Counts one that changes nothing.
    pub fn refused(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
        self.is_current.store(0, Ordering::Relaxed);
    }

    fn serve(&self) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.map_or(0, |since| since.as_secs());
        self.is_current.store(1, Ordering::Relaxed);
        self.read_at.store(now, Ordering::Relaxed);
    }
}

const RELOADS: &str = "gateway_reloads_total";
const RELOADS_HELP: &str = "Configurations that were read anew, by what came of them.";
const CURRENT: &str = "gateway_config_last_reload_successful";
const CURRENT_HELP: &str = "Whether the configuration that was read last is the one that serves.";
const READ_AT: &str = "gateway_config_last_reload_success_timestamp_seconds";
const READ_AT_HELP: &str = "When the configuration that serves was read, since 1970.";
