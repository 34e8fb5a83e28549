//! Whether a clock that leaps forward is to be believed.
//!
//! A wall clock that is hours ahead for a moment, by a mistake of somebody or of a time server, would end every session
//! here and for good, since the time does not run backwards. So what no other clock has seen pass counts only after it
//! has lasted. Nobody gains by that: a session has its time by the pace at which it was given.

use std::fmt;
use std::sync::Mutex;

use tracing::{info, warn};

/// A leap that is not believed yet, if there is one. All times are in milliseconds.
#[derive(Default)]
pub(super) struct Leap(Mutex<Option<Doubt>>);

struct Doubt {
    since: u64,
    /// The least that the clock was ahead all the while.
    least: u64,
}

impl Leap {
    /// How much of a leap by `length` counts, at a time of the monotonic clock. `slept` says how long the machine has
    /// been asleep, as far as that does not count yet: that is no leap.
    pub(super) fn believed(&self, (length, at): (u64, u64), slept: impl FnOnce() -> u64) -> u64 {
        // Somebody else looks at this moment.
        let Ok(mut doubt) = self.0.try_lock() else {
            return 0;
        };
        if length <= SMALL {
            if doubt.take().is_some() {
                info!("the clock of the machine is right again");
            }
            return length;
        }
        let known = doubt.get_or_insert_with(|| Doubt {
            since: at,
            least: u64::MAX,
        });
        let is_news = known.least == u64::MAX;
        known.least = known.least.min(length);
        // Whoever read the clock before the first who looked may look after it.
        let lasted = at.saturating_sub(known.since);
        let (least, has_lasted) = (known.least, lasted >= LASTING);
        if has_lasted {
            info!(
                seconds = least / 1000,
                "the clock of the machine has stayed ahead and is followed"
            );
            *doubt = None;
            return least;
        }
        if !is_news {
            return 0;
        }
        if length <= slept().saturating_add(SMALL) {
            *doubt = None;
            return length;
        }
        warn!(
            seconds = length / 1000,
            "the clock of the machine leapt forward; it is followed if it stays there for a minute"
        );
        0
    }
}

impl fmt::Debug for Leap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Leap(..)")
    }
}

/// No more than clocks of gateways differ.
const SMALL: u64 = 5_000;
/// Longer than it takes somebody, or a time server, to see the mistake.
const LASTING: u64 = 60_000;
