//! Spreads requests over services that stand in for each other.
//!
//! What is known of a service is shared by all workers; turns, connections and the budget for repetitions are each
//! worker's own, so that a choice takes no lock. A request goes to each endpoint once at most; whether a connection there
//! was worth a second try, its upstream knows.

mod budget;
mod check;
mod choice;
mod group;
mod health;
mod sticky;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use http::header::SET_COOKIE;
use http::{Request, Response};
use tokio::task::JoinSet;

use self::budget::Budget;
use self::choice::Turns;
use self::sticky::{Key, Seat};
use super::attempt::{Delivered, Extent, Failed, Manner, Spare};
use super::{Upstream, UpstreamError, exchange, tunnel};
use crate::body::Body;
use crate::exchange::Exchange;
use crate::hygiene;
use crate::server::Tracker;

pub(crate) use self::check::Check;
pub(crate) use self::choice::Policy;
pub(crate) use self::group::{Group, Retry, Rules};
pub(crate) use self::health::{Streak, Tolerance};
pub(crate) use self::sticky::Sticky;

/// A group, as one worker sees it.
#[derive(Debug)]
pub(crate) struct Balancer {
    group: Arc<Group>,
    upstreams: Box<[Upstream]>,
    turns: Turns,
    seats: Box<[Seat]>,
    budget: Budget,
    // Ends with the balancer. Empty on all workers but one.
    _checks: JoinSet<()>,
}

/// A request on its way from one endpoint to the next.
struct Journey {
    key: Option<Key>,
    manner: Manner,
    /// Whether it may be sent again after somebody may have seen it.
    is_safe: bool,
    /// One bit for each endpoint.
    tried: u64,
    repetitions: u32,
    /// Whether any endpoint may have seen it.
    is_seen: bool,
}

impl Balancer {
    /// `worker` is the number of this worker. The first one that comes has the endpoints checked.
    pub(crate) fn new(group: Arc<Group>, tracker: &Tracker, worker: usize) -> Self {
        let members = group.members.iter();
        let upstreams = members
            .clone()
            .map(|member| Upstream::new(Arc::clone(&member.origin), tracker.clone()));
        let mut checks = JoinSet::new();
        if group.rules.check.is_some() && !group.is_watched.swap(true, Ordering::Relaxed) {
            for number in 0..group.members.len() {
                checks.spawn(check::watch(Arc::clone(&group), number));
            }
        }
        Self {
            upstreams: upstreams.collect(),
            turns: Turns::new(members.clone().map(|member| member.weight), worker),
            seats: members
                .map(|member| Seat::new(&member.name, member.weight))
                .collect(),
            budget: Budget::new(group.rules.retry.percent, group.now()),
            group,
            _checks: checks,
        }
    }

    /// Sends the request of an exchange to one of the endpoints, or to several one after the other.
    ///
    /// # Errors
    /// That of the last endpoint. See [`UpstreamError`].
    pub(crate) async fn send(
        &self,
        exchange: &mut Exchange,
    ) -> Result<Response<Body>, UpstreamError> {
        let sticky = self.group.rules.sticky.as_ref();
        let found = sticky
            .map(|sticky| sticky.find(exchange))
            .unwrap_or_default();
        let request = exchange.take_request();
        let mut response = self.forward(request, found.key).await?;
        if let Some(cookie) = found.cookie {
            response.headers_mut().append(SET_COOKIE, cookie);
        }
        Ok(response)
    }

    async fn forward(
        &self,
        mut request: Request<Body>,
        key: Option<Key>,
    ) -> Result<Response<Body>, UpstreamError> {
        let upgrade = tunnel::Request::take(&mut request);
        exchange::frame(&mut request);
        hygiene::mark(request.headers_mut());
        let asked = request.uri().clone();
        let manner = Manner::of(upgrade.as_ref(), Spare::Keep);
        let mut journey = Journey::new(&request, key, manner);
        // A request that is never sent again is no less lost than one that cannot be.
        journey.is_safe &= self.group.rules.retry.limit > 0;
        self.budget.earn();
        let mut next = self.choose(&journey);
        loop {
            // There is at least one endpoint, and a next one was found where this is not the first.
            let number = next.unwrap_or(0);
            journey.tried |= 1 << number;
            let upstream = &self.upstreams[number];
            upstream.address(&mut request, &asked);
            let attempt = upstream.attempt(request, journey.manner).await;
            let (result, again) = match self.judge(number, attempt) {
                Verdict::Final(result) => {
                    return result.and_then(|it| upstream.finish(it, upgrade));
                }
                Verdict::Again(result, again, extent) => {
                    next = self.next(&mut journey, extent);
                    (result, again)
                }
            };
            match next {
                Some(_) => request = *again,
                None => {
                    let result = result.map_err(|error| journey.conclude(error));
                    return result.and_then(|delivered| upstream.finish(delivered, upgrade));
                }
            }
        }
    }

    /// Takes notice of what came of an attempt.
    fn judge(&self, number: usize, attempt: Result<Delivered, Failed>) -> Verdict {
        match attempt {
            Ok(mut delivered) => {
                let status = delivered.response.status();
                if !self.group.rules.retry.statuses.contains(&status) {
                    self.group.answered(number);
                    return Verdict::Final(Ok(delivered));
                }
                self.group.failed(number, &status);
                match delivered.copy.take() {
                    Some(copy) => Verdict::Again(Ok(delivered), Box::new(copy), Extent::Seen),
                    None => Verdict::Final(Ok(delivered)),
                }
            }
            Err(failed) => {
                if failed.error.is_of_upstream() {
                    self.group.failed(number, &failed.error);
                }
                match failed.request {
                    Some(request) => Verdict::Again(Err(failed.error), request, failed.extent),
                    None => Verdict::Final(Err(failed.error)),
                }
            }
        }
    }

    /// Where a request goes that failed at one endpoint. `None` when it must not, or there is nowhere.
    fn next(&self, journey: &mut Journey, extent: Extent) -> Option<usize> {
        journey.is_seen |= extent != Extent::Untouched;
        if extent == Extent::Untouched {
            return self.choose(journey);
        }
        if !journey.is_safe || journey.repetitions >= self.group.rules.retry.limit {
            return None;
        }
        let next = self.choose(journey)?;
        let counters = &self.group.counters;
        if !self.budget.spend(self.group.now()) {
            counters.over_budget.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        counters.repeated.fetch_add(1, Ordering::Relaxed);
        journey.repetitions += 1;
        Some(next)
    }

    /// The endpoint for a request. Those that are down are left out as long as there is any other; when all are, all
    /// are tried: nothing can be lost by it.
    fn choose(&self, journey: &Journey) -> Option<usize> {
        let standings = self.group.standings(journey.tried);
        let trials = match journey.is_safe {
            true => standings.on_trial | standings.overdue,
            false => standings.overdue,
        };
        if trials != 0
            && let Some(number) = self.trial(journey, standings.allowed, trials)
        {
            return Some(number);
        }
        let allowed = match standings.allowed {
            0 => self.group.everybody() & !journey.tried,
            allowed => allowed,
        };
        let with_room = self.with_room(allowed);
        self.pick(journey, if with_room == 0 { allowed } else { with_room })
    }

    /// An endpoint that is out and may be tried by this request. Where clients stay with endpoints, only one of its
    /// own tries it.
    fn trial(&self, journey: &Journey, allowed: u64, trials: u64) -> Option<usize> {
        let number = match journey.key {
            Some(_) => self.pick(journey, allowed | trials)?,
            None => trials.trailing_zeros() as usize,
        };
        let is_trial = trials & (1 << number) != 0;
        (is_trial && self.group.claim_trial(number)).then_some(number)
    }

    fn pick(&self, journey: &Journey, among: u64) -> Option<usize> {
        let may_be_chosen = |number: usize| among & (1 << number) != 0;
        match (journey.key, self.group.rules.policy) {
            (Some(key), _) => sticky::highest(&self.seats, key, may_be_chosen),
            (None, Policy::RoundRobin) => self.turns.next(may_be_chosen),
            (None, Policy::LeastConnections) => {
                let members = &self.group.members;
                let under_way = |number: usize| members[number].origin.under_way();
                self.turns.least(may_be_chosen, under_way)
            }
        }
    }

    fn with_room(&self, among: u64) -> u64 {
        let members = self.group.members.iter().enumerate();
        let full = members.filter(|(_, member)| !member.origin.has_room());
        full.fold(among, |among, (number, _)| among & !(1 << number))
    }
}

/// What to do after an attempt.
enum Verdict {
    Final(Result<Delivered, UpstreamError>),
    /// The request may be sent again, as far as it is concerned; if it cannot be, this is the end.
    Again(Result<Delivered, UpstreamError>, Box<Request<Body>>, Extent),
}

impl Journey {
    fn new(request: &Request<Body>, key: Option<Key>, manner: Manner) -> Self {
        let is_safe = request.method().is_idempotent() && request.body().is_replayable();
        Self {
            key,
            manner,
            is_safe,
            tried: 0,
            repetitions: 0,
            is_seen: false,
        }
    }

    /// What is to be said when nothing more can be done.
    fn conclude(&self, error: UpstreamError) -> UpstreamError {
        match error {
            error if error.is_of_upstream() && !self.is_seen => {
                UpstreamError::NoneLeft(Box::new(error))
            }
            error => error,
        }
    }
}
