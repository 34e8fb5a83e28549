//! Who guesses passwords has to wait, longer after every guess. Pure: the time is an argument.
//!
//! Guesses are counted three times, because there are three ways to make many:
//!
//! | counted for | catches | free | first wait | longest wait | forgotten after |
//! |---|---|---|---|---|---|
//! | a name from an address | somebody at one login | 5 | 1 s | 15 min | 1 h |
//! | an address | many names, one password each | 50 | 1 s | 1 min | 1 h |
//! | a name | many addresses at one login | 50 | 1 s | 1 min | 1 h |
//!
//! Each guess beyond the free ones doubles the wait. The waits that whole addresses and whole users share stay short:
//! otherwise anybody could lock out anybody else.

mod table;

use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use self::table::{Backoff, Table, Trace};
use crate::session::Timestamp;

/// Remembers guesses, of this gateway, in bounded memory.
#[derive(Debug)]
pub(super) struct Throttle(Mutex<Table>);

/// A guess that may be made. Until it is [right](Self::succeed) it counts as wrong, also when it is never answered: a
/// hundred guesses at once are a hundred guesses.
#[must_use = "a guess that was right and does not say so counts as wrong"]
#[derive(Debug)]
pub(super) struct Guess<'a> {
    throttle: &'a Throttle,
    traces: Traces,
}

/// The counters of a guess.
#[derive(Clone, Copy, Debug)]
struct Traces {
    pair: Trace,
    address: Option<Trace>,
    name: Trace,
}

/// Too many guesses: how long to wait before the next one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Wait(pub(super) Duration);

impl Throttle {
    /// Without memories. At most `most` counters are kept, three of which a guess can need.
    pub(super) fn new(most: usize) -> Self {
        Self(Mutex::new(Table::new(most)))
    }

    /// Asks to guess the password of `name` from `address`. Whoever comes over a unix socket has no address.
    ///
    /// # Errors
    /// When it is too early. That is no guess, and makes the wait no longer.
    pub(super) fn admit(
        &self,
        (name, address): (&str, Option<IpAddr>),
        now: Timestamp,
    ) -> Result<Guess<'_>, Wait> {
        let mut table = self.table();
        let traces = Traces::of(&table, &fold(name), address.map(network));
        let waits = traces.all().map(|(trace, _)| table.wait(trace, now));
        let longest = waits.max().unwrap_or_default();
        if longest > Duration::ZERO {
            return Err(Wait(longest));
        }
        for (trace, backoff) in traces.all() {
            table.count(trace, backoff, now);
        }
        Ok(Guess {
            throttle: self,
            traces,
        })
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Guess<'_> {
    /// It was the password. What the user got wrong before is forgotten; what the address got wrong elsewhere is not,
    /// or a user of one's own would buy any number of guesses at others.
    pub(super) fn succeed(self) {
        let mut table = self.throttle.table();
        table.forget(self.traces.pair);
        table.forget(self.traces.name);
        if let Some(address) = self.traces.address {
            table.take_back(address);
        }
    }

    /// Nobody looked whether it was the password.
    pub(super) fn cancel(self) {
        let mut table = self.throttle.table();
        for (trace, _) in self.traces.all() {
            table.take_back(trace);
        }
    }
}

impl Traces {
    fn of(table: &Table, name: &str, address: Option<IpAddr>) -> Self {
        Self {
            pair: table.trace((0, name, address)),
            address: address.map(|address| table.trace((1, "", Some(address)))),
            name: table.trace((2, name)),
        }
    }

    fn all(self) -> impl Iterator<Item = (Trace, Backoff)> {
        let address = self.address.map(|trace| (trace, SHARED));
        [(self.pair, OWN), (self.name, SHARED)]
            .into_iter()
            .chain(address)
    }
}

/// All spellings of a name that anybody could take for the same: case, width, ligatures, invisible letters, spaces.
fn fold(name: &str) -> String {
    // The mapping of UTS 46 is that for names of hosts, which has the same purpose.
    let (mapped, _) = idna::domain_to_unicode(name);
    let letters = mapped.chars().filter(|letter| !letter.is_whitespace());
    letters.flat_map(char::to_lowercase).collect()
}

/// What one customer of a provider has: an address, or 64 bits of them.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(address) if address.to_ipv4_mapped().is_none() => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::from([a, b, c, d, 0, 0, 0, 0])
        }
        address => address.to_canonical(),
    }
}

const OWN: Backoff = Backoff {
    free: 5,
    longest: Duration::from_secs(15 * 60),
};
const SHARED: Backoff = Backoff {
    free: 50,
    longest: Duration::from_secs(60),
};

#[cfg(test)]
mod tests;
