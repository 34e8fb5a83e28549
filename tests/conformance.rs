//! The storage of a third party keeps the contract that ours keep, through `dlopen`.
#![forbid(unsafe_code)]

use std::sync::Arc;

use abi::loader::LoadedPlugin;
use abi::testing::TestGateway;
use engine::clock::ManualClock;
use engine::session::Keyring;
use engine::storage::conformance::Subject;
use engine::storage::{Encoded, Rows};
use serde_json::json;

engine::conformance_suite!(Logbook::open);

/// The storage of `examples/third-party`. It lives by a clock of its own.
struct Logbook(Arc<dyn Rows>);

impl Logbook {
    fn open() -> Self {
        let plugin = LoadedPlugin::load(e2e::plugins::guestbook()).expect("the plugin loads");
        let services = TestGateway::new().services();
        let plugin = plugin
            .open(services.clone(), &json!({}))
            .expect("the plugin opens");
        let storage = plugin
            .storage("LogbookStorage", "Logbook", &json!({}))
            .expect("the storage is made");
        let rows = Encoded::new(storage, "Logbook", Keyring::plain(), &services);
        Self(Arc::new(rows))
    }
}

impl Subject for Logbook {
    fn rows(&self) -> Arc<dyn Rows> {
        Arc::clone(&self.0)
    }

    fn clock(&self) -> Option<&ManualClock> {
        None
    }
}
