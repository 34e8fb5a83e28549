//! What the log says of an outage: how it begins, each new cause, a sign of life while it lasts, and its end.

use std::time::Duration;

use abi::storage::Unavailable;
use tokio::time::Instant;

/// The time since a connection was lost, or since the first was wanted.
#[derive(Debug)]
pub(in crate::storage::redis) struct Outage {
    pub(in crate::storage::redis) began: Instant,
    /// What was said: causes may take turns.
    causes: Vec<Unavailable>,
    attempts: u32,
    next_sign: Instant,
}

/// What an attempt that failed is worth saying.
#[derive(Debug, Eq, PartialEq)]
pub(in crate::storage::redis) enum News {
    /// It failed for a reason that is new.
    Cause,
    /// Nothing: the reason is known.
    None,
    /// Only that it is still so, after this many attempts.
    Still(u32),
}

impl Outage {
    pub(in crate::storage::redis) fn begin(now: Instant) -> Self {
        Self {
            began: now,
            causes: Vec::new(),
            attempts: 0,
            next_sign: now + SIGN_EVERY,
        }
    }

    /// The connection was lost, or an attempt to connect failed.
    pub(in crate::storage::redis) fn failed(&mut self, cause: &Unavailable, now: Instant) -> News {
        self.attempts = self.attempts.saturating_add(1);
        let is_new = !self.causes.contains(cause);
        if !is_new && now < self.next_sign {
            return News::None;
        }
        self.next_sign = now + SIGN_EVERY;
        if is_new {
            self.causes.push(cause.clone());
            return News::Cause;
        }
        News::Still(self.attempts)
    }

    /// How long it lasted, if anybody was told that it began.
    pub(in crate::storage::redis) fn told(&self, now: Instant) -> Option<Duration> {
        (!self.causes.is_empty()).then(|| now - self.began)
    }
}

const SIGN_EVERY: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_cause_is_news_once_and_then_every_ten_seconds() {
        let start = Instant::now();
        let mut outage = Outage::begin(start);
        let (refused, silent) = (Unavailable::new("refused"), Unavailable::new("silent"));
        let mut failed =
            |cause, seconds| outage.failed(cause, start + Duration::from_secs(seconds));

        assert_eq!(failed(&refused, 0), News::Cause);
        assert_eq!(failed(&refused, 1), News::None);
        assert_eq!(failed(&silent, 2), News::Cause);
        assert_eq!(failed(&silent, 11), News::None);
        assert_eq!(failed(&silent, 12), News::Still(5));
        assert_eq!(failed(&silent, 13), News::None);
        assert_eq!(failed(&silent, 22), News::Still(7));
    }

    #[test]
    fn causes_that_take_turns_are_news_once() {
        let now = Instant::now();
        let mut outage = Outage::begin(now);
        let (refused, silent) = (Unavailable::new("refused"), Unavailable::new("silent"));

        let news = [&refused, &silent, &refused, &silent].map(|cause| outage.failed(cause, now));

        assert_eq!(news, [News::Cause, News::Cause, News::None, News::None]);
    }

    #[test]
    fn the_end_is_told_to_those_who_heard_of_the_beginning() {
        let start = Instant::now();
        let later = start + Duration::from_secs(3);
        let mut outage = Outage::begin(start);

        assert_eq!(outage.told(later), None);
        outage.failed(&Unavailable::new("refused"), start);
        assert_eq!(outage.told(later), Some(Duration::from_secs(3)));
    }
}
