//! What happens with providers and tokens, in the log and as numbers.

use abi::{Counter, Services};
use hyper::StatusCode;
use tracing::{debug, info, warn};

use super::error::Outage;
use super::refresh::Outcome;

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

/// What becomes of the tokens of sessions.
#[derive(Debug)]
pub(super) struct RefreshJournal(Services);

impl RefreshJournal {
    pub(super) fn new(services: &Services) -> Self {
        Self(services.clone())
    }

    pub(super) fn landed(&self, provider: &str, outcome: &Outcome) {
        let (name, reason) = (outcome.name(), outcome.reason());
        match outcome {
            Outcome::Failed(_) | Outcome::Unavailable(_) => {
                warn!(target: TARGET, event = "tokens-kept", provider, reason, "no new tokens for a session");
            }
            Outcome::Ended(_) => {
                info!(target: TARGET, event = "tokens-ended", provider, reason, "the provider has ended a session");
            }
            Outcome::Renewed | Outcome::Found | Outcome::Gone => {
                debug!(target: TARGET, event = "tokens-renewed", provider, outcome = name, reason, "tokens of a session");
            }
        }
        let help = "Refreshes of the tokens of sessions, by what came of them.";
        let labels = [
            ("provider", provider),
            ("outcome", name),
            ("reason", reason),
        ];
        self.0
            .counter("session_token_refreshes_total", help, &labels)
            .increment();
    }
}

pub(super) const TARGET: &str = "session";
