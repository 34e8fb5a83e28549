//! Under construction.
#![forbid(unsafe_code)]

pub mod access_log;
pub mod admin;
pub mod body;
pub mod cli;
pub mod config;
pub mod health;
pub mod hygiene;
pub mod log;
pub mod metrics;
pub mod rescue;
pub mod router;
pub mod server;
pub mod stream;
pub mod upstream;

#[cfg(test)]
mod testing;
