//! Several connections to one server.

use std::io;
use std::num::NonZeroU16;

use abi::storage::Key;

use crate::storage::redis::link::{Link, Seek, Share, Terms, index};

/// As many links as are configured. Each carries its share of the keys.
#[derive(Debug)]
pub(crate) struct Links(Box<[Link]>);

impl Links {
    /// Opens `connections` links, each to what a `seek` of its own finds.
    ///
    /// # Errors
    /// When the threads cannot be started.
    pub(crate) fn open<S: Seek>(
        connections: NonZeroU16,
        seek: impl Fn() -> S,
        terms: &Terms,
    ) -> io::Result<Self> {
        let shares = Share::split(connections.get().into());
        shares
            .map(|share| Link::open(seek(), share, terms))
            .collect::<io::Result<_>>()
            .map(Self)
    }

    /// The link that carries `key`.
    pub(crate) fn of(&self, key: &Key) -> &Link {
        let index = index(key, self.0.len() as u64);
        &self.0[usize::try_from(index).unwrap_or_default()]
    }

    /// Whether all of them are up.
    pub(crate) fn are_ready(&self) -> bool {
        self.0.iter().all(|link| link.ready().is_some())
    }

    /// Any one, for what is no row.
    pub(crate) fn any(&self) -> &Link {
        &self.0[0]
    }
}
