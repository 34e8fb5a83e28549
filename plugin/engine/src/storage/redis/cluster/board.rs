//! Where everybody reads who serves what now.

use std::sync::Arc;
use std::time::Duration;

use abi::storage::Unavailable;
use tokio::sync::watch;
use tokio::time::Instant;
use tracing::{debug, info, warn};

use super::map::Map;
use super::nodes::Nodes;
use super::routes::Routes;
use super::view::View;

/// The present routes, and how often they were changed by a failover or lead to a node that is back.
pub(super) struct Board {
    pub(super) routes: watch::Sender<Arc<Routes>>,
    pub(super) moved: watch::Sender<u64>,
    /// How long something may be on its way to a node that was left.
    farewell: Duration,
}

impl Board {
    pub(super) fn new(farewell: Duration) -> Self {
        let nothing = Routes::unknown(Unavailable::new("not connected yet"), Instant::now());
        Self {
            routes: watch::Sender::new(Arc::new(nothing)),
            moved: watch::Sender::default(),
            farewell,
        }
    }

    pub(super) fn routes(&self) -> Arc<Routes> {
        Arc::clone(&self.routes.borrow())
    }

    /// Changes the routes if nodes say so, and takes leave of the nodes that serve nothing any more.
    pub(super) fn learn(&self, views: &[View], nodes: &Nodes) {
        let before = self.routes();
        let map = before.map().merge(views);
        if map != *before.map() {
            self.change(map, &before, nodes);
        }
        nodes.keep(self.routes().map().masters(), self.farewell);
    }

    /// No node answers. What was known stays: it is no worse than nothing.
    pub(super) fn despair(&self, cause: &Unavailable) {
        let before = self.routes();
        if before.map().masters().is_empty() {
            let nothing = Routes::unknown(cause.clone(), before.since());
            self.routes.send_replace(Arc::new(nothing));
        }
    }

    fn change(&self, map: Map, before: &Routes, nodes: &Nodes) {
        let links = map
            .masters()
            .iter()
            .map(|master| nodes.links(&master.address));
        let Ok(links) = links.collect::<Result<_, _>>() else {
            return warn!("no threads for connections to new masters");
        };
        let is_other = !map.serves_as(before.map());
        let is_failover = map.replaces_a_master_of(before.map());
        let now = Arc::new(Routes::new(map, links));
        self.routes.send_replace(Arc::clone(&now));
        if is_other {
            // After the change: what was read of the masters before it is not fresh, even if it arrives only now.
            nodes.gap();
            nodes.replaced(before.map().left_by(now.map()));
            report(now.map(), before.map());
        }
        if is_failover {
            self.moved.send_modify(|failovers| *failovers += 1);
        }
    }
}

/// Other masters are news. That a slot moves from one to another happens thousands of times while a cluster grows.
fn report(now: &Map, before: &Map) {
    let masters = now.masters().len();
    let is_news = before
        .left_by(now)
        .chain(now.left_by(before))
        .next()
        .is_some();
    match now.is_complete() {
        false => warn!(masters, "some slots of the cluster have no master"),
        true if is_news || !before.is_complete() => info!(masters, "the masters of the cluster"),
        true => debug!(masters, "slots of the cluster have moved"),
    }
}
