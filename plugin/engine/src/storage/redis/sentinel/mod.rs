//! A master with replicas, and sentinels that know which server it is.
//!
//! After a failover, the old master may go on acknowledging writes for seconds, and all of them are lost. So nobody
//! waits for an error: all sentinels are asked twice a second, the one that knows of the last failover is believed,
//! and when one says by itself that the master has moved, every connection moves at once.

mod council;
mod guard;
mod progress;
mod recent;
mod replicas;
mod role;
mod seek;

use std::io;
use std::sync::Arc;

use abi::storage::Key;
use tokio::sync::watch;

use self::council::Council;
use self::guard::{Guard, Question};
use self::recent::Recent;
use self::replicas::Replicas;
use super::connect::{Access, Address};
use super::deployment::Links;
use super::link::{Line, Link, Share, Terms};
use super::target::Target;

/// The sentinels of one master, checked.
#[derive(Clone, Debug)]
pub(super) struct Sentinels {
    /// What they call the master.
    pub(super) name: Arc<str>,
    pub(super) addresses: Vec<Address>,
    /// How they let us in, which is not how servers do.
    pub(super) access: Access,
    pub(super) route: Route,
}

/// Where rows are read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Route {
    /// At whichever server answers fastest.
    ByLatency,
    /// At any server, the same one for the same row.
    Randomly,
    /// At the master.
    ToMaster,
}

/// The servers that sentinels guard.
#[derive(Debug)]
pub(super) struct Guarded {
    master: Arc<Links>,
    replicas: Option<Replicas>,
    route: Route,
    recent: Recent,
    council: Council,
    _guards: Vec<Link>,
}

impl Guarded {
    /// Begins to connect to the sentinels, and to the master when one of them has named it.
    ///
    /// # Errors
    /// When the threads cannot be started.
    pub(super) fn open(sentinels: &Sentinels, target: &Target, terms: &Terms) -> io::Result<Self> {
        let council = Council::new(sentinels.addresses.len());
        let progress = Arc::default();
        let master = || seek::Master::new(&council, &progress);
        let replicas = match sentinels.route {
            Route::ToMaster => None,
            Route::ByLatency | Route::Randomly => Some(Replicas::open(&council, &progress, terms)?),
        };
        Ok(Self {
            master: Links::open(target.connections, master, terms)?.into(),
            replicas,
            route: sentinels.route,
            recent: Recent::new(),
            _guards: guards(sentinels, &council, terms)?,
            council,
        })
    }

    /// The connections to the master.
    pub(super) const fn master(&self) -> &Arc<Links> {
        &self.master
    }

    /// A connection to a replica that `key` may be read from. What it says of a row that is there is good; that a row
    /// is not there, only the master can say.
    pub(super) fn replica(&self, key: &Key) -> Option<Line> {
        let replicas = self.replicas.as_ref().filter(|_| !self.recent.has(key))?;
        replicas.line(key, self.route, self.master.of(key).latency())
    }

    /// A row is being or was written: replicas may not have it yet.
    pub(super) fn wrote(&self, key: &Key) {
        if self.replicas.is_some() {
            self.recent.wrote(key);
        }
    }

    /// Counts the failovers that the connections have followed, and their returns to the same master.
    pub(super) fn moved(&self) -> watch::Receiver<u64> {
        self.council.moved()
    }
}

fn guards(sentinels: &Sentinels, council: &Council, terms: &Terms) -> io::Result<Vec<Link>> {
    let terms = Terms {
        access: sentinels.access.clone(),
        hearing: None,
        ..terms.clone()
    };
    let guard = |(seat, sentinel): (usize, &Address)| Guard {
        sentinel: sentinel.clone(),
        seat,
        council: council.clone(),
        question: Question {
            name: Arc::clone(&sentinels.name),
            wants_replicas: sentinels.route != Route::ToMaster,
        },
        is_new: true,
    };
    let guards = sentinels.addresses.iter().enumerate().map(guard);
    guards
        .map(|guard| Link::open(guard, Share::ALL, &terms))
        .collect()
}

#[cfg(test)]
mod tests;
