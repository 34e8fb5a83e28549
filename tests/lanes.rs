//! Commands to Redis on the thread of the gateway that asks: the gateway's event loop and the plugin's connections,
//! without a library between them.
#![forbid(unsafe_code)]

use std::sync::Arc;
use std::thread;

use abi::storage::{Key, Loaded, Row, Storage};
use engine::runtime::Runtime;
use engine::storage::RedisStorage;
use engine::storage::server::{Certificates, RedisServer, Setup};
use gateway::event_loop;
use tokio::runtime::Builder;

#[test]
fn a_thread_of_the_gateway_gets_a_connection_of_its_own() {
    let gateway = Gateway::open(RedisServer::start());

    let lane = gateway.lane();

    for _ in 0..10 {
        assert_eq!(gateway.load(), Loaded::Absent);
    }
    assert_eq!(gateway.lane(), lane);
}

#[test]
fn a_lane_is_as_secure_as_the_line() {
    let certificates = Certificates::issue();
    let server = RedisServer::with(Setup::default().tls(&certificates));
    let gateway = Gateway::open(server);

    gateway.lane();

    assert_eq!(gateway.load(), Loaded::Absent);
}

#[test]
fn a_thread_that_is_not_the_gateways_uses_the_line() {
    let gateway = Gateway::open(RedisServer::start());
    gateway.lane();
    let (storage, clients) = (&gateway.storage, gateway.clients());

    let load = || {
        let elsewhere = Builder::new_current_thread().build().unwrap();
        elsewhere.block_on(storage.load(&KEY).wait())
    };
    for _ in 0..10 {
        let loaded = thread::scope(|scope| scope.spawn(load).join().unwrap());
        assert_eq!(loaded, Loaded::Absent);
    }

    assert_eq!(gateway.clients(), clients);
}

#[test]
fn a_lane_that_is_cut_costs_no_answer_and_leaves_the_line_alone() {
    let gateway = Gateway::open(RedisServer::start());
    let lane = gateway.lane();
    let line = gateway.clients().remove(0);

    let _: i64 = gateway.server.ask(&["CLIENT", "KILL", "ID", &lane]);

    assert_eq!(gateway.load(), Loaded::Absent);
    assert_ne!(gateway.lane(), lane);
    assert_eq!(gateway.clients()[0], line);
}

#[test]
fn lanes_end_with_the_line_they_stand_in_for() {
    let gateway = Gateway::open(RedisServer::start());
    let lane = gateway.lane();
    let line = gateway.clients().remove(0);

    let _: i64 = gateway.server.ask(&["CLIENT", "KILL", "ID", &line]);

    gateway.load_until(|| !gateway.clients().contains(&lane));
    assert_ne!(gateway.lane(), lane);
}

#[test]
fn lanes_end_with_their_storage() {
    let gateway = Gateway::open(RedisServer::start());
    gateway.lane();
    let Gateway {
        storage,
        server,
        thread,
    } = gateway;

    drop(storage);

    // The gateway goes on with something else.
    while !clients(&server).is_empty() {
        thread.block_on(tokio::task::yield_now());
    }
}

/// The test's own thread as one of a gateway's, and a storage that is used from it.
struct Gateway {
    storage: RedisStorage,
    server: RedisServer,
    thread: tokio::runtime::Runtime,
}

impl Gateway {
    fn open(server: RedisServer) -> Self {
        let thread = Builder::new_current_thread().enable_all().build();
        let thread = thread.expect("a runtime on this thread");
        let (owner, handle) = (thread::current().id(), thread.handle().clone());
        let lender = move || {
            let is_ours = thread::current().id() == owner;
            is_ours.then(|| event_loop::of(handle.clone()))
        };
        let runtime = Arc::new(Runtime::default().borrowing(lender));
        let storage = RedisStorage::open(&server.config(), runtime);
        let storage = storage.expect("a server of the test has no faults");
        assert_eq!(thread.block_on(storage.probe().wait()), Ok(()));
        Self {
            storage,
            server,
            thread,
        }
    }

    fn load(&self) -> Loaded<Row> {
        self.thread.block_on(self.storage.load(&KEY).wait())
    }

    /// As under load: what waits for the thread gets its turn while requests wait for their answers.
    fn load_until(&self, is_so: impl Fn() -> bool) {
        while !is_so() {
            self.load();
        }
    }

    /// Waits until requests use a lane, and tells which of the server's clients it is.
    fn lane(&self) -> String {
        self.load_until(|| self.clients().len() == 2);
        self.clients().remove(1)
    }

    fn clients(&self) -> Vec<String> {
        clients(&self.server)
    }
}

/// The server's numbers for the storage's connections, in the order in which they were opened.
fn clients(server: &RedisServer) -> Vec<String> {
    let list: String = server.ask(&["CLIENT", "LIST"]);
    let ours = list
        .lines()
        .filter(|client| client.contains(" user=default "));
    let field = |client: &str| Some(client.split_once("id=")?.1.split_once(' ')?.0.to_owned());
    ours.filter_map(field).collect()
}

const KEY: Key = Key::new([9; 32]);
