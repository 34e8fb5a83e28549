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
