//! The stable interface between a gateway and its plugins.
//!
//! A *gateway* receives requests. A *route* leads a request through a *chain* of *middlewares* to an *action*, which
//! usually forwards it to an *upstream*. A *plugin* is a shared library that offers *components*: middlewares, actions
//! and *storages*. The *session* of a visitor travels with the *exchange*, the request and response in flight.
//!
//! # Writing a plugin
//!
//! A plugin is a crate of `crate-type = ["cdylib"]` that depends on this one, implements [`Plugin`] and ends with one
//! line of [`export_plugin!`]. There is no `unsafe` to write, and panics cost one request.
//!
//! ```
//! use abi::config::{Faults, NoConfig};
//! use abi::{Entry, Exchange, Failure, Flow, HeaderName, Maybe, Middleware, Offer, Plugin, Services, Side};
//!
//! struct Greeter {
//!     services: Services,
//! }
//!
//! #[derive(serde::Deserialize, schemars::JsonSchema)]
//! #[serde(deny_unknown_fields, rename_all = "camelCase")]
//! struct GreetingConfig {
//!     /// What the upstream finds in `X-Greeting`.
//!     text: String,
//! }
//!
//! struct Greeting {
//!     header: HeaderName,
//!     text: String,
//! }
//!
//! impl Plugin for Greeter {
//!     const NAME: &'static str = "greeter";
//!     const HELP: &'static str = "Says hello to upstreams.";
//!     const VERSION: &'static str = env!("CARGO_PKG_VERSION");
//!     type Config = NoConfig;
//!
//!     fn open(_: Self::Config, services: Services) -> Result<Self, Faults> {
//!         Ok(Self { services })
//!     }
//!
//!     fn components(offer: &mut Offer<Self>) {
//!         offer.middleware("GreetingMiddleware", "Sets X-Greeting.", Self::greeting);
//!     }
//! }
//!
//! impl Greeter {
//!     fn greeting(&self, _: Entry<'_>, config: GreetingConfig) -> Result<Greeting, Faults> {
//!         let header = self.services.header("x-greeting").map_err(|cause| Faults::at("", cause.to_string()))?;
//!         Ok(Greeting { header, text: config.text })
//!     }
//! }
//!
//! impl Middleware for Greeting {
//!     type State = ();
//!
//!     fn on_request<'a>(&'a self, mut exchange: Exchange<'a>) -> Maybe<'a, Result<Flow<()>, Failure>> {
//!         let set = exchange.set_header(Side::Request, self.header, &self.text);
//!         Maybe::Ready(set.map(|()| Flow::Next(())).map_err(|cause| Failure::internal(cause.to_string())))
//!     }
//! }
//!
//! abi::export_plugin!(Greeter);
//! ```
//!
//! A component that gives requests a session, or needs one, [says so](SessionUse) where it is offered: the gateway then refuses
//! routes on which it cannot work.
//!
//! # The promise
//!
//! A plugin built for `abi` 1.x loads in every gateway of 1.y with y >= x, from any lock file and any compiler. What
//! crosses is checked at load: the manifest, and then the layout of every table, before anything of it is called.
//! Libraries are never unloaded; a new version is loaded from a new path.
//!
//! # Where things run
//!
//! Constructors run once at start on one thread. Middlewares, actions and storages are called from every thread of the
//! gateway at once; their futures are polled there too. A plugin with a network client brings its own runtime and
//! enters it in each poll, or lets the gateway's [`EventLoop`] wait for its sockets. Nothing may block.

pub mod config;
pub mod event_loop;
pub mod exchange;
pub mod failure;
pub mod handle;
#[cfg(feature = "loader")]
pub mod loader;
mod maybe;
mod middleware;
pub mod path;
pub mod plugin;
#[doc(hidden)]
pub mod raw;
mod route_below;
pub mod services;
pub mod session;
mod session_use;
pub mod storage;
pub mod testing;

pub use event_loop::EventLoop;
pub use exchange::{Exchange, Flag, HeaderError, HeaderName, Side};
pub use failure::Failure;
pub use maybe::Maybe;
pub use middleware::{Action, Flow, Middleware};
pub use plugin::{Entry, Offer, Plugin};
pub use route_below::RouteBelow;
pub use services::{Counter, Histogram, Purpose, Services, ServicesError};
pub use session::{Attribute, Session, SessionStore};
pub use session_use::{SessionPart, SessionUse};

/// The generation of the interface. A plugin built for one loads in every gateway of the same that is as new or newer.
pub const INTERFACE: u32 = raw::module::ABI_MAJOR;

// Derives of a plugin's configuration need these two, at the versions that this crate was built with.
pub use schemars;
pub use serde;
pub use serde_json;

/// Exports a [`Plugin`] from this library: the one line that every plugin ends with.
#[macro_export]
macro_rules! export_plugin {
    ($plugin:ty) => {
        #[doc(hidden)]
        #[unsafe(no_mangle)]
        pub static GATEWAY_PLUGIN_MANIFEST: $crate::raw::module::Manifest =
            $crate::raw::module::Manifest::of::<$plugin>();

        #[doc(hidden)]
        #[unsafe(no_mangle)]
        pub static GATEWAY_PLUGIN_MODULE: $crate::raw::module::LibHeader =
            $crate::raw::module::header::<$plugin>();
    };
}
