//! Whether an endpoint is given requests. Workers share it; `now` is an argument, in milliseconds since any moment.
//!
//! Two things speak against an endpoint: checks that fail, and requests that fail one after the other. The second puts
//! it out for a time; then one request tries it, and lets it in again or keeps it out for as long once more.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

/// When an endpoint is put out by requests that fail.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tolerance {
    /// How many have to fail, one after the other. 0: never.
    pub(crate) max_fails: u32,
    /// For how long it is out, and within which time they have to fail. In milliseconds.
    pub(crate) fail_time: u64,
}

/// How many checks have to agree before an endpoint is taken for up or down.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Streak {
    pub(crate) healthy_after: u32,
    pub(crate) unhealthy_after: u32,
}

/// What is known of one endpoint. Until something is, it is up.
#[derive(Debug, Default)]
pub(crate) struct Health {
    fails: AtomicU32,
    last_fail: AtomicU64,
    /// 0, or when a request may try the endpoint that is out.
    out_until: AtomicU64,
    is_down_by_checks: AtomicBool,
    /// Checks in a row that said something else than is believed.
    contradictions: AtomicU32,
    has_been_checked: AtomicBool,
}

/// Whether an endpoint may be given a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Standing {
    /// Any.
    In,
    /// One that can be sent elsewhere if it fails.
    OnTrial,
    /// Any one: none of those came for so long.
    Overdue,
    /// None, unless there is nobody else.
    Out,
}

/// What is worth a line in the log.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Change {
    Up,
    Down,
}

impl Health {
    /// Costs two reads where nothing is wrong; `now` is asked only of an endpoint that is out.
    pub(crate) fn standing(&self, now: impl FnOnce() -> u64, tolerance: Tolerance) -> Standing {
        if self.is_down_by_checks.load(Ordering::Relaxed) {
            return Standing::Out;
        }
        let until = self.out_until.load(Ordering::Relaxed);
        if until == 0 {
            return Standing::In;
        }
        match now().checked_sub(until) {
            None => Standing::Out,
            Some(waited) if waited < tolerance.fail_time => Standing::OnTrial,
            Some(_) => Standing::Overdue,
        }
    }

    /// Takes the one trial there is. Until it has ended, or for as long as the endpoint was out, nobody else gets it.
    pub(crate) fn claim_trial(&self, now: u64, tolerance: Tolerance) -> bool {
        let until = self.out_until.load(Ordering::Relaxed);
        let next = now + tolerance.fail_time;
        until != 0
            && until <= now
            && self
                .out_until
                .compare_exchange(until, next, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
    }

    /// A request was answered.
    pub(crate) fn succeeded(&self) -> Option<Change> {
        // Reads first: what all workers write at every request is slow for all of them.
        if self.fails.load(Ordering::Relaxed) != 0 {
            self.fails.store(0, Ordering::Relaxed);
        }
        let was_out = self.out_until.load(Ordering::Relaxed) != 0
            && self.out_until.swap(0, Ordering::Relaxed) != 0;
        (was_out && !self.is_down_by_checks.load(Ordering::Relaxed)).then_some(Change::Up)
    }

    /// A request failed. `is_last` says whether nobody else is in: the last one is never put out, because there is
    /// nowhere else to go.
    pub(crate) fn failed(
        &self,
        now: u64,
        tolerance: Tolerance,
        is_last: impl FnOnce() -> bool,
    ) -> Option<Change> {
        let last = self.last_fail.swap(now, Ordering::Relaxed);
        if now.saturating_sub(last) > tolerance.fail_time {
            self.fails.store(0, Ordering::Relaxed);
        }
        let fails = self.fails.fetch_add(1, Ordering::Relaxed) + 1;
        let was_out = self.out_until.load(Ordering::Relaxed) != 0;
        if was_out {
            // Its trial, or a request from before it was put out.
            self.out_until
                .fetch_max(now + tolerance.fail_time, Ordering::Relaxed);
            return None;
        }
        if tolerance.max_fails == 0 || fails < tolerance.max_fails || is_last() {
            return None;
        }
        self.out_until
            .store((now + tolerance.fail_time).max(1), Ordering::Relaxed);
        (!self.is_down_by_checks.load(Ordering::Relaxed)).then_some(Change::Down)
    }

    /// A check speaks for this change, or for things as they are. The first one is believed at once.
    pub(crate) fn checked(&self, finding: Change, streak: Streak) -> Option<Change> {
        let is_well = finding == Change::Up;
        let is_first = !self.has_been_checked.swap(true, Ordering::Relaxed);
        let was_down = self.is_down_by_checks.load(Ordering::Relaxed);
        if is_well != was_down {
            self.contradictions.store(0, Ordering::Relaxed);
            return None;
        }
        let contradictions = self.contradictions.fetch_add(1, Ordering::Relaxed) + 1;
        let needed = match is_well {
            true => streak.healthy_after,
            false => streak.unhealthy_after,
        };
        if !is_first && contradictions < needed {
            return None;
        }
        self.contradictions.store(0, Ordering::Relaxed);
        self.is_down_by_checks.store(!is_well, Ordering::Relaxed);
        let is_out = self.out_until.load(Ordering::Relaxed) != 0;
        (!is_out).then_some(finding)
    }

    /// Whether it is given requests as any other.
    pub(crate) fn is_in(&self) -> bool {
        !self.is_down_by_checks.load(Ordering::Relaxed)
            && self.out_until.load(Ordering::Relaxed) == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_in_a_row_put_an_endpoint_out_and_a_trial_lets_it_in_again() {
        let health = Health::default();

        assert_eq!([fail(&health, 1), fail(&health, 2)], [None, None]);
        assert_eq!(standing(&health, 2), Standing::In);
        assert_eq!(fail(&health, 3), Some(Change::Down));

        assert_eq!(standing(&health, 10_002), Standing::Out);
        assert_eq!(standing(&health, 10_003), Standing::OnTrial);
        assert_eq!(standing(&health, 20_003), Standing::Overdue);
        assert!(health.claim_trial(10_003, TOLERANCE) && !health.claim_trial(10_003, TOLERANCE));
        assert_eq!(standing(&health, 10_004), Standing::Out);
        assert_eq!(health.succeeded(), Some(Change::Up));
        assert_eq!(standing(&health, 10_004), Standing::In);
    }

    #[test]
    fn a_failed_trial_keeps_it_out_for_as_long_again() {
        let health = Health::default();
        put_out(&health);

        assert!(health.claim_trial(20_000, TOLERANCE));
        assert_eq!(fail(&health, 21_000), None);

        assert_eq!(standing(&health, 30_999), Standing::Out);
        assert_eq!(standing(&health, 31_000), Standing::OnTrial);
    }

    #[test]
    fn a_trial_that_nobody_ends_is_given_again() {
        let health = Health::default();
        put_out(&health);

        assert!(health.claim_trial(20_000, TOLERANCE));

        assert!(!health.claim_trial(29_999, TOLERANCE));
        assert!(health.claim_trial(30_000, TOLERANCE));
    }

    #[test]
    fn answers_and_time_between_failures_make_them_forgotten() {
        let health = Health::default();

        for now in [1, 2] {
            fail(&health, now);
        }
        health.succeeded();
        assert_eq!([3, 4, 20_000].map(|now| fail(&health, now)), [None; 3]);

        assert_eq!(standing(&health, 20_000), Standing::In);
    }

    #[test]
    fn the_last_one_is_never_put_out() {
        let health = Health::default();

        for now in 1..10 {
            assert_eq!(health.failed(now, TOLERANCE, || true), None);
        }

        assert!(health.is_in());
    }

    #[test]
    fn the_first_check_is_believed_and_then_it_takes_as_many_as_are_wanted() {
        let health = Health::default();
        let check = |finding| health.checked(finding, STREAK);
        let (up, down) = (Change::Up, Change::Down);

        assert_eq!(check(down), Some(down));
        assert_eq!([check(up), check(down), check(up)], [None; 3]);
        assert_eq!(standing(&health, 0), Standing::Out);
        assert_eq!(check(up), Some(up));
        assert_eq!([check(down), check(down)], [None; 2]);
        assert_eq!(check(down), Some(down));
    }

    #[test]
    fn checks_do_not_let_in_what_requests_have_put_out() {
        let health = Health::default();
        put_out(&health);

        for _ in 0..5 {
            assert_eq!(health.checked(Change::Up, STREAK), None);
        }

        assert_eq!(standing(&health, 4), Standing::Out);
    }

    fn fail(health: &Health, now: u64) -> Option<Change> {
        health.failed(now, TOLERANCE, || false)
    }

    fn put_out(health: &Health) {
        for now in 1..=3 {
            fail(health, now);
        }
    }

    fn standing(health: &Health, now: u64) -> Standing {
        health.standing(|| now, TOLERANCE)
    }

    const TOLERANCE: Tolerance = Tolerance {
        max_fails: 3,
        fail_time: 10_000,
    };
    const STREAK: Streak = Streak {
        healthy_after: 2,
        unhealthy_after: 3,
    };
}
