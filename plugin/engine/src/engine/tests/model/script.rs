//! What is played: a world with its rules and clocks, and what happens in it.

use std::fmt;
use std::time::Duration;

use serde_json::Value;

use super::super::*;

/// A world and its history.
#[derive(Clone, Debug)]
pub(super) struct Script {
    pub(super) world: World,
    pub(super) steps: Vec<Step>,
}

/// What holds for a whole history.
#[derive(Clone, Debug)]
pub(super) struct World {
    /// Of all gateways. The storage to play on knows the keyring.
    pub(super) policy: Policy,
    pub(super) start: Timestamp,
    pub(super) broom: Broom,
    /// How many milliseconds the clock of each gateway is ahead; none, when they agree for ever.
    pub(super) skews: Option<[i64; 3]>,
}

/// When the storage removes a row whose time has run out.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Broom {
    /// To the millisecond.
    Punctual,
    /// Never: the clocks of the record have to do without it.
    Asleep,
    /// By a clock of its own that nobody here moves. What is kept for minutes is there, of the rest nobody knows.
    Remote,
}

/// Something that happens at a gateway, which has a number, or to the clocks. Sessions, ids and snapshots are counted
/// from the latest.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// Time goes by until shortly before, or exactly when, a session is over.
    Approach {
        session: usize,
        short_by: Duration,
    },
    /// Somebody comes with an id that was given once.
    Come {
        at: usize,
        id: usize,
        errand: Errand,
    },
    Create {
        at: usize,
        write: Write,
    },
    /// Somebody who has read a session, just now or long ago, does something to it.
    Do {
        at: usize,
        snapshot: usize,
        deed: Deed,
    },
    /// The clock of a gateway is set.
    Jump {
        at: usize,
        millis: i64,
    },
    List {
        at: usize,
        user: &'static str,
    },
    Pass(Duration),
    RevokeAll {
        at: usize,
        user: &'static str,
    },
    RevokeOne {
        at: usize,
        user: &'static str,
        session: usize,
    },
    /// Somebody comes with an id that no gateway ever gave.
    Stranger {
        at: usize,
        disguise: Disguise,
    },
}

/// What somebody with an id wants.
#[derive(Clone, Copy, Debug)]
pub(super) enum Errand {
    Load,
    Revoke,
    /// What a request does: loads, and then renews or touches if that is due.
    Visit,
}

/// What somebody with a session does.
#[derive(Clone, Debug)]
pub(super) enum Deed {
    Patch(Write),
    Regenerate(Write),
    RevokeOthers,
    Rotate,
    Touch,
}

/// How an id looks that is none.
#[derive(Clone, Copy, Debug)]
pub(super) enum Disguise {
    Random,
    /// The name of the row of a session, counted from the latest.
    RowName(usize),
    RosterName(&'static str),
}

/// Changes in the order in which they were made.
#[derive(Clone, Debug)]
pub(super) struct Write(pub(super) Vec<Change>);

/// One of them.
#[derive(Clone, Debug)]
pub(super) enum Change {
    Delete(String),
    Expire { after: Duration, ago: Duration },
    Set(String, Value),
}

/// A step a line.
impl fmt::Display for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:?}", self.world)?;
        self.steps
            .iter()
            .try_for_each(|step| writeln!(f, "  {step:?}"))
    }
}
