//! How long to wait before the next attempt to connect.

use std::time::Duration;

use crate::storage::redis::fault::Remedy;

/// Not at all after a connection that lasted, then doubling from 20 ms to 500 ms, so that a server that restarts is
/// found within half a second, and no gateway storms one that does not. What only an operator can change is tried every
/// other second: whoever changed it waits to see that it helped.
#[derive(Debug, Default)]
pub(in crate::storage::redis) struct Backoff {
    attempts: u32,
}

impl Backoff {
    /// After the connection has worked for a while.
    pub(in crate::storage::redis) fn reset(&mut self) {
        self.attempts = 0;
    }

    pub(in crate::storage::redis) fn next(&mut self, remedy: Remedy) -> Duration {
        let longest = match (remedy, self.attempts) {
            (Remedy::Configure, _) => return jitter(OPERATOR),
            (_, 0) => Duration::ZERO,
            (_, attempts) => FIRST * 2_u32.pow(attempts.min(6) - 1),
        };
        self.attempts = self.attempts.saturating_add(1);
        jitter(longest.min(LONGEST))
    }
}

/// Between half of it and all of it, so that gateways that lost one server do not come back in step.
pub(in crate::storage::redis) fn jitter(longest: Duration) -> Duration {
    let random = getrandom::u32().unwrap_or_default();
    longest / 2 + longest / 2 * (random % 1024) / 1024
}

const FIRST: Duration = Duration::from_millis(20);
const LONGEST: Duration = Duration::from_millis(500);
const OPERATOR: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_grows_and_stays_below_half_a_second() {
        let mut backoff = Backoff::default();

        let waits: Vec<_> = (0..100).map(|_| backoff.next(Remedy::Reconnect)).collect();

        assert_eq!(waits[0], Duration::ZERO);
        assert!((FIRST / 2..=FIRST).contains(&waits[1]));
        assert!(waits[99] >= LONGEST / 2);
        assert!(waits.iter().all(|wait| *wait <= LONGEST));
    }

    #[test]
    fn a_connection_that_worked_starts_over() {
        let mut backoff = Backoff::default();
        for _ in 0..100 {
            backoff.next(Remedy::Reconnect);
        }

        backoff.reset();

        assert_eq!(backoff.next(Remedy::Reconnect), Duration::ZERO);
    }

    #[test]
    fn what_an_operator_has_to_change_is_not_hurried() {
        assert!(Backoff::default().next(Remedy::Configure) >= OPERATOR / 2);
    }
}
