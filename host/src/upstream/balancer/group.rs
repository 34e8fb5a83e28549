//! Services that stand in for each other: what all workers have in common.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use http::StatusCode;
use tokio::time::Instant;
use tracing::{info, warn};

use super::check::Check;
use super::choice::Policy;
use super::health::{Change, Health, Standing, Tolerance};
use super::sticky::Sticky;
use crate::metrics::Metrics;
use crate::upstream::{Endpoint, Origin};

/// Services that stand in for each other.
#[derive(Debug)]
pub(crate) struct Group {
    /// That of the action.
    name: Arc<str>,
    pub(super) members: Box<[Member]>,
    pub(super) rules: Rules,
    pub(super) counters: GroupCounters,
    /// Whether some worker checks the endpoints: one does it for all.
    pub(super) is_watched: AtomicBool,
    // What times are counted from.
    began: Instant,
}

/// How a group is used.
#[derive(Debug)]
pub(crate) struct Rules {
    pub(crate) policy: Policy,
    pub(crate) sticky: Option<Sticky>,
    pub(crate) tolerance: Tolerance,
    pub(crate) check: Option<Check>,
    pub(crate) retry: Retry,
}

/// What is sent again to another endpoint.
#[derive(Debug)]
pub(crate) struct Retry {
    /// How often at most, for what may have been seen. What was not does not count.
    pub(crate) limit: u32,
    /// Answers that are taken for failures.
    pub(crate) statuses: Box<[StatusCode]>,
    /// How many in a hundred requests.
    pub(crate) percent: u32,
}

/// One of a group.
pub(crate) struct Member {
    /// The endpoint as it is written.
    pub(super) name: String,
    pub(super) weight: u32,
    pub(super) origin: Arc<Origin>,
    // Shared with the same endpoint of the configuration before.
    health: Arc<Health>,
    // The action.
    group: Arc<str>,
    counters: MemberCounters,
}

#[derive(Debug)]
pub(super) struct GroupCounters {
    pub(super) repeated: &'static AtomicU64,
    pub(super) over_budget: &'static AtomicU64,
}

struct MemberCounters {
    answered: &'static AtomicU64,
    failed: &'static AtomicU64,
    up: &'static AtomicU64,
    down: &'static AtomicU64,
    passed: &'static AtomicU64,
    missed: &'static AtomicU64,
}

/// The endpoints of a group by what they may be given now. One bit for each.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Standings {
    pub(super) allowed: u64,
    pub(super) on_trial: u64,
    pub(super) overdue: u64,
}

impl Group {
    /// Where they are, in the order in which they are written.
    pub(crate) fn endpoints(&self) -> impl Iterator<Item = &Endpoint> {
        self.members.iter().map(|member| member.origin.endpoint())
    }

    /// `name` is that of the action.
    pub(crate) fn new(
        name: &str,
        origins: impl IntoIterator<Item = (Origin, u32)>,
        rules: Rules,
        metrics: &Metrics,
    ) -> Self {
        let group: Arc<str> = name.into();
        let member = |(origin, weight): (Origin, u32)| {
            let name = origin.endpoint.to_string();
            Member {
                counters: MemberCounters::new(metrics, &group, &name),
                name,
                weight,
                origin: Arc::new(origin.shown(&group, metrics)),
                health: Arc::default(),
                group: Arc::clone(&group),
            }
        };
        let counter = |outcome| {
            metrics.counter(
                RETRIES,
                RETRIES_HELP,
                &[("action", name), ("outcome", outcome)],
            )
        };
        Self {
            members: origins.into_iter().map(member).collect(),
            name: Arc::clone(&group),
            rules,
            counters: GroupCounters {
                repeated: counter("sent"),
                over_budget: counter("over_budget"),
            },
            is_watched: AtomicBool::new(false),
            began: Instant::now(),
        }
    }

    /// Takes over what is known of the endpoints that were in the group `before` too: a reload is no reason to ask again
    /// those that are down.
    #[must_use]
    pub(crate) fn following(mut self, before: Option<&Self>) -> Self {
        let Some(before) = before else {
            return self;
        };
        self.began = before.began;
        for member in &mut self.members {
            let mut known = before.members.iter();
            let Some(known) = known.find(|known| known.name == member.name) else {
                continue;
            };
            member.health = Arc::clone(&known.health);
            if let Some(origin) = Arc::get_mut(&mut member.origin) {
                origin.follow(&known.origin);
            }
        }
        self
    }

    /// The name of the action.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// In milliseconds. Never 0.
    pub(super) fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX - 1) + 1
    }

    /// Who may be given what, of the endpoints that are not among `tried`.
    pub(super) fn standings(&self, tried: u64) -> Standings {
        let mut standings = Standings::default();
        for (number, member) in self.members.iter().enumerate() {
            let bit = 1 << number;
            if tried & bit != 0 {
                continue;
            }
            match member.health.standing(|| self.now(), self.rules.tolerance) {
                Standing::In => standings.allowed |= bit,
                Standing::OnTrial => standings.on_trial |= bit,
                Standing::Overdue => standings.overdue |= bit,
                Standing::Out => {}
            }
        }
        standings
    }

    /// Takes the one trial of an endpoint that is out.
    pub(super) fn claim_trial(&self, number: usize) -> bool {
        let health = &self.members[number].health;
        health.claim_trial(self.now(), self.rules.tolerance)
    }

    /// Every endpoint, whatever is known of it.
    pub(super) fn everybody(&self) -> u64 {
        u64::MAX >> (64 - self.members.len())
    }

    pub(super) fn answered(&self, number: usize) {
        let member = &self.members[number];
        member.counters.answered.fetch_add(1, Ordering::Relaxed);
        if member.health.succeeded() == Some(Change::Up) {
            member.tell(Change::Up, &"a request was answered");
        }
    }

    pub(super) fn failed(&self, number: usize, cause: &dyn fmt::Display) {
        let member = &self.members[number];
        member.counters.failed.fetch_add(1, Ordering::Relaxed);
        let is_last = || {
            let mut others = self.members.iter().enumerate();
            !others.any(|(other, member)| other != number && member.health.is_in())
        };
        let change = member
            .health
            .failed(self.now(), self.rules.tolerance, is_last);
        if let Some(change) = change {
            member.tell(change, cause);
        }
    }
}

impl Member {
    pub(super) fn checked(&self, found: Result<(), impl fmt::Display>, check: &Check) {
        let (counter, finding) = match found {
            Ok(()) => (self.counters.passed, Change::Up),
            Err(_) => (self.counters.missed, Change::Down),
        };
        counter.fetch_add(1, Ordering::Relaxed);
        let change = self.health.checked(finding, check.streak);
        match (change, found) {
            (Some(change), Err(cause)) => self.tell(change, &cause),
            (Some(change), Ok(())) => self.tell(change, &"checks are answered"),
            (None, _) => {}
        }
    }

    fn tell(&self, change: Change, cause: &dyn fmt::Display) {
        let (action, endpoint) = (&*self.group, &*self.name);
        match change {
            Change::Up => {
                self.counters.up.fetch_add(1, Ordering::Relaxed);
                info!(action, endpoint, %cause, "upstream is up");
            }
            Change::Down => {
                self.counters.down.fetch_add(1, Ordering::Relaxed);
                warn!(action, endpoint, %cause, "upstream is down");
            }
        }
    }
}

impl MemberCounters {
    fn new(metrics: &Metrics, action: &str, endpoint: &str) -> Self {
        let counter = |name, help, label, value| {
            let labels = [("action", action), ("endpoint", endpoint), (label, value)];
            metrics.counter(name, help, &labels)
        };
        Self {
            answered: counter(REQUESTS, REQUESTS_HELP, "outcome", "answered"),
            failed: counter(REQUESTS, REQUESTS_HELP, "outcome", "failed"),
            up: counter(CHANGES, CHANGES_HELP, "to", "up"),
            down: counter(CHANGES, CHANGES_HELP, "to", "down"),
            passed: counter(CHECKS, CHECKS_HELP, "outcome", "passed"),
            missed: counter(CHECKS, CHECKS_HELP, "outcome", "failed"),
        }
    }
}

impl fmt::Debug for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Member")
            .field("name", &self.name)
            .field("health", &self.health)
            .finish_non_exhaustive()
    }
}

const REQUESTS: &str = "gateway_upstream_requests_total";
const REQUESTS_HELP: &str =
    "Requests that were given to an endpoint, repetitions included, by what came of them.";
const RETRIES: &str = "gateway_upstream_retries_total";
const RETRIES_HELP: &str =
    "Requests that were to be given to another endpoint after one may have seen them.";
const CHANGES: &str = "gateway_upstream_changes_total";
const CHANGES_HELP: &str = "How often an endpoint was taken for up or down.";
const CHECKS: &str = "gateway_upstream_checks_total";
const CHECKS_HELP: &str = "Health checks, by what came of them.";
