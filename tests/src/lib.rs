//! The harness: real processes on ports that the system chose, and blocking calls, so that a test reads from top to
//! bottom.
//!
//! [`Upstream`] is the service behind the gateway and remembers what it was sent. [`Site`] writes a configuration,
//! [`Gateway`] runs the real binary on it with the real plugins of [`plugins`]. [`Browser`] is a client with a cookie
//! jar. [`Chromium`] is a real one. [`Redis`] is a server of the test's own that can be killed and frozen, [`Proxy`] a
//! wire that can be cut, [`Load`] a crowd that goes on asking meanwhile, [`Crowd`] one that knows no pause. [`Provider`]
//! gives out tokens and can be told to do it badly.
#![forbid(unsafe_code)]

mod browser;
mod certificate;
mod chromium;
mod crowd;
mod front;
mod gateway;
mod load;
mod log;
mod message;
mod nginx;
mod nobody;
pub mod npm;
mod patience;
pub mod plugins;
mod provider;
mod proxy;
mod redis;
mod site;
mod upstream;
mod websocket;

pub use browser::{Browser, Request, converse};
pub use certificate::Certificate;
pub use chromium::Chromium;
pub use crowd::{Crowd, Tally};
pub use front::{Front, FrontKind};
pub use gateway::{Gateway, Verdict};
pub use load::{Answered, Load, Person};
pub use message::Message;
pub use nginx::Nginx;
pub use nobody::Nobody;
pub use patience::{PATIENCE, until, until_some};
pub use provider::Provider;
pub use proxy::Proxy;
pub use redis::Redis;
pub use site::Site;
pub use upstream::{Answer, Line, Upstream};
pub use websocket::{OPENING, SWITCH};
