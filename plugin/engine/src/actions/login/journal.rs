//! What becomes of logins, in the log and as numbers.

use abi::{Counter, Exchange, Services};
use tracing::field::display;
use tracing::{info, warn};

use super::problem::Problem;

/// Keeps `session_logins_total` and tells of logins on the target `session`, without names: people type passwords into
/// the wrong field.
#[derive(Debug)]
pub(super) struct Journal {
    done: Counter,
    failed: Vec<(&'static str, Counter)>,
}

impl Journal {
    pub(super) fn new(services: &Services) -> Self {
        let counter = |outcome| {
            let help = "Logins by what became of them.";
            services.counter("session_logins_total", help, &[("outcome", outcome)])
        };
        Self {
            done: counter("done"),
            failed: Problem::ALL
                .map(|problem| (problem.code(), counter(problem.code())))
                .into(),
        }
    }

    pub(super) fn done(&self, exchange: &Exchange<'_>) {
        self.done.increment();
        let (peer, request) = (exchange.peer().map(display), exchange.request_id());
        info!(target: TARGET, event = "login", peer, request, "somebody logged in");
    }

    /// At `warn`, with the address: what guards machines against guessing reads logs.
    pub(super) fn failed(&self, problem: Problem, exchange: &Exchange<'_>) {
        let reason = problem.code();
        if let Some((_, counter)) = self.failed.iter().find(|(code, _)| *code == reason) {
            counter.increment();
        }
        let (peer, request) = (exchange.peer().map(display), exchange.request_id());
        warn!(target: TARGET, event = "login-failed", reason, peer, request, "nobody was logged in");
    }
}

pub(super) const TARGET: &str = "session";
