//! A master and what is on it.

use std::sync::Arc;

use super::routes::Routes;
use super::slot::Slot;
use crate::storage::redis::deployment::Links;
use crate::storage::redis::name::Names;

/// One master, as it was when somebody asked for all.
#[derive(Clone, Debug)]
pub(in crate::storage::redis) struct Part {
    /// None when there is no other master.
    routes: Option<Arc<Routes>>,
    links: Arc<Links>,
}

impl Part {
    /// The only master there is.
    pub(in crate::storage::redis) fn whole(links: &Arc<Links>) -> Self {
        Self {
            routes: None,
            links: Arc::clone(links),
        }
    }

    /// One part for each master that rows can be at. If the prefix has braces, then that is one alone.
    pub(super) fn all(routes: &Arc<Routes>, names: &Names) -> Vec<Self> {
        let part = |links: &Arc<Links>| Self {
            routes: Some(Arc::clone(routes)),
            links: Arc::clone(links),
        };
        match Slot::of_all(names.prefix()) {
            Some(slot) => routes.links_of(slot).into_iter().map(part).collect(),
            None => routes.links().iter().map(part).collect(),
        }
    }

    /// The way to the master.
    pub(in crate::storage::redis) fn links(&self) -> &Links {
        &self.links
    }

    /// Whether what has this name is here.
    pub(in crate::storage::redis) fn holds(&self, name: &str) -> bool {
        self.routes.as_ref().is_none_or(|routes| {
            let links = routes.links_of(Slot::of(name.as_bytes()));
            links.is_some_and(|links| Arc::ptr_eq(links, &self.links))
        })
    }
}
