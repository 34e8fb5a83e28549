//! Which servers there are, and which of them serves a row now.

mod links;

use std::io;

use abi::storage::{Key, Unavailable};
use tokio::sync::watch;

pub(super) use self::links::Links;
use super::link::{Fixed, Line, Patience, Terms};
use super::target::{Servers, Target};

/// The servers of one storage.
#[derive(Debug)]
pub(super) enum Deployment {
    Single(Single),
}

/// One server.
#[derive(Debug)]
pub(super) struct Single {
    links: Links,
    moved: watch::Sender<u64>,
}

/// Whom a command is for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Aim<'a> {
    /// The master of this number, counted from 0.
    #[expect(dead_code, reason = "there is only one without a Cluster")]
    Master(usize),
    /// The server that decides about this row.
    Row(&'a Key),
}

impl Deployment {
    /// Begins to connect.
    ///
    /// # Errors
    /// When the threads cannot be started.
    pub(super) fn open(target: &Target, terms: &Terms) -> io::Result<Self> {
        match &target.servers {
            Servers::Cluster(_) => Err(io::ErrorKind::Unsupported.into()),
            Servers::Single(address) => Ok(Self::Single(Single {
                links: Links::open(target.connections, || Fixed(address.clone()), terms)?,
                moved: watch::Sender::default(),
            })),
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
            (Self::Single(single), Aim::Row(key)) => {
                single.links.of(key).line(patience, broken).await
            }
            (Self::Single(single), Aim::Master(_)) => {
                single.links.any().line(patience, broken).await
            }
        }
    }

    /// How many servers rows are written to.
    pub(super) fn masters(&self) -> usize {
        match self {
            Self::Single(_) => 1,
        }
    }

    /// Counts how often another server has become the master of some rows.
    pub(super) fn moved(&self) -> watch::Receiver<u64> {
        match self {
            Self::Single(single) => single.moved.subscribe(),
        }
    }
}
