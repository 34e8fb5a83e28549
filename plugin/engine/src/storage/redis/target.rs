//! Where rows are, checked: what is only made from a configuration without faults.

use std::num::NonZeroU16;
use std::time::Duration;

use super::connect::{Access, Address};
use super::name::Names;
use super::sentinel::Sentinels;

/// The servers of a storage and how to use them.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) servers: Servers,
    pub(super) access: Access,
    pub(super) names: Names,
    /// For a command as a whole.
    pub(super) timeout: Duration,
    /// To each server.
    pub(super) connections: NonZeroU16,
    /// Whether copies of rows are kept in this process.
    pub(super) is_cached: bool,
}

/// Which servers there are.
#[derive(Clone, Debug)]
pub(super) enum Servers {
    /// Some servers of a Cluster, which know the others.
    Cluster(Vec<Address>),
    Sentinel(Sentinels),
    Single(Address),
}
