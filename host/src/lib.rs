//! The gateway: reads its configuration, loads plugins, and leads requests through chains of middlewares to actions.
#![forbid(unsafe_code)]

pub mod access_log;
mod actions;
pub mod admin;
mod alarm;
mod authority;
pub mod body;
mod chain;
pub mod cli;
pub mod config;
mod desk;
pub mod event_loop;
mod exchange;
pub mod forwarding;
mod gateway;
pub mod health;
pub mod http1;
pub mod hygiene;
pub mod log;
pub mod metrics;
mod middlewares;
pub mod notify;
pub mod rescue;
pub mod router;
pub mod server;
mod spelling;
pub mod stream;
pub mod succession;
pub mod tls;
pub mod trace;
pub mod upstream;
mod watch;
mod websocket;

pub use actions::authorize;
pub use gateway::{Gateway, Reloaded, Running};

#[cfg(test)]
mod testing;
