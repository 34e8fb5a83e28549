//! A plugin by somebody else: it knows `abi` and nothing of the gateway or of `session.so`.
//!
//! [`LoginMiddleware`](login::LoginMiddleware) writes into the session that `session.so` attached, [`Logbook`](logbook::Logbook) is a storage that `session.so`
//! keeps its rows in. Neither side was compiled with the other.
#![warn(missing_docs)]

mod logbook;
mod login;
mod name;

use std::sync::Arc;

use abi::config::{Faults, NoConfig};
use abi::storage::StorageHandle;
use abi::{Entry, Offer, Plugin, Services};

use logbook::{Logbook, LogbookConfig};
use login::{LoginConfig, LoginMiddleware};

/// The plugin: what every component is made from.
struct Guestbook {
    services: Services,
}

impl Plugin for Guestbook {
    const NAME: &'static str = "guestbook";
    const HELP: &'static str = "Lets guests sign in, and keeps sessions in a logbook.";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    type Config = NoConfig;

    fn open(_: NoConfig, services: Services) -> Result<Self, Faults> {
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
