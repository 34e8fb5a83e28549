//! A plugin by somebody else: it knows `abi` and nothing of the gateway or of `session.so`.
//!
//! [`LoginMiddleware`](login::LoginMiddleware) writes into the session that `session.so` attached, [`Logbook`](logbook::Logbook) is a storage that `session.so`
//! keeps its rows in. Neither side was compiled with the other.
#![warn(missing_docs)]

mod logbook;
mod login;
mod name;

use std::sync::Arc;

use abi::config::Faults;
use abi::schemars::{self, JsonSchema};
use abi::storage::StorageHandle;
use abi::{Entry, Offer, Plugin, Services};
use serde::Deserialize;

use logbook::{Logbook, LogbookConfig};
use login::{LoginConfig, LoginMiddleware};

/// The plugin: what every component is made from.
struct Guestbook {
    services: Services,
}

/// Nothing to configure for the plugin as a whole; a key written there is a mistake and refused as one.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct GuestbookConfig {}

impl Plugin for Guestbook {
    const NAME: &'static str = "guestbook";
    const HELP: &'static str = "Lets guests sign in, and keeps sessions in a logbook.";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    type Config = GuestbookConfig;

    fn open(_: GuestbookConfig, services: Services) -> Result<Self, Faults> {
        Ok(Self { services })
    }

    fn components(offer: &mut Offer<Self>) {
        offer.middleware("LoginMiddleware", "Signs a guest in.", Self::login);
        offer.storage("LogbookStorage", "Keeps sessions in memory.", Self::logbook);
    }
}

impl Guestbook {
    fn login(&self, _: Entry<'_>, config: LoginConfig) -> Result<LoginMiddleware, Faults> {
        LoginMiddleware::new(config, &self.services)
    }

    fn logbook(&self, _: Entry<'_>, config: LogbookConfig) -> Result<StorageHandle, Faults> {
        Ok(StorageHandle::new(Arc::new(Logbook::new(&config))))
    }
}

abi::export_plugin!(Guestbook);
