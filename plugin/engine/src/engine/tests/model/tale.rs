//! What there is to know about one session: its life, its ids, and for how long the storage was given what.

use std::time::Duration;

use super::super::*;
use super::life::Life;

/// A session from its beginning on.
#[derive(Clone, Debug)]
pub(super) struct Tale {
    pub(super) life: Life,
    pub(super) id: SessionId,
    pub(super) version: u64,
    /// The ids before, the oldest first, that lead to the one it has now.
    pub(super) retired: Vec<Retired>,
    /// Nobody finds it any more.
    pub(super) is_over: bool,
    /// Its row knows, and its roster may not.
    pub(super) is_ghost: bool,
    /// The latest end and the latest use that its roster may ever have heard of.
    pub(super) latest_end: Timestamp,
    pub(super) latest_use: Timestamp,
    pub(super) kept: Kept,
    /// Until then no gateway can have thought it over and taken it off its roster.
    pub(super) named_until: Timestamp,
}

/// An id that a renewal has replaced.
#[derive(Clone, Debug)]
pub(super) struct Retired {
    pub(super) id: SessionId,
    /// The end of the grace.
    pub(super) until: Timestamp,
    pub(super) kept: Kept,
}

/// For how long a row was given to the storage, and when its time runs out there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kept {
    pub(super) time: Duration,
    pub(super) until: Timestamp,
}

/// An instant, by the clocks of a gateway and of the storage, and as it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    pub(super) here: Timestamp,
    pub(super) stored: Timestamp,
    pub(super) truly: Timestamp,
}

/// Whether something is so.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Verdict {
    No,
    /// Gateways may differ, and whoever looks finds out.
    Perhaps,
    Yes,
}

/// Where an id leads.
#[derive(Clone, Copy, Debug)]
pub(super) enum Way {
    Nowhere,
    /// To the session that has it.
    Here(usize),
    /// To the session that has another by now.
    Onward {
        session: usize,
        /// How many renewals ago.
        steps: usize,
        /// Whether the grace of one of them is over.
        is_late: bool,
        /// Whether the storage still knows.
        is_known: Verdict,
    },
}

impl Kept {
    /// A row that is written now.
    pub(super) fn from(moment: Moment, time: Duration) -> Self {
        Self {
            time,
            until: moment.stored.after(time),
        }
    }
}

impl Moment {
    /// Until when, in truth, the clock of this gateway says that a session goes on which has this end.
    pub(super) fn reach(self, end: Timestamp) -> Timestamp {
        match end.since(self.here) {
            Duration::ZERO => Timestamp::default(),
            left => self.truly.after(left),
        }
    }
}
