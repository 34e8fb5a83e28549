//! What time it is. The only file that asks the wall clock; what merely waits has tokio's.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use crate::session::Timestamp;

/// A source of the current time that never runs backwards.
pub trait Clock: Send + Sync + 'static {
    /// The current time.
    fn now(&self) -> Timestamp;
}

/// The clock of the machine, protected against being set back.
///
/// It follows the wall clock forwards. When the wall clock is set back it goes on from where it was, at the pace of
/// the monotonic clock, so that no session lives longer because somebody corrected the time.
#[derive(Debug)]
pub struct SystemClock {
    started: Instant,
    /// The highest difference seen between the wall clock and the time since `started`.
    ahead: AtomicU64,
    /// When the wall clock is looked at next, in milliseconds since `started`. It is asked at every request and almost
    /// never has news.
    next_look: AtomicU64,
}

impl SystemClock {
    /// Starts at the time of the machine.
    pub fn new() -> Self {
        Self {
            started: Instant::now(),
            ahead: AtomicU64::new(wall_clock()),
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
        Timestamp::from_millis(self.reading(elapsed, wall_clock))
    }
}

impl SystemClock {
    /// In milliseconds, as is `elapsed` since it was started.
    fn reading(&self, elapsed: u64, wall_clock: impl FnOnce() -> u64) -> u64 {
        if elapsed >= self.next_look.load(Ordering::Relaxed) {
            let ahead = wall_clock().saturating_sub(elapsed);
            self.ahead.fetch_max(ahead, Ordering::Relaxed);
            self.next_look
                .store(elapsed + LOOK_EVERY, Ordering::Relaxed);
        }
        self.ahead.load(Ordering::Relaxed) + elapsed
    }
}

// In milliseconds: how late the wall clock may be followed when it is set forward.
const LOOK_EVERY: u64 = 100;

fn wall_clock() -> u64 {
    whole_millis(SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default())
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
        const HOUR: u64 = 3_600_000;
        let clock = SystemClock::new();
        let now = wall_clock();

        let ahead = clock.reading(LOOK_EVERY, || now + HOUR);
        let corrected = clock.reading(2 * LOOK_EVERY, || now);
        let forward = clock.reading(3 * LOOK_EVERY, || now + 2 * HOUR);

        assert_eq!(ahead, now + HOUR);
        assert_eq!(corrected, ahead + LOOK_EVERY);
        assert_eq!(forward, now + 2 * HOUR);
    }

    #[test]
    fn the_wall_clock_is_looked_at_now_and_then() {
        let clock = SystemClock::new();
        let nobody = || panic!("it was looked at");

        clock.reading(LOOK_EVERY - 1, nobody);
        clock.reading(LOOK_EVERY, wall_clock);
        clock.reading(2 * LOOK_EVERY - 1, nobody);
    }

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
