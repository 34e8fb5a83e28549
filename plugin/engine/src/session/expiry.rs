//! How long a session lives and when it is due for a new id.
//!
//! The record carries the clocks and every read enforces them; what a storage forgets on its own is only the broom.

use std::time::Duration;

use super::attributes::AttributesRef;
use super::delta::Deltas;
use super::family::Family;
use super::head::Head;
use super::record::Record;
use super::timestamp::Timestamp;

/// The clocks of sessions: what an operator says about their lives.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Lifetime {
    /// `cookieExpiration`: from the last renewal on.
    pub life: Duration,
    /// `autoRenewAfter`: the age at which a session gets a new id; never, when none. No shorter than `life` is
    /// allowed and never comes: the session simply ends.
    pub renew_after: Option<Duration>,
    /// Whether a renewal gives a fresh life: `slidingExpiration`. If not, the end that the login gave stays.
    pub is_sliding: bool,
    /// `expiration`: from the beginning of the session on, whatever happens.
    pub absolute: Option<Duration>,
    /// `inactivity`: from the last use on.
    pub idle: Option<Duration>,
    /// `rememberMe`: for users who asked for it, this takes the place of `life` and, where there is one, of
    /// `absolute`; and they may be idle.
    pub remembered: Option<Duration>,
    /// `touchInterval`: how exactly the last use is known. Each use is written down when the last one that was is
    /// this old.
    pub touch_every: Duration,
}

/// Which clock ended a session.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum End {
    /// It was not renewed in time.
    Life,
    /// It was not used for too long.
    Idle,
    /// It is as old as a session may become.
    Absolute,
}

impl Lifetime {
    /// A session lives for `life` after its last renewal, which is due after `renew_after`, or never; no other clock
    /// runs, and the last use is known to the minute.
    pub const fn new(life: Duration, renew_after: Option<Duration>) -> Self {
        Self {
            life,
            renew_after,
            is_sliding: true,
            absolute: None,
            idle: None,
            remembered: None,
            touch_every: Duration::from_secs(60),
        }
    }

    /// A record that begins now, with nothing in it.
    pub fn begin(&self, family: Family, now: Timestamp) -> Record {
        let head = Head {
            created_at: now,
            renewed_at: now,
            seen_at: now,
            expires_at: now.after(self.life),
            own_life: None,
            family,
            roster: None,
        };
        Record::new(head, AttributesRef::default())
    }

    /// The same data as a session that begins now, because somebody logged in.
    pub fn begin_again(&self, record: &Record, family: Family, now: Timestamp) -> Record {
        let begun = Head {
            created_at: now,
            renewed_at: now,
            seen_at: now,
            expires_at: now.after(self.life_of(record)),
            family,
            roster: None,
            ..record.head()
        };
        Record::new(begun, record.attributes())
    }

    /// The same data with a fresh life. A clock behind the record's does not take back what it already had.
    ///
    /// Nobody was seen with the new id yet, so the record is [unconfirmed](Record::is_confirmed).
    pub fn renew(&self, record: &Record, now: Timestamp) -> Record {
        let renewed_at = now.max(record.seen_at()).max(later(record.created_at()));
        let expires_at = match self.is_sliding {
            true => renewed_at.after(self.life_of(record)),
            false => record.expires_at().max(renewed_at),
        };
        record.clone().with(Head {
            renewed_at,
            seen_at: renewed_at,
            expires_at,
            ..record.head()
        })
    }

    /// The same data for a new id before its time.
    ///
    /// The next renewal is due that much later, so the life is a fresh one where renewals give one and come before its
    /// end: else the end that stayed would come first. Where they do not, it stays.
    pub fn reissue(&self, record: &Record, now: Timestamp) -> Record {
        let life = self.life_of(record);
        let is_renewed = self.renew_after.is_some_and(|after| after < life);
        let reissuing = Self {
            is_sliding: self.is_sliding && is_renewed,
            ..*self
        };
        reissuing.renew(record, now)
    }

    /// The same record, in use.
    pub fn touch(&self, record: &Record, now: Timestamp) -> Record {
        record.clone().with(Head {
            seen_at: now.max(record.seen_at()).max(later(record.renewed_at())),
            ..record.head()
        })
    }

    /// The record with `deltas` applied. A user who asks to be remembered gets the life that goes with it.
    pub fn merge(&self, record: &Record, deltas: &Deltas) -> Record {
        let merged = record.merge(deltas);
        if merged.is_remembered() == record.is_remembered() || merged.own_life().is_some() {
            return merged;
        }
        let head = Head {
            expires_at: merged.renewed_at().after(self.life_of(&merged)),
            ..merged.head()
        };
        merged.with(head)
    }

    /// Whether the session should get a new id and a fresh life.
    pub fn is_due(&self, record: &Record, now: Timestamp) -> bool {
        self.renew_after
            .is_some_and(|after| now.since(record.renewed_at()) >= after)
    }

    /// Whether the use of the session should be written down: the last one is old, or it is the first under this id.
    #[inline]
    pub fn is_touch_due(&self, record: &Record, now: Timestamp) -> bool {
        !record.is_confirmed() || now.since(record.seen_at()) >= self.touch_every
    }

    /// What is left of the session at `now`.
    ///
    /// Never more than the clocks gave when they were last set: on a gateway whose clock is behind, or was set back,
    /// a session does not gain the difference.
    ///
    /// # Errors
    /// When it is over, and which clock ended it.
    pub fn remaining(&self, record: &Record, now: Timestamp) -> Result<Duration, End> {
        let now = now.max(record.seen_at());
        let (ends_at, end) = self.end(record);
        let left = ends_at.since(now);
        if left.is_zero() { Err(end) } else { Ok(left) }
    }

    /// What is left of the session at `now` if it is used all the time: so long has a client to keep its id. A use moves
    /// the idle end, and no client is told.
    pub fn remaining_in_use(&self, record: &Record, now: Timestamp) -> Duration {
        let (ends_at, _) = self.end_in_use(record);
        ends_at.since(now.max(record.seen_at()))
    }

    /// The first instant at which the session is over, if nothing happens to it before.
    pub fn ends_at(&self, record: &Record) -> Timestamp {
        self.end(record).0
    }

    fn end(&self, record: &Record) -> (Timestamp, End) {
        let idle = self
            .idle_of(record)
            .map(|idle| (record.seen_at().after(idle), End::Idle));
        earlier(self.end_in_use(record), idle)
    }

    fn end_in_use(&self, record: &Record) -> (Timestamp, End) {
        let head = record.head();
        let absolute = self
            .absolute_of(record)
            .map(|absolute| (head.created_at.after(absolute), End::Absolute));
        earlier((head.expires_at, End::Life), absolute)
    }

    fn life_of(&self, record: &Record) -> Duration {
        let configured = self.remembered_of(record).unwrap_or(self.life);
        record.own_life().unwrap_or(configured)
    }

    fn absolute_of(&self, record: &Record) -> Option<Duration> {
        let absolute = self.absolute?;
        Some(self.remembered_of(record).unwrap_or(absolute))
    }

    fn idle_of(&self, record: &Record) -> Option<Duration> {
        self.idle.filter(|_| self.remembered_of(record).is_none())
    }

    fn remembered_of(&self, record: &Record) -> Option<Duration> {
        self.remembered.filter(|_| record.is_remembered())
    }
}

fn earlier(one: (Timestamp, End), other: Option<(Timestamp, End)>) -> (Timestamp, End) {
    other.filter(|other| other.0 < one.0).unwrap_or(one)
}

/// The next instant: two events of one session that must be told apart are never at the same.
fn later(than: Timestamp) -> Timestamp {
    than.after(Duration::from_millis(1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::session::Deltas;

    #[test]
    fn a_session_lives_until_the_last_millisecond_of_its_life() {
        let record = begun();

        assert_eq!(HOURLY.remaining(&record, START), Ok(HOUR));
        assert_eq!(
            HOURLY.remaining(&record, last_instant()),
            Ok(Duration::from_millis(1))
        );
        assert_eq!(HOURLY.remaining(&record, START.after(HOUR)), Err(End::Life));
    }

    #[test]
    fn a_session_is_due_for_renewal_from_the_configured_age_on() {
        let record = begun();

        assert!(!HOURLY.is_due(&record, START.after(HALF - Duration::from_millis(1))));
        assert!(HOURLY.is_due(&record, START.after(HALF)));
    }

    #[test]
    fn a_session_is_never_due_when_renewal_is_off() {
        let lifetime = Lifetime::new(HOUR, None);
        let record = lifetime.begin(FAMILY, START);

        assert!(!lifetime.is_due(&record, last_instant()));
    }

    #[test]
    fn renewal_gives_a_fresh_life_and_keeps_the_birthday() {
        let record = begun();
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
        let record = HOURLY.merge(&begun(), &deltas);

        let renewed = HOURLY.renew(&record, START.after(HALF));

        assert_eq!(renewed.expires_at(), START.after(HALF).after(10 * HOUR));
    }

    #[test]
    fn an_idle_session_ends_and_use_keeps_it() {
        let lifetime = Lifetime {
            idle: Some(MINUTE),
            ..HOURLY
        };
        let record = lifetime.begin(FAMILY, START);
        let used = lifetime.touch(&record, START.after(MINUTE / 2));

        assert_eq!(
            lifetime.remaining(&record, START.after(MINUTE)),
            Err(End::Idle)
        );
        assert_eq!(
            lifetime.remaining(&used, START.after(MINUTE)),
            Ok(MINUTE / 2)
        );
    }

    #[test]
    fn an_id_is_worth_keeping_until_no_use_helps_any_more() {
        let lifetime = Lifetime {
            idle: Some(MINUTE),
            absolute: Some(2 * HOUR),
            ..HOURLY
        };
        let record = lifetime.begin(FAMILY, START);
        let aged = lifetime.renew(&record, START.after(HOUR + HALF));

        assert_eq!(lifetime.remaining_in_use(&record, START), HOUR);
        assert_eq!(lifetime.remaining_in_use(&aged, aged.seen_at()), HALF);
    }

    #[test]
    fn nothing_moves_the_absolute_end() {
        let lifetime = Lifetime {
            absolute: Some(2 * HOUR),
            ..HOURLY
        };
        let mut record = lifetime.begin(FAMILY, START);
        for quarter in 1..8 {
            let now = START.after(HOUR / 4 * quarter);
            record = lifetime.touch(&lifetime.renew(&record, now), now);
        }
        let mut deltas = Deltas::new();
        deltas.expire(10 * HOUR, START.after(HOUR));
        record = lifetime.merge(&record, &deltas);

        assert_eq!(lifetime.ends_at(&record), START.after(2 * HOUR));
        assert_eq!(
            lifetime.remaining(&record, START.after(2 * HOUR)),
            Err(End::Absolute)
        );
    }

    #[test]
    fn a_remembered_session_has_a_life_of_its_own_and_may_be_idle() {
        let lifetime = Lifetime {
            remembered: Some(30 * HOUR),
            absolute: Some(2 * HOUR),
            idle: Some(MINUTE),
            ..HOURLY
        };
        let mut asked = Deltas::new();
        asked.set("remember_me", true);
        let record = lifetime.merge(&lifetime.begin(FAMILY, START), &asked);

        let renewed = lifetime.renew(&record, START.after(20 * HOUR));

        assert_eq!(lifetime.remaining(&record, START), Ok(30 * HOUR));
        assert_eq!(lifetime.ends_at(&renewed), START.after(30 * HOUR));
        assert_eq!(
            lifetime.remaining(&renewed, START.after(30 * HOUR)),
            Err(End::Absolute)
        );
    }

    #[test]
    fn remember_me_means_nothing_where_it_is_not_offered() {
        let mut asked = Deltas::new();
        asked.set("remember_me", true);

        let record = HOURLY.merge(&begun(), &asked);

        assert_eq!(HOURLY.remaining(&record, START), Ok(HOUR));
    }

    #[test]
    fn a_renewal_that_does_not_slide_keeps_the_end() {
        let lifetime = Lifetime {
            is_sliding: false,
            ..HOURLY
        };
        let record = lifetime.begin(FAMILY, START);

        let renewed = lifetime.renew(&record, START.after(HALF));

        assert_eq!(renewed.expires_at(), START.after(HOUR));
        assert_eq!(renewed.renewed_at(), START.after(HALF));
    }

    #[test]
    fn another_id_before_its_time_moves_an_end_only_where_a_renewal_would() {
        let ends_at = |lifetime: Lifetime, record: &Record| {
            let moved = lifetime.reissue(record, START.after(MINUTE));
            lifetime.ends_at(&moved)
        };
        let stiff = Lifetime {
            is_sliding: false,
            ..HOURLY
        };
        let bounded = Lifetime {
            absolute: Some(HOUR),
            ..HOURLY
        };
        let mut short = Deltas::new();
        short.expire(HALF, START);
        let short = HOURLY.merge(&begun(), &short);

        assert_eq!(ends_at(HOURLY, &begun()), START.after(MINUTE + HOUR));
        assert_eq!(ends_at(stiff, &begun()), START.after(HOUR));
        assert_eq!(ends_at(bounded, &begun()), START.after(HOUR));
        let never = Lifetime::new(HOUR, None);
        assert_eq!(ends_at(never, &begun()), START.after(HOUR));
        assert_eq!(ends_at(HOURLY, &short), START.after(HALF));
    }

    #[test]
    fn use_is_written_down_once_in_an_interval() {
        let record = begun();

        assert!(!HOURLY.is_touch_due(&record, START.after(MINUTE / 2)));
        assert!(HOURLY.is_touch_due(&record, START.after(MINUTE)));
        let touched = HOURLY.touch(&record, START.after(MINUTE));
        assert!(!HOURLY.is_touch_due(&touched, START.after(MINUTE)));
    }

    #[test]
    fn the_first_use_of_a_new_id_is_written_down_at_once() {
        let renewed = HOURLY.renew(&begun(), START);

        assert!(!renewed.is_confirmed());
        assert!(HOURLY.is_touch_due(&renewed, START));
        let used = HOURLY.touch(&renewed, START);
        assert!(used.is_confirmed());
        assert!(!HOURLY.is_touch_due(&used, START));
    }

    #[test]
    fn a_session_that_never_had_another_id_needs_no_confirmation() {
        assert!(begun().is_confirmed());
    }

    #[test]
    fn a_login_begins_again_with_the_same_data() {
        let mut deltas = Deltas::new();
        deltas.set("cart", 3);
        let record = HOURLY.merge(&begun(), &deltas);

        let later = START.after(HALF);
        let begun = HOURLY.begin_again(&record, Family::new(8), later);

        assert_eq!(
            (begun.created_at(), begun.family()),
            (later, Family::new(8))
        );
        assert_eq!(begun.expires_at(), later.after(HOUR));
        assert_eq!(begun.attributes(), record.attributes());
    }

    #[test]
    fn a_session_of_zero_life_is_over_at_once() {
        let record = Lifetime::new(Duration::ZERO, None).begin(FAMILY, START);

        assert_eq!(HOURLY.remaining(&record, START), Err(End::Life));
    }

    proptest! {
        #[test]
        fn no_clock_gives_more_than_a_whole_life(now in any::<u64>()) {
            let record = begun();

            prop_assert!(HOURLY.remaining(&record, Timestamp::from_millis(now)).unwrap_or_default() <= HOUR);
        }

        #[test]
        fn a_clock_set_back_never_makes_a_session_due(back in 0_u64..=1_000_000) {
            let record = begun();

            prop_assert!(!HOURLY.is_due(&record, Timestamp::from_millis(START.as_millis() - back)));
        }
    }

    fn last_instant() -> Timestamp {
        START.after(HOUR - Duration::from_millis(1))
    }

    fn begun() -> Record {
        HOURLY.begin(FAMILY, START)
    }

    const FAMILY: Family = Family::new(7);
    const HOUR: Duration = Duration::from_secs(3600);
    const MINUTE: Duration = Duration::from_secs(60);
    const HALF: Duration = Duration::from_secs(1800);
    const HOURLY: Lifetime = Lifetime::new(HOUR, Some(HALF));
    const START: Timestamp = Timestamp::from_millis(1_000_000);
}
