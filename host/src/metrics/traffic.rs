//! What goes through the gateway.

use std::sync::LazyLock;
use std::time::Duration;

use http::StatusCode;

use super::{Durations, Metrics, Sum};

/// The requests of one route: how many, by class of status, and how long they took.
#[derive(Debug)]
pub struct RouteCounters {
    name: String,
    by_class: [&'static Sum; 5],
    durations: &'static Durations,
}

/// What is going on now.
#[derive(Clone, Copy, Debug)]
pub struct Traffic {
    connections: &'static Sum,
    requests: &'static Sum,
    refused: &'static Sum,
}

/// Somebody who counts for as long as this is kept.
#[derive(Debug)]
pub struct Present(&'static Sum);

impl RouteCounters {
    /// The counters of a route, named by its pattern.
    pub fn new(metrics: &Metrics, name: impl Into<String>) -> Self {
        let name = name.into();
        let by_class = ["1xx", "2xx", "3xx", "4xx", "5xx"].map(|class| {
            metrics.sum(
                REQUESTS,
                REQUESTS_HELP,
                &[("route", &name), ("status", class)],
            )
        });
        let durations = metrics.durations(DURATIONS, DURATIONS_HELP, &[("route", &name)]);
        Self {
            name,
            by_class,
            durations,
        }
    }

    /// The name that was given.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Counts one response, from the end of the request's headers to its own end.
    pub fn count(&self, status: StatusCode, duration: Duration) {
        let class = usize::from(status.as_u16() / 100).clamp(1, 5) - 1;
        self.by_class[class].increment();
        self.durations.record(duration);
    }
}

impl Traffic {
    /// What these metrics show.
    pub fn new(metrics: &Metrics) -> Self {
        Self {
            connections: metrics.gauge(CONNECTIONS, CONNECTIONS_HELP, &[]),
            requests: metrics.gauge(IN_FLIGHT, IN_FLIGHT_HELP, &[]),
            refused: metrics.sum(REFUSED, REFUSED_HELP, &[]),
        }
    }

    /// A connection that is open.
    pub fn connection(&self) -> Present {
        Present::new(self.connections)
    }

    /// A request whose response has not ended.
    pub fn request(&self) -> Present {
        Present::new(self.requests)
    }

    /// A request that was not let in, or what was none.
    pub fn refused(&self) {
        self.refused.increment();
    }
}

/// Shown nowhere.
impl Default for Traffic {
    fn default() -> Self {
        static NOWHERE: LazyLock<Sum> = LazyLock::new(Sum::default);
        Self {
            connections: &NOWHERE,
            requests: &NOWHERE,
            refused: &NOWHERE,
        }
    }
}

impl Present {
    pub(super) fn new(sum: &'static Sum) -> Self {
        sum.increment();
        Self(sum)
    }
}

impl Drop for Present {
    fn drop(&mut self) {
        self.0.decrement();
    }
}

const REQUESTS: &str = "gateway_requests_total";
const REQUESTS_HELP: &str = "Requests by route and class of status.";
const DURATIONS: &str = "gateway_request_duration_seconds";
const DURATIONS_HELP: &str =
    "Time from the end of a request's headers to the end of its response, by route.";
const CONNECTIONS: &str = "gateway_connections_open";
const CONNECTIONS_HELP: &str = "Connections of clients.";
const IN_FLIGHT: &str = "gateway_requests_in_flight";
const IN_FLIGHT_HELP: &str = "Requests whose responses have not ended.";
const REFUSED: &str = "gateway_refused_requests_total";
const REFUSED_HELP: &str =
    "Requests that were not let in: malformed, ambiguous, too large, or in a circle.";
