//! A Redis or Valkey Cluster: who serves which row, and what to do when that changes.
//!
//! ```text
//! slot       name -> one of 16384 slots
//! view       what one node believes, from its own mouth
//! map        what to believe after hearing several
//! scout      asks nodes and changes the routes        (the only one that does)
//! board      where the routes hang
//! routes     slot -> links to its master              (what commands read)
//! nodes      the links themselves, one set to each node
//! redirect   what a node answers that is not the one to ask
//! ```
//! Commands go by the routes and follow redirects; they change nothing. Each redirect, and each connection that
//! breaks, is a hint for the scout to look again.

mod address;
mod board;
mod detour;
mod map;
mod nodes;
mod part;
mod redirect;
mod routes;
mod scout;
mod slot;
mod survey;
mod view;

use std::io;
use std::sync::Arc;

use abi::storage::{Key, Unavailable};
use redis::{ErrorKind, RedisError, ServerErrorKind};
use tokio::sync::watch;
use tokio::time::timeout_at;
use tracing::warn;

use self::board::Board;
pub(super) use self::detour::Detour;
use self::nodes::{Hints, Nodes};
pub(super) use self::part::Part;
use self::redirect::Redirect;
use self::routes::Routes;
use self::scout::Scout;
use self::slot::Slot;
use super::connect::Address;
use super::deployment::Links;
use super::link::{Line, Patience, Terms};
use super::name::Names;
use super::target::Target;
use crate::runtime::Task;

/// The masters of a cluster.
#[derive(Debug)]
pub(super) struct Cluster {
    names: Names,
    nodes: Arc<Nodes>,
    routes: watch::Receiver<Arc<Routes>>,
    moved: watch::Receiver<u64>,
    _scout: Task,
}

impl Cluster {
    /// Begins to look for masters, at the `seeds` first.
    ///
    /// # Errors
    /// When the threads cannot be started.
    pub(super) fn open(seeds: &[Address], target: &Target, terms: &Terms) -> io::Result<Self> {
        if Slot::of_all(target.names.prefix()).is_some() {
            warn!("the braces in the prefix keep all rows at one master of the cluster");
        }
        let (hints, heard) = Hints::channel();
        let board = Board::new(target.timeout);
        let nodes = Nodes::new(
            target.connections,
            terms.clone(),
            hints,
            board.moved.clone(),
        );
        let nodes = Arc::new(nodes);
        let (routes, moved) = (board.routes.subscribe(), board.moved.subscribe());
        let scout = Scout::new(seeds.to_vec(), Arc::clone(&nodes), heard, board);
        Ok(Self {
            names: target.names.clone(),
            nodes,
            routes,
            moved,
            _scout: terms.runtime.spawn(scout.run())?,
        })
    }

    /// The connection that serves a row, other than the `broken` one.
    pub(super) async fn line(
        &self,
        key: &Key,
        patience: Patience,
        broken: Option<u64>,
    ) -> Result<Line, Unavailable> {
        let slot = Slot::of(self.names.of(key).as_bytes());
        let links = self.links(slot, patience).await?;
        links.of(key).line(patience, broken).await
    }

    /// Where to go instead, if that is what the answer on `line` says.
    pub(super) fn detour(&self, error: &RedisError, line: &Line) -> Option<Detour> {
        if error.kind() == ErrorKind::Server(ServerErrorKind::ClusterDown) {
            self.nodes.hints().give(&line.server);
        }
        let (address, is_asking) = match Redirect::of(error, &line.server)? {
            Redirect::Ask(address) => (address, true),
            Redirect::Moved(address) => {
                self.nodes.hints().give(&address);
                (address, false)
            }
        };
        Some(Detour {
            links: self.nodes.links(&address).ok()?,
            is_asking,
            patience: Patience::OfOutage(self.nodes.access().limit),
        })
    }

    /// All masters that rows can be at, once every slot has one.
    pub(super) async fn parts(&self, patience: Patience) -> Result<Vec<Part>, Unavailable> {
        let routes = self
            .wait(patience, |routes| routes.map().is_complete())
            .await?;
        Ok(Part::all(&routes, &self.names))
    }

    /// Counts how often another node has become the master of all that one served, or one is back that was lost.
    pub(super) fn moved(&self) -> watch::Receiver<u64> {
        self.moved.clone()
    }

    async fn links(&self, slot: Slot, patience: Patience) -> Result<Arc<Links>, Unavailable> {
        if let Some(links) = self.routes.borrow().links_of(slot) {
            return Ok(Arc::clone(links));
        }
        let found = self.wait(patience, |routes| routes.links_of(slot).is_some());
        let routes = Box::pin(found).await?;
        routes.links_of(slot).cloned().ok_or_else(|| routes.cause())
    }

    async fn wait(
        &self,
        patience: Patience,
        is_found: impl Fn(&Routes) -> bool,
    ) -> Result<Arc<Routes>, Unavailable> {
        let mut routes = self.routes.clone();
        let deadline = patience.deadline(routes.borrow().since());
        let found = routes.wait_for(|routes| is_found(routes));
        match timeout_at(deadline, found).await {
            Ok(Ok(routes)) => Ok(Arc::clone(&routes)),
            Ok(Err(_)) | Err(_) => Err(self.routes.borrow().cause()),
        }
    }
}

#[cfg(test)]
mod tests;
