//! Which servers there are, and which of them serves a row now.

mod links;
mod way;

use std::sync::Arc;
use std::{io, ptr};

use abi::storage::{Key, Unavailable};
use redis::RedisError;
use tokio::sync::watch;

pub(super) use self::links::Links;
pub(super) use self::way::Way;
pub(super) use super::cluster::Part;
use super::cluster::{Cluster, Detour};
use super::connect::Address;
use super::link::{Fixed, Line, Patience, Terms};
use super::sentinel::Guarded;
use super::target::{Servers, Target};

/// The servers of one storage.
#[derive(Debug)]
pub(super) enum Deployment {
    Cluster(Cluster),
    Guarded(Guarded),
    Single(Single),
}

/// One server.
#[derive(Debug)]
pub(super) struct Single {
    links: Arc<Links>,
    moved: watch::Sender<u64>,
}

/// Whom a command is for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Aim<'a> {
    /// A master, whatever is on it.
    Part(&'a Part),
    /// The server that decides about this row.
    Row(&'a Key),
}

impl Single {
    fn open(address: &Address, target: &Target, terms: &Terms) -> io::Result<Self> {
        let moved = watch::Sender::default();
        let server = || Fixed::new(address, &moved);
        Ok(Self {
            links: Links::open(target.connections, server, terms)?.into(),
            moved,
        })
    }
}

impl Deployment {
    /// Begins to connect.
    ///
    /// # Errors
    /// When the threads cannot be started.
    pub(super) fn open(target: &Target, terms: &Terms) -> io::Result<Self> {
        match &target.servers {
            Servers::Cluster(seeds) => Cluster::open(seeds, target, terms).map(Self::Cluster),
            Servers::Sentinel(sentinels) => {
                Guarded::open(sentinels, target, terms).map(Self::Guarded)
            }
            Servers::Single(address) => Single::open(address, target, terms).map(Self::Single),
        }
    }

    /// The connection for what is aimed there, other than the `broken` one.
    pub(super) async fn line(
        &self,
        aim: Aim<'_>,
        patience: Patience,
        broken: Option<u64>,
    ) -> Result<Line, Unavailable> {
        match (self, aim) {
            (_, Aim::Part(part)) => part.links().any().line(patience, broken).await,
            (Self::Cluster(cluster), Aim::Row(key)) => cluster.line(key, patience, broken).await,
            (Self::Guarded(guarded), Aim::Row(key)) => {
                guarded.master().of(key).line(patience, broken).await
            }
            (Self::Single(single), Aim::Row(key)) => {
                single.links.of(key).line(patience, broken).await
            }
        }
    }

    /// The connection that both rows are read through, if it is one and there is one now.
    pub(super) fn line_to_both(&self, [first, second]: &[Key; 2]) -> Option<Line> {
        let links = match self {
            Self::Single(single) => &single.links,
            Self::Guarded(guarded) if guarded.replica(first).is_none() => guarded.master(),
            Self::Cluster(_) | Self::Guarded(_) => return None,
        };
        let (link, other) = (links.of(first), links.of(second));
        ptr::eq(link, other).then(|| link.at_once(None))?
    }

    /// The way of one command.
    pub(super) fn way<'a>(&'a self, aim: Aim<'a>, patience: Patience) -> Way<'a> {
        Way::new(self, aim, patience)
    }

    /// Where to go instead, if that is what the answer on `line` says.
    fn detour(&self, error: &RedisError, line: &Line) -> Option<Detour> {
        match self {
            Self::Cluster(cluster) => cluster.detour(error, line),
            Self::Guarded(_) | Self::Single(_) => None,
        }
    }

    /// All masters, each with the rows that are on it.
    pub(super) async fn parts(&self, patience: Patience) -> Result<Vec<Part>, Unavailable> {
        match self {
            Self::Cluster(cluster) => cluster.parts(patience).await,
            Self::Guarded(guarded) => Ok(vec![Part::whole(guarded.master())]),
            Self::Single(single) => Ok(vec![Part::whole(&single.links)]),
        }
    }

    /// A connection to a replica that `key` may be read from. That a row is not there, only the master can say.
    pub(super) fn replica(&self, key: &Key) -> Option<Line> {
        match self {
            Self::Guarded(guarded) => guarded.replica(key),
            Self::Cluster(_) | Self::Single(_) => None,
        }
    }

    /// A row is being or was written: replicas may not have it yet.
    pub(super) fn wrote(&self, key: &Key) {
        match self {
            Self::Guarded(guarded) => guarded.wrote(key),
            Self::Cluster(_) | Self::Single(_) => {}
        }
    }

    /// Counts how often another server has become the master of some rows, or one is back that may have started anew.
    pub(super) fn moved(&self) -> watch::Receiver<u64> {
        match self {
            Self::Cluster(cluster) => cluster.moved(),
            Self::Guarded(guarded) => guarded.moved(),
            Self::Single(single) => single.moved.subscribe(),
        }
    }
}
