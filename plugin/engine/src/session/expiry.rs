//! How long a session lives and when it is due for a new id.
//!
//! The record carries the clocks and every read enforces them; what a storage forgets on its own is only the broom.

use std::time::Duration;

use super::attributes::Attributes;
use super::record::Record;
use super::timestamp::Timestamp;

/// `cookieExpiration` and `autoRenewAfter`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Lifetime {
    life: Duration,
    renew_after: Option<Duration>,
}

impl Lifetime {
    /// A session lives for `life` after its last renewal, which is due after `renew_after`, or never.
    ///
    /// A `renew_after` that is no shorter than `life` is allowed and never comes: the session simply ends.
    pub const fn new(life: Duration, renew_after: Option<Duration>) -> Self {
        Self { life, renew_after }
    }

    /// A record that begins now.
    pub fn begin(&self, attributes: Attributes, now: Timestamp) -> Record {
        Record {
            created_at: now,
            renewed_at: now,
            expires_at: now.after(self.life),
            own_life: None,
            attributes,
        }
    }

    /// The same data with a fresh life. A clock behind the record's does not take back what it already had.
    pub fn renew(&self, record: &Record, now: Timestamp) -> Record {
        let renewed_at = now.max(record.renewed_at);
        let life = record.own_life.unwrap_or(self.life);
        Record {
            renewed_at,
            expires_at: renewed_at.after(life),
            ..record.clone()
        }
    }

    /// Whether the session should get a new id and a fresh life.
    pub fn is_due(&self, record: &Record, now: Timestamp) -> bool {
        self.renew_after
            .is_some_and(|after| now.since(record.renewed_at) >= after)
    }
}

impl Record {
    /// What is left of the life at `now`; `None` when it is over.
    ///
    /// Never more than the life that the last renewal gave: on a gateway whose clock is behind, or was set back, a
    /// session does not gain the difference.
    pub fn remaining(&self, now: Timestamp) -> Option<Duration> {
        let left = self.expires_at.since(now.max(self.renewed_at));
        (!left.is_zero()).then_some(left)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::session::Deltas;

    #[test]
    fn a_session_lives_until_the_last_millisecond_of_its_life() {
        let record = HOURLY.begin(Attributes::default(), START);

        assert_eq!(record.remaining(START), Some(HOUR));
        assert_eq!(
            record.remaining(last_instant()),
            Some(Duration::from_millis(1))
        );
        assert_eq!(record.remaining(START.after(HOUR)), None);
    }

    #[test]
    fn a_session_is_due_for_renewal_from_the_configured_age_on() {
        let record = HOURLY.begin(Attributes::default(), START);

        assert!(!HOURLY.is_due(&record, START.after(HALF - Duration::from_millis(1))));
        assert!(HOURLY.is_due(&record, START.after(HALF)));
    }

    #[test]
    fn a_session_is_never_due_when_renewal_is_off() {
        let lifetime = Lifetime::new(HOUR, None);
        let record = lifetime.begin(Attributes::default(), START);

        assert!(!lifetime.is_due(&record, last_instant()));
    }

    #[test]
    fn renewal_gives_a_fresh_life_and_keeps_the_birthday() {
        let record = HOURLY.begin(Attributes::default(), START);
        let later = START.after(HALF);

        let renewed = HOURLY.renew(&record, later);

        assert_eq!(renewed.created_at(), START);
        assert_eq!(renewed.renewed_at(), later);
        assert_eq!(renewed.expires_at(), later.after(HOUR));
    }

    #[test]
    fn renewal_respects_a_life_of_its_own() {
        let mut deltas = Deltas::new();
        deltas.expire(10 * HOUR, START);
        let record = HOURLY.begin(Attributes::default(), START).merge(&deltas);

        let renewed = HOURLY.renew(&record, START.after(HALF));

        assert_eq!(renewed.expires_at(), START.after(HALF).after(10 * HOUR));
    }

    #[test]
    fn a_session_of_zero_life_is_over_at_once() {
        let record = Lifetime::new(Duration::ZERO, None).begin(Attributes::default(), START);

        assert_eq!(record.remaining(START), None);
    }

    proptest! {
        #[test]
        fn no_clock_gives_more_than_a_whole_life(now in any::<u64>()) {
            let record = HOURLY.begin(Attributes::default(), START);

            prop_assert!(record.remaining(Timestamp::from_millis(now)).unwrap_or_default() <= HOUR);
        }

        #[test]
        fn a_clock_set_back_never_makes_a_session_due(back in 0_u64..=1_000_000) {
            let record = HOURLY.begin(Attributes::default(), START);

            prop_assert!(!HOURLY.is_due(&record, Timestamp::from_millis(START.as_millis() - back)));
        }
    }

    fn last_instant() -> Timestamp {
        START.after(HOUR - Duration::from_millis(1))
    }

    const HOUR: Duration = Duration::from_secs(3600);
    const HALF: Duration = Duration::from_secs(1800);
    const HOURLY: Lifetime = Lifetime::new(HOUR, Some(HALF));
    const START: Timestamp = Timestamp::from_millis(1_000_000);
}
