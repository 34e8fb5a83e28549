//! What time it is. The only room that asks the wall clock; what merely waits has tokio's.

mod leap;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use self::leap::Leap;
use crate::session::Timestamp;

/// A source of the current time that never runs backwards.
pub trait Clock: Send + Sync + 'static {
    /// The current time.
    fn now(&self) -> Timestamp;
}

/// The clock of the machine, protected against being set back and against a leap.
///
/// It follows the wall clock forwards. When the wall clock is set back it goes on from where it was, at the pace of
/// the monotonic clock, so that no session lives longer because somebody corrected the time. When the wall clock leaps
/// forward by more than some seconds, and the machine was not asleep, it is followed after a minute.
#[derive(Debug)]
pub struct SystemClock {
    started: Instant,
    /// How long the machine had been up, if it says so. This goes on while it sleeps, when `started` stands still.
    up: Option<u64>,
    /// The difference between the wall clock and the time since `started`, at first.
    first: u64,
    /// The highest difference believed.
    ahead: AtomicU64,
    leap: Leap,
    /// When the wall clock is looked at next, in milliseconds since `started`. It is asked at every request and almost
    /// never has news.
    next_look: AtomicU64,
}

impl SystemClock {
    /// Starts at the time of the machine.
    pub fn new() -> Self {
        let first = wall_clock();
        Self {
            started: Instant::now(),
            up: uptime(),
            first,
            ahead: AtomicU64::new(first),
            leap: Leap::default(),
            next_look: AtomicU64::new(LOOK_EVERY),
        }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let elapsed = whole_millis(self.started.elapsed());
        let slept = || self.slept(elapsed);
        Timestamp::from_millis(self.reading(elapsed, (wall_clock, slept)))
    }
}

impl SystemClock {
    /// In milliseconds, as is `elapsed` since it was started.
    fn reading(
        &self,
        elapsed: u64,
        (wall_clock, slept): (impl FnOnce() -> u64, impl FnOnce() -> u64),
    ) -> u64 {
        if elapsed >= self.next_look.load(Ordering::Relaxed) {
            let known = self.ahead.load(Ordering::Relaxed);
            let length = wall_clock().saturating_sub(elapsed).saturating_sub(known);
            // What was slept earlier has been followed.
            let slept = || slept().saturating_sub(known - self.first);
            let believed = self.leap.believed((length, elapsed), slept);
            self.ahead.fetch_max(known + believed, Ordering::Relaxed);
            self.next_look
                .store(elapsed + LOOK_EVERY, Ordering::Relaxed);
        }
        self.ahead.load(Ordering::Relaxed) + elapsed
    }

    /// How long the machine has been asleep since this was started. Nothing where it does not say.
    fn slept(&self, elapsed: u64) -> u64 {
        let up = self.up.zip(uptime());
        up.map_or(0, |(before, now)| {
            now.saturating_sub(before).saturating_sub(elapsed)
        })
    }
}

// In milliseconds: how late the wall clock may be followed when it is set forward.
const LOOK_EVERY: u64 = 100;

fn wall_clock() -> u64 {
    whole_millis(SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default())
}

/// In milliseconds, of what Linux says in seconds with two decimals.
fn uptime() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/uptime").ok()?;
    let (seconds, hundredths) = text.split_ascii_whitespace().next()?.split_once('.')?;
    let seconds: u64 = seconds.parse().ok()?;
    let hundredths: u64 = hundredths.parse().ok()?;
    Some(seconds * 1000 + hundredths * 10)
}

fn whole_millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// A clock that moves when it is told to.
#[derive(Debug)]
pub struct ManualClock(AtomicU64);

impl ManualClock {
    /// Stands still at `start`.
    pub const fn new(start: Timestamp) -> Self {
        Self(AtomicU64::new(start.as_millis()))
    }

    /// Moves forward.
    pub fn advance(&self, by: Duration) {
        self.0.fetch_add(whole_millis(by), Ordering::Relaxed);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::Relaxed))
    }
}

/// How long something takes, for those who look at `/metrics`. Nothing depends on it.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Begins.
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// The time since.
    pub fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_clock_goes_on_at_its_pace_when_the_wall_clock_is_set_back() {
        const SECOND: u64 = 1000;
        let (clock, now) = awake();

        let ahead = clock.reading(LOOK_EVERY, (|| now + SECOND, || 0));
        let corrected = clock.reading(2 * LOOK_EVERY, (|| now, || 0));
        let forward = clock.reading(3 * LOOK_EVERY, (|| now + 2 * SECOND, || 0));

        assert_eq!(ahead, now + SECOND);
        assert_eq!(corrected, ahead + LOOK_EVERY);
        assert_eq!(forward, now + 2 * SECOND);
    }

    #[test]
    fn a_leap_that_is_taken_back_within_a_minute_has_not_been() {
        let (clock, now) = awake();
        for elapsed in (LOOK_EVERY..MINUTE).step_by(1000) {
            let leapt = clock.reading(elapsed, (|| now + elapsed + 3 * HOUR, || 0));
            assert_eq!(leapt, now + elapsed);
        }

        let corrected = clock.reading(MINUTE, (|| now + MINUTE, || 0));
        let again = clock.reading(2 * MINUTE, (|| now + 2 * MINUTE + HOUR, || 0));

        assert_eq!(corrected, now + MINUTE);
        assert_eq!(again, now + 2 * MINUTE, "it begins anew");
    }

    #[test]
    fn a_leap_that_lasts_for_a_minute_is_followed_as_far_as_it_lasted() {
        let (clock, now) = awake();
        clock.reading(LOOK_EVERY, (|| now + 3 * HOUR, || 0));
        clock.reading(HALF, (|| now + HALF + HOUR, || 0));

        let at = LOOK_EVERY + MINUTE;
        let followed = clock.reading(at, (|| now + at + 3 * HOUR, || 0));

        assert_eq!(followed, now + at + HOUR);
    }

    #[test]
    fn time_that_the_machine_has_slept_counts_at_once() {
        let (clock, now) = awake();

        let woken = clock.reading(LOOK_EVERY, (|| now + HOUR, || HOUR - 10));

        assert_eq!(woken, now + HOUR);
    }

    #[test]
    fn time_that_was_slept_once_excuses_one_leap() {
        let (clock, now) = awake();
        clock.reading(LOOK_EVERY, (|| now + HOUR, || HOUR - 10));

        let at = 2 * LOOK_EVERY;
        let leapt = clock.reading(at, (|| now + at + 2 * HOUR, || HOUR - 10));

        assert_eq!(leapt, now + HOUR + LOOK_EVERY);
    }

    #[test]
    fn who_looks_late_with_an_earlier_time_makes_no_leap_last() {
        let leap = Leap::default();

        assert_eq!(leap.believed((3 * HOUR, 1000), || 0), 0);
        assert_eq!(leap.believed((3 * HOUR, 999), || 0), 0);
    }

    #[test]
    fn the_machine_knows_how_long_it_is_up_and_that_it_has_not_slept() {
        let clock = SystemClock::new();

        assert!(clock.up.is_some());
        assert!(clock.slept(whole_millis(clock.started.elapsed())) < 1000);
    }

    #[test]
    fn the_wall_clock_is_looked_at_now_and_then() {
        let clock = SystemClock::new();
        let nobody = || panic!("it was looked at");

        clock.reading(LOOK_EVERY - 1, (nobody, nobody));
        clock.reading(LOOK_EVERY, (wall_clock, || 0));
        clock.reading(2 * LOOK_EVERY - 1, (nobody, nobody));
    }

    /// A clock, and what it showed when it was started.
    fn awake() -> (SystemClock, u64) {
        let clock = SystemClock::new();
        let now = clock.ahead.load(Ordering::Relaxed);
        (clock, now)
    }

    const HALF: u64 = 30_000;
    const MINUTE: u64 = 60_000;
    const HOUR: u64 = 3_600_000;

    #[test]
    fn the_system_clock_knows_the_year() {
        let year_2020 = Timestamp::from_millis(1_577_836_800_000);

        assert!(SystemClock::new().now() > year_2020);
    }

    #[test]
    fn the_manual_clock_moves_only_when_told() {
        let clock = ManualClock::new(Timestamp::from_millis(5));

        assert_eq!(clock.now(), clock.now());
        clock.advance(Duration::from_millis(3));
        assert_eq!(clock.now(), Timestamp::from_millis(8));
    }
}
