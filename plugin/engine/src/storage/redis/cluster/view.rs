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
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::storage::redis::cluster::address::parse;

    #[test]
    fn the_answers_of_a_server_are_understood() {
        let run = run(
            (0, 5460),
            &[("10.0.0.1", 6379, "aaa"), ("10.0.0.2", 6380, "bbb")],
        );
        let nodes = "\
aaa 10.0.0.1:6379@16379,one.example,shard-id=s myself,master - 0 1795231085000 7 connected 0-5460 [5461-<-bbb]
bbb 10.0.0.2:6380@16380 slave aaa 0 1795231085013 7 disconnected
ccc :0@0 master,noaddr,fail - 0 0 3 disconnected
";

        let view = View::parse(&Value::Array(vec![run]), nodes, "asked").unwrap();

        assert_eq!(view.claims, [claim(0..=5460, "aaa", "10.0.0.1:6379", 7)]);
        assert_eq!(view.replicas, [address("10.0.0.2:6380")]);
        assert_eq!(view.epochs["aaa"], 7);
        assert_eq!(view.epochs["ccc"], 3);
    }

    #[test]
    fn a_node_without_a_host_is_where_the_asked_one_is() {
        let node = Value::Array(vec![Value::Nil, Value::Int(7001), text("aaa")]);
        let run = Value::Array(vec![Value::Int(0), Value::Int(1), node]);

        let view = View::parse(&Value::Array(vec![run]), "", "asked").unwrap();

        assert_eq!(view.claims, [claim(0..=1, "aaa", "asked:7001", 0)]);
    }

    #[test]
    fn a_master_that_cannot_be_reached_claims_nothing() {
        let slots = Value::Array(vec![
            run((0, 1), &[("?", 6379, "aaa")]),
            run((2, 3), &[("h", 6379, "bbb")]),
        ]);

        let view = View::parse(&slots, "", "asked").unwrap();

        assert_eq!(view.claims, [claim(2..=3, "bbb", "h:6379", 0)]);
    }

    #[test]
    fn an_answer_of_another_shape_is_refused() {
        let node = |parts: &[Value]| Value::Array(parts.to_vec());
        let slots = |run: &[Value]| Value::Array(vec![node(run)]);
        for malformed in [
            Value::Int(1),
            slots(&[]),
            slots(&[Value::Int(0), Value::Int(1)]),
            slots(&[Value::Int(0), Value::Int(1), text("host")]),
            slots(&[
                Value::Int(0),
                Value::Int(1),
                node(&[text("host"), Value::Int(1)]),
            ]),
            slots(&[
                Value::Int(-1),
                Value::Int(1),
                node(&[text("host"), Value::Int(1), text("aaa")]),
            ]),
        ] {
            assert!(
                View::parse(&malformed, "", "asked").is_err(),
                "{malformed:?}"
            );
        }
    }

    proptest! {
        #[test]
        fn no_answer_is_more_than_refused(slots in anything(), nodes in ".{0,200}") {
            if let Ok(view) = View::parse(&slots, &nodes, "asked") {
                let addresses = view.claims.iter().map(|claim| &claim.master.address);
                for address in addresses.chain(&view.replicas) {
                    let leads_somewhere = matches!(address, Address::Tcp(host, 1..) if !host.is_empty());
                    prop_assert!(leads_somewhere);
                }
            }
        }
    }

    /// More often than by chance, something like an answer.
    fn anything() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Nil),
            (-2..20_000_i64).prop_map(Value::Int),
            any::<i64>().prop_map(Value::Int),
            "[a-z?.]{0,8}".prop_map(|text| Value::BulkString(text.into())),
            vec(any::<u8>(), 0..8).prop_map(Value::BulkString),
        ];
        leaf.prop_recursive(3, 64, 4, |inner| {
            let node = (inner.clone(), inner.clone(), inner.clone());
            prop_oneof![
                vec(inner, 0..5).prop_map(Value::Array),
                node.prop_map(|(one, two, three)| Value::Array(vec![one, two, three])),
            ]
        })
    }

    fn run((first, last): (i64, i64), nodes: &[(&str, i64, &str)]) -> Value {
        let node = |&(host, port, id): &(&str, i64, &str)| {
            Value::Array(vec![
                text(host),
                Value::Int(port),
                text(id),
                Value::Array(vec![]),
            ])
        };
        let ends = [Value::Int(first), Value::Int(last)];
        Value::Array(ends.into_iter().chain(nodes.iter().map(node)).collect())
    }

    fn claim(slots: RangeInclusive<u16>, id: &str, at: &str, epoch: u64) -> Claim {
        let master = Master {
            id: id.into(),
            address: address(at),
            epoch,
        };
        Claim { slots, master }
    }

    fn address(text: &str) -> Address {
        parse(text, "").unwrap()
    }

    fn text(text: &str) -> Value {
        Value::BulkString(text.into())
    }
}
