//! The links to the nodes of a cluster.

use std::collections::HashMap;
use std::num::NonZeroU16;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use abi::storage::Unavailable;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::view::Master;
use crate::storage::redis::connect::{Access, Address};
use crate::storage::redis::deployment::Links;
use crate::storage::redis::fault::Fault;
use crate::storage::redis::link::{Line, Returns, Seek, Terms};

/// Opens links to a node when they are first needed, and closes them when it serves nothing any more.
#[derive(Debug)]
pub(super) struct Nodes {
    connections: NonZeroU16,
    terms: Terms,
    hints: Hints,
    moved: watch::Sender<u64>,
    known: Mutex<HashMap<Address, Known>>,
}

#[derive(Debug)]
struct Known {
    links: Arc<Links>,
    needed_at: Instant,
}

/// Where to say that the cluster may not be what it was.
#[derive(Clone, Debug)]
pub(super) struct Hints(mpsc::Sender<Address>);

// === impl Nodes ===

impl Nodes {
    /// That a node is back that was lost is counted by `moved`.
    pub(super) fn new(
        connections: NonZeroU16,
        terms: Terms,
        hints: Hints,
        moved: watch::Sender<u64>,
    ) -> Self {
        Self {
            connections,
            terms,
            hints,
            moved,
            known: Mutex::default(),
        }
    }

    /// The links to a node.
    ///
    /// # Errors
    /// When there are none yet and the threads cannot be started.
    pub(super) fn links(&self, address: &Address) -> Result<Arc<Links>, Unavailable> {
        let mut known = self.known();
        if let Some(known) = known.get_mut(address) {
            known.needed_at = Instant::now();
            return Ok(Arc::clone(&known.links));
        }
        let links = self.open(address)?;
        let new = Known {
            links: Arc::clone(&links),
            needed_at: Instant::now(),
        };
        known.insert(address.clone(), new);
        Ok(links)
    }

    /// A connection to a node, if there is one now.
    pub(super) fn ready(&self, address: &Address) -> Option<Line> {
        self.known().get(address)?.links.any().ready()
    }

    /// Closes the links to nodes that are none of `masters` and were not needed for longer than `farewell`.
    pub(super) fn keep(&self, masters: &[Master], farewell: Duration) {
        let now = Instant::now();
        self.known().retain(|address, known| {
            if masters.iter().any(|master| master.address == *address) {
                known.needed_at = now;
            }
            now - known.needed_at <= farewell
        });
    }

    /// Closes the links to those of `masters` that are down: others serve what they served.
    pub(super) fn replaced<'a>(&self, masters: impl Iterator<Item = &'a Master>) {
        let mut known = self.known();
        for Master { address, .. } in masters {
            if known
                .get(address)
                .is_some_and(|known| !known.links.are_ready())
            {
                known.remove(address);
            }
        }
    }

    /// How nodes let us in.
    pub(super) fn access(&self) -> &Access {
        &self.terms.access
    }

    pub(super) fn hints(&self) -> &Hints {
        &self.hints
    }

    /// Whoever keeps copies of rows learns that some may come from nodes that serve them no more.
    pub(super) fn gap(&self) {
        if let Some(hearing) = &self.terms.hearing {
            hearing.gap();
        }
    }

    fn open(&self, address: &Address) -> Result<Arc<Links>, Unavailable> {
        let node = || Node {
            address: address.clone(),
            hints: self.hints.clone(),
            returns: Returns::new(&self.moved),
        };
        let links = Links::open(self.connections, node, &self.terms);
        links
            .map(Arc::new)
            .map_err(|error| Unavailable::new(error.to_string()))
    }

    fn known(&self) -> MutexGuard<'_, HashMap<Address, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Hints ===

impl Hints {
    pub(super) fn channel() -> (Self, mpsc::Receiver<Address>) {
        // Those that find no room change nothing: there will be a look anyway.
        let (sender, receiver) = mpsc::channel(8);
        (Self(sender), receiver)
    }

    /// The cluster may have changed, and this node should know.
    pub(super) fn give(&self, address: &Address) {
        let _ = self.0.try_send(address.clone());
    }
}

/// A node at its address. Each attempt to connect is a reason to look who serves its slots.
struct Node {
    address: Address,
    hints: Hints,
    returns: Returns,
}

impl Seek for Node {
    async fn find(&mut self) -> Result<Address, Fault> {
        self.hints.give(&self.address);
        Ok(self.address.clone())
    }

    fn offered(&mut self) {
        self.returns.arrived(&self.address);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::redis::keys::Keys;

    #[tokio::test(start_paused = true)]
    async fn a_node_that_serves_nothing_is_left_when_nothing_is_on_its_way_to_it() {
        let nodes = nodes();
        let (serving, idle) = (Address::tcp("127.0.0.1", 1), Address::tcp("127.0.0.1", 2));
        for address in [&serving, &idle] {
            nodes.links(address).unwrap();
        }
        let masters = [master(&serving)];

        nodes.keep(&masters, FAREWELL);
        assert_eq!(nodes.known().len(), 2);

        tokio::time::advance(FAREWELL + Duration::from_millis(1)).await;
        nodes.keep(&masters, FAREWELL);
        let left: Vec<_> = nodes.known().keys().cloned().collect();
        assert_eq!(left, [serving]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_node_that_commands_are_sent_to_is_kept() {
        let nodes = nodes();
        let importing = Address::tcp("127.0.0.1", 1);

        for _ in 0..3 {
            nodes.links(&importing).unwrap();
            tokio::time::advance(FAREWELL).await;
            nodes.keep(&[], FAREWELL);
        }

        assert_eq!(nodes.known().len(), 1);
    }

    #[tokio::test]
    async fn a_replaced_node_that_is_down_is_left_at_once() {
        let nodes = nodes();
        let dead = Address::tcp("127.0.0.1", 1);
        nodes.links(&dead).unwrap();

        nodes.replaced([master(&dead)].iter());

        assert!(nodes.known().is_empty());
    }

    fn nodes() -> Nodes {
        let access = Access {
            login: redis::RedisConnectionInfo::default(),
            tls: None,
            limit: FAREWELL,
            keys: Keys::Parts,
        };
        let terms = Terms {
            access,
            hearing: None,
            silence: FAREWELL,
            runtime: Arc::default(),
        };
        let (hints, moved) = (Hints::channel().0, watch::Sender::default());
        Nodes::new(NonZeroU16::MIN, terms, hints, moved)
    }

    fn master(address: &Address) -> Master {
        Master {
            id: "id".into(),
            address: address.clone(),
            epoch: 1,
        }
    }

    const FAREWELL: Duration = Duration::from_secs(1);
}
