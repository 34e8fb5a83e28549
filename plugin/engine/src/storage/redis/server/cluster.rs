//! A Cluster of three masters, each with a replica.

use redis::Value;
use serde_json::json;

use super::process::Role;
use super::setup::{HARNESS, Setup};
use super::single::{RedisServer, free_port, patient};
use super::until;
use crate::storage::RedisConfig;

/// Six nodes that agree on who serves which of 16384 slots.
#[derive(Debug)]
pub struct RedisCluster {
    nodes: Vec<RedisServer>,
    setup: Setup,
}

/// A slot on its way to another node. Between the steps the Cluster answers with `ASK`.
#[derive(Debug)]
pub struct Migration<'a> {
    cluster: &'a RedisCluster,
    slot: u16,
    from: usize,
    to: usize,
}

impl RedisCluster {
    /// A Cluster that lets everybody in.
    ///
    /// # Panics
    /// When the nodes do not start, or do not agree.
    #[track_caller]
    pub fn start() -> Self {
        Self::with(Setup::default())
    }

    /// A Cluster whose nodes are as the test wants them. Nodes 0 to 2 are the masters, in the order of their slots, 3
    /// to 5 their replicas.
    ///
    /// # Panics
    /// When the nodes do not start, or do not agree.
    #[track_caller]
    pub fn with(setup: Setup) -> Self {
        let cluster = Self {
            nodes: (0..6).map(|_| node(&setup)).collect(),
            setup,
        };
        cluster.share_slots();
        cluster.meet();
        for (replica, master) in (3..6).zip(0..3) {
            let id = cluster.id(master);
            cluster.nodes[replica].ask::<()>(&["CLUSTER", "REPLICATE", &id]);
        }
        until("replicas in step with their masters", || cluster.is_whole());
        cluster
    }

    /// The nodes, also those that were killed.
    pub fn nodes(&mut self) -> &mut [RedisServer] {
        &mut self.nodes
    }

    /// One of the nodes.
    ///
    /// # Panics
    /// When there is none of this number.
    #[track_caller]
    pub fn node(&self, number: usize) -> &RedisServer {
        &self.nodes[number]
    }

    /// The slot of a key.
    #[track_caller]
    pub fn slot(&self, key: &str) -> u16 {
        self.witness().ask(&["CLUSTER", "KEYSLOT", key])
    }

    /// The number of the node that serves a slot, in the view of the others.
    ///
    /// # Panics
    /// When no node does.
    #[track_caller]
    pub fn owner(&self, slot: u16) -> usize {
        let port = self.owner_in(self.witness(), slot);
        let port = port.expect("a master for every slot");
        let at = |node: &RedisServer| node.address().port() == port;
        self.nodes.iter().position(at).expect("a node of ours")
    }

    /// Waits until all running nodes agree that another node than `old` serves the slot.
    ///
    /// # Panics
    /// When that does not happen.
    #[track_caller]
    pub fn wait_for_failover(&self, slot: u16, old: usize) -> usize {
        let port = self.nodes[old].address().port();
        until("another owner of the slot", || {
            let mut owners = self.running().map(|node| self.owner_in(node, slot));
            owners.all(|owner| owner.is_some_and(|owner| owner != port))
        });
        self.owner(slot)
    }

    /// Waits until the replica of a master has what the master was told by now. Replicas follow a moment later, and one
    /// that has just been linked is told nothing until its first acknowledgement.
    ///
    /// # Panics
    /// When that does not happen.
    #[track_caller]
    pub fn wait_for_replica(&self, master: usize) {
        let told = || self.nodes[master].ask::<String>(&["INFO", "replication"]);
        let offset_at = |text: &str, mark: &str| {
            let (_, rest) = text.split_once(mark)?;
            let digits = rest.split(|digit: char| !digit.is_ascii_digit()).next();
            digits.and_then(|digits| digits.parse::<u64>().ok())
        };
        let goal = offset_at(&told(), "master_repl_offset:").expect("the offset of a master");
        until("a replica that keeps up", || {
            let at_replica = offset_at(&told(), ",offset=");
            at_replica.is_some_and(|offset| offset >= goal)
        });
    }

    /// Begins to move a slot to another master: keys that are there still are, new ones belong to `to`.
    ///
    /// # Panics
    /// When `to` is no master, or has the slot.
    #[track_caller]
    pub fn migrate(&self, slot: u16, to: usize) -> Migration<'_> {
        let from = self.owner(slot);
        let migration = Migration {
            cluster: self,
            slot,
            from,
            to,
        };
        migration.set_slot(to, "IMPORTING", from);
        migration.set_slot(from, "MIGRATING", to);
        migration
    }

    /// What `storages.yaml` has to say to reach it.
    pub fn settings(&self) -> serde_json::Value {
        let mut settings = self.setup.credentials();
        let seeds = self.nodes.iter().map(|node| node.address().to_string());
        settings.insert("mode".into(), "cluster".into());
        settings.insert("host".into(), json!(seeds.collect::<Vec<_>>()));
        settings.into()
    }

    /// [`settings`](Self::settings) with all the patience that a busy machine may ask for.
    ///
    /// # Panics
    /// When the settings are not those of [`RedisConfig`].
    #[track_caller]
    pub fn config(&self) -> RedisConfig {
        patient(self.settings())
    }

    #[track_caller]
    fn share_slots(&self) {
        for (number, node) in self.nodes[..3].iter().enumerate() {
            let [first, last] = [number, number + 1].map(|n| SLOTS * n / 3);
            let (first, last) = (first.to_string(), (last - 1).to_string());
            node.ask::<()>(&["CLUSTER", "ADDSLOTSRANGE", &first, &last]);
            let epoch = (number + 1).to_string();
            node.ask::<()>(&["CLUSTER", "SET-CONFIG-EPOCH", &epoch]);
        }
    }

    #[track_caller]
    fn meet(&self) {
        for node in &self.nodes[1..] {
            let port = node.address().port().to_string();
            let bus = node.ask::<Vec<String>>(&["CONFIG", "GET", "cluster-port"]);
            self.nodes[0].ask::<()>(&["CLUSTER", "MEET", "127.0.0.1", &port, &bus[1]]);
        }
        until("nodes that know each other", || {
            let mut nodes = self.nodes.iter();
            nodes.all(|node| info(node).contains("cluster_known_nodes:6"))
        });
    }

    /// Every slot is served, and every replica could take over.
    fn is_whole(&self) -> bool {
        let are_masters_seen = self.nodes.iter().all(|node| {
            let told = info(node);
            told.contains("cluster_state:ok") && told.contains("cluster_slots_ok:16384")
        });
        let are_replicas_linked = self.nodes[3..].iter().all(|node| {
            let told: String = node.ask(&["INFO", "replication"]);
            told.contains("master_link_status:up")
        });
        let are_replicas_seen = self.nodes.iter().all(|node| {
            let told: String = node.ask(&["CLUSTER", "NODES"]);
            told.matches("slave").count() == 3
        });
        are_masters_seen && are_replicas_linked && are_replicas_seen
    }

    #[track_caller]
    fn id(&self, node: usize) -> String {
        self.nodes[node].ask(&["CLUSTER", "MYID"])
    }

    fn running(&self) -> impl Iterator<Item = &RedisServer> {
        self.nodes.iter().filter(|node| node.is_running())
    }

    #[track_caller]
    fn witness(&self) -> &RedisServer {
        self.running().next().expect("a node that runs")
    }

    /// The port of the master that a node takes for the owner of a slot.
    fn owner_in(&self, witness: &RedisServer, slot: u16) -> Option<u16> {
        let ranges: Vec<Vec<Value>> = witness.ask(&["CLUSTER", "SLOTS"]);
        let master = ranges.iter().find_map(|range| {
            // A range is followed by its nodes, the master first.
            let [first, last, master, ..] = range.as_slice() else {
                return None;
            };
            let is_in = (number(first)?..=number(last)?).contains(&slot);
            is_in.then_some(master)
        });
        number(master?.as_sequence()?.get(1)?)
    }
}

impl Migration<'_> {
    /// Moves the keys of the slot. Those that are written meanwhile are new, and at the new node anyway.
    ///
    /// # Panics
    /// When a node does not answer.
    #[track_caller]
    pub fn move_keys(&self) {
        let slot = self.slot.to_string();
        let from = &self.cluster.nodes[self.from];
        let port = self.cluster.nodes[self.to].address().port().to_string();
        loop {
            let keys: Vec<String> = from.ask(&["CLUSTER", "GETKEYSINSLOT", &slot, "100"]);
            if keys.is_empty() {
                return;
            }
            let head = ["MIGRATE", "127.0.0.1", &port, "", "0", "60000"];
            let auth = ["AUTH2", HARNESS, HARNESS, "KEYS"];
            let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
            from.ask::<()>(&[&head, auth.as_slice(), &keys].concat());
        }
    }

    /// Moves what is left and tells every node who serves the slot now. From here on the old one answers `MOVED`.
    ///
    /// # Panics
    /// When a node does not answer.
    #[track_caller]
    pub fn finish(self) {
        self.move_keys();
        for node in [self.to, self.from] {
            self.set_slot(node, "NODE", self.to);
        }
        let port = self.cluster.nodes[self.to].address().port();
        until("nodes that know the new owner", || {
            let mut nodes = self.cluster.running();
            nodes.all(|node| self.cluster.owner_in(node, self.slot) == Some(port))
        });
    }

    #[track_caller]
    fn set_slot(&self, at: usize, state: &str, other: usize) {
        let (slot, other) = (self.slot.to_string(), self.cluster.id(other));
        self.cluster.nodes[at].ask::<()>(&["CLUSTER", "SETSLOT", &slot, state, &other]);
    }
}

/// A node that belongs to no Cluster yet. It holds another for dead after two seconds.
#[track_caller]
fn node(setup: &Setup) -> RedisServer {
    let setup = setup
        .clone()
        .tcp()
        .line(format!("masteruser {HARNESS}"))
        .line(format!("masterauth {HARNESS}"))
        .line("repl-diskless-sync-delay 0")
        .line("cluster-enabled yes")
        .line("cluster-node-timeout 2000")
        .line("cluster-require-full-coverage no");
    let setup = match setup.certificates() {
        Some(_) => setup.line("tls-cluster yes"),
        None => setup,
    };
    RedisServer::of(Role::Server, |_| {
        setup.clone().line(format!("cluster-port {}", free_port()))
    })
}

fn number(value: &Value) -> Option<u16> {
    redis::from_redis_value_ref(value).ok()
}

#[track_caller]
fn info(node: &RedisServer) -> String {
    node.ask(&["CLUSTER", "INFO"])
}

const SLOTS: usize = 16384;
