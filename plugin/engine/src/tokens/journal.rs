//! What happens with providers and tokens, in the log and as numbers.

use abi::{Counter, Services};
use hyper::StatusCode;
use tracing::{debug, warn};

use super::error::Outage;

/// Keeps the log target `session` and the counters of one provider.
#[derive(Debug)]
pub(super) struct Journal {
    provider: String,
    services: Services,
}

impl Journal {
    pub(super) fn new(provider: &str, services: &Services) -> Self {
        Self {
            provider: provider.to_owned(),
            services: services.clone(),
        }
    }

    /// The provider has answered a call.
    pub(super) fn answered(&self, what: &'static str, status: StatusCode) {
        let class = match status.as_u16() {
            200..=299 => "2xx",
            300..=399 => "3xx",
            400..=499 => "4xx",
            _ => "5xx",
        };
        debug!(target: TARGET, event = "provider-answered", provider = self.provider, call = what, status = status.as_u16(), "provider");
        self.calls(what, class).increment();
    }

    /// A call came to nothing, or its answer cannot be used.
    pub(super) fn failed(&self, what: &'static str, outage: &Outage) {
        warn!(target: TARGET, event = "provider-failed", provider = self.provider, call = what, reason = outage.reason(), "{outage}");
        self.calls(what, outage.reason()).increment();
    }

    fn calls(&self, call: &str, outcome: &str) -> Counter {
        let labels = [
            ("provider", &*self.provider),
            ("call", call),
            ("outcome", outcome),
        ];
        let help = "Calls to providers of tokens, by what came of them.";
        self.services
            .counter("session_provider_calls_total", help, &labels)
    }
}

pub(super) const TARGET: &str = "session";
