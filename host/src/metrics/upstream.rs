//! What goes on between the gateway and a service behind it.

use std::sync::LazyLock;

use super::{Metrics, Present, Sum};

/// The connections and requests of one service, from all workers.
#[derive(Clone, Copy, Debug)]
pub struct UpstreamCounters {
    opened: &'static Sum,
    reused: &'static Sum,
    failed: &'static Sum,
    requests: &'static Sum,
}

impl UpstreamCounters {
    /// The counters of an endpoint of an action.
    pub fn new(metrics: &Metrics, action: &str, endpoint: &str) -> Self {
        let service = [("action", action), ("endpoint", endpoint)];
        let connections = |outcome| {
            let labels = [service[0], service[1], ("outcome", outcome)];
            metrics.sum(CONNECTIONS, CONNECTIONS_HELP, &labels)
        };
        Self {
            opened: connections("opened"),
            reused: connections("reused"),
            failed: connections("failed"),
            requests: metrics.gauge(IN_FLIGHT, IN_FLIGHT_HELP, &service),
        }
    }

    /// A request got a connection that was opened for it.
    pub fn opened(&self) {
        self.opened.increment();
    }

    /// A request got a connection, or a part of one, that was open already.
    pub fn reused(&self) {
        self.reused.increment();
    }

    /// A request got no connection.
    pub fn failed(&self) {
        self.failed.increment();
    }

    /// A request that is with the service.
    pub fn request(&self) -> Present {
        Present::new(self.requests)
    }
}

/// Shown nowhere.
impl Default for UpstreamCounters {
    fn default() -> Self {
        static NOWHERE: LazyLock<Sum> = LazyLock::new(Sum::default);
        Self {
            opened: &NOWHERE,
            reused: &NOWHERE,
            failed: &NOWHERE,
            requests: &NOWHERE,
        }
    }
}

const CONNECTIONS: &str = "gateway_upstream_connections_total";
const CONNECTIONS_HELP: &str =
    "Connections that requests to a service wanted, by how they got one.";
const IN_FLIGHT: &str = "gateway_upstream_requests_in_flight";
const IN_FLIGHT_HELP: &str =
    "Requests that are with a service, until their answers have been read.";
