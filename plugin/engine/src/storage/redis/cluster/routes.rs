//! Who serves what now, with the links to them.

use std::sync::Arc;

use abi::storage::Unavailable;
use tokio::time::Instant;

use super::map::Map;
use super::slot::Slot;
use crate::storage::redis::deployment::Links;

/// A map and a way to each master on it.
#[derive(Debug)]
pub(super) struct Routes {
    map: Map,
    /// In the order of the masters.
    links: Vec<Arc<Links>>,
    cause: Unavailable,
    since: Instant,
}

impl Routes {
    pub(super) fn new(map: Map, links: Vec<Arc<Links>>) -> Self {
        Self {
            map,
            links,
            cause: Unavailable::new("no node of the cluster serves this row"),
            since: Instant::now(),
        }
    }

    /// As long as nothing is known.
    pub(super) fn unknown(cause: Unavailable, since: Instant) -> Self {
        Self {
            cause,
            since,
            ..Self::new(Map::default(), Vec::new())
        }
    }

    pub(super) fn map(&self) -> &Map {
        &self.map
    }

    /// One for each master.
    pub(super) fn links(&self) -> &[Arc<Links>] {
        &self.links
    }

    pub(super) fn since(&self) -> Instant {
        self.since
    }

    /// Why a slot without a master has none.
    pub(super) fn cause(&self) -> Unavailable {
        self.cause.clone()
    }

    /// The way to the slot's master.
    pub(super) fn links_of(&self, slot: Slot) -> Option<&Arc<Links>> {
        self.links.get(self.map.owner(slot)?)
    }

    /// Whether every slot has a master, and we are connected to all of them.
    pub(super) fn is_whole(&self) -> bool {
        self.map.is_complete() && self.links.iter().all(|links| links.are_ready())
    }
}
