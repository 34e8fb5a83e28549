//! How much may be sent again. Without a bound, services that are in trouble get twice the load for it.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

/// The budget of one worker: a share of what is sent, and a little beside it for those who send little.
#[derive(Debug)]
pub(super) struct Budget {
    percent: i64,
    // In hundredths of a repetition. Only this worker's thread ever changes it.
    balance: AtomicI64,
    // In milliseconds.
    filled: AtomicU64,
}

impl Budget {
    /// `percent` of the requests may be sent again.
    pub(super) fn new(percent: u32, now: u64) -> Self {
        Self {
            percent: i64::from(percent),
            balance: AtomicI64::new(RESERVE),
            filled: AtomicU64::new(now),
        }
    }

    /// A request is sent for the first time.
    pub(super) fn earn(&self) {
        self.balance.fetch_add(self.percent, Ordering::Relaxed);
    }

    /// Whether one may be sent again. `now` in milliseconds.
    pub(super) fn spend(&self, now: u64) -> bool {
        let passed = now.saturating_sub(self.filled.swap(now, Ordering::Relaxed));
        let passed = i64::try_from(passed).unwrap_or(i64::MAX);
        let gained = passed.saturating_mul(PER_MILLISECOND);
        let balance = self.balance.load(Ordering::Relaxed);
        let balance = balance.saturating_add(gained).min(RESERVE);
        let is_enough = balance >= ONE;
        let spent = if is_enough { ONE } else { 0 };
        self.balance.store(balance - spent, Ordering::Relaxed);
        is_enough
    }
}

const ONE: i64 = 100;
// Ten a second.
const PER_MILLISECOND: i64 = 1;
// What was under way when a service went away may all be sent again at once.
const RESERVE: i64 = 1000 * ONE;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_a_long_outage_a_share_is_sent_again_and_no_more() {
        let budget = Budget::new(20, 0);
        while budget.spend(0) {}

        let mut again = 0;
        for _ in 0..10_000 {
            budget.earn();
            again += u32::from(budget.spend(0));
        }

        assert_eq!(again, 2_000);
    }

    #[test]
    fn time_alone_gives_ten_a_second_and_no_more_than_the_reserve() {
        let budget = Budget::new(0, 0);
        while budget.spend(0) {}
        let spend_all = |now| (0..).take_while(|_| budget.spend(now)).count();

        assert_eq!(spend_all(1_000), 10);
        assert_eq!(spend_all(1_000_000_000), 1_000);
    }
}
