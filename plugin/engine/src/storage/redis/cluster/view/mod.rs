//! What one node of a cluster believes.

use std::collections::HashMap;
use std::ops::RangeInclusive;

use redis::{ParsingError, Value, from_redis_value_ref};

use super::address::told;
use crate::storage::redis::connect::Address;

/// Who serves what, in the eyes of one node. It may be the only one that thinks so.
#[derive(Clone, Debug, Default)]
pub(super) struct View {
    /// Each run of slots and its master.
    pub(super) claims: Vec<Claim>,
    /// The configuration epochs of all nodes it knows.
    pub(super) epochs: HashMap<NodeId, u64>,
    /// Where replicas listen, as far as it knows.
    pub(super) replicas: Vec<Address>,
}

/// That a node is the master of a run of slots.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) struct Claim {
    pub(super) slots: RangeInclusive<u16>,
    pub(super) master: Master,
}

/// A node that serves slots.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) struct Master {
    pub(super) id: NodeId,
    pub(super) address: Address,
    /// Its configuration epoch. Whenever a slot gets another master, that one's epoch is the greatest of all, so of two
    /// claims to a slot the one of the greater epoch is the newer.
    pub(super) epoch: u64,
}

impl Master {
    /// Whether it is the same node at the same address.
    pub(super) fn is(&self, other: &Self) -> bool {
        self.id == other.id && self.address == other.address
    }
}

/// The name that a node gave itself; it keeps it wherever it moves.
pub(super) type NodeId = Box<str>;

impl View {
    /// Reads the answers to `CLUSTER SLOTS`, which knows how clients reach a node, and to `CLUSTER NODES`, which knows
    /// the epochs, from a node that was reached at the host `asked`.
    ///
    /// # Errors
    /// When they are of another shape than the specification's.
    pub(super) fn parse(slots: &Value, nodes: &str, asked: &str) -> Result<Self, ParsingError> {
        let mut view = Self {
            epochs: nodes.lines().filter_map(epoch).collect(),
            ..Self::default()
        };
        for run in from_redis_value_ref::<Vec<Vec<Value>>>(slots)? {
            view.add(&run, asked)?;
        }
        Ok(view)
    }

    /// A run of slots: its ends, its master, its replicas.
    fn add(&mut self, run: &[Value], asked: &str) -> Result<(), ParsingError> {
        let [first, last, master, replicas @ ..] = run else {
            return Err("a run of slots has two ends and a master".into());
        };
        let slots = slot(first)?..=slot(last)?;
        let (id, address) = node(master, asked)?;
        // A master that nobody knows how to reach serves us nothing.
        if let Some(address) = address {
            let epoch = self.epochs.get(&id).copied().unwrap_or_default();
            let master = Master { id, address, epoch };
            self.claims.push(Claim { slots, master });
        }
        for replica in replicas {
            self.replicas.extend(node(replica, asked)?.1);
        }
        Ok(())
    }
}

fn slot(number: &Value) -> Result<u16, ParsingError> {
    let number: i64 = from_redis_value_ref(number)?;
    u16::try_from(number).map_err(|_| "a slot has a small number".into())
}

/// Host, port and name, and in newer servers other ways to reach it.
fn node(node: &Value, asked: &str) -> Result<(NodeId, Option<Address>), ParsingError> {
    let parts: Vec<Value> = from_redis_value_ref(node)?;
    let [host, port, id, ..] = parts.as_slice() else {
        return Err("a node has a host, a port and a name".into());
    };
    let host: Option<String> = from_redis_value_ref(host)?;
    let port = from_redis_value_ref(port)?;
    let id: String = from_redis_value_ref(id)?;
    let address = told(host.as_deref().unwrap_or_default(), port, asked);
    Ok((id.into(), address))
}

/// `<id> <address> <flags> <master> <ping> <pong> <epoch> <link> <slot>...`
fn epoch(line: &str) -> Option<(NodeId, u64)> {
    let mut words = line.split(' ');
    let id = words.next()?;
    let epoch = words.nth(5)?.parse().ok()?;
    Some((id.into(), epoch))
}

#[cfg(test)]
mod tests;
