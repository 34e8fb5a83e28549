//! A real cluster, and what can happen to it.

mod bench;
mod conformance;

use abi::storage::{Expected, Loaded, Written};

use self::bench::{Bench, key, row};

#[test]
fn rows_are_where_their_slots_are() {
    let bench = Bench::start();
    let storage = bench.storage();

    for seed in 0..64 {
        assert_eq!(
            storage.write(key(seed), Expected::Absent, row(1)),
            Written::Done
        );
    }

    for node in 0..3 {
        let rows: u64 = bench.cluster.node(node).ask(&["DBSIZE"]);
        assert!(rows > 0, "none at node {node}");
    }
    for seed in 0..64 {
        assert_eq!(storage.load(key(seed)), Loaded::Found(row(1)));
    }
}
