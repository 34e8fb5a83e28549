//! End to end, by behaviour. Every test has a gateway, an upstream and a port of its own.
#![forbid(unsafe_code)]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod anna;
mod balancing;
mod chromium;
mod configuration;
mod cookie_cache;
mod cookies;
mod drills;
mod ended;
mod events;
mod examples;
mod file;
mod forward_auth;
mod forwarded;
mod headers;
mod http2;
mod loading;
mod logging_in;
mod login;
mod lookup;
mod metrics;
mod migration;
mod neighbour;
mod operation;
mod operators;
mod outage;
mod own_sessions;
mod panics;
mod permissions;
mod principals;
mod proxying;
mod quickstart;
mod races;
mod reader;
mod reload;
mod renewal;
mod sealing;
mod session;
mod sizing;
mod smuggling;
mod spellings;
mod storages;
mod streaming;
mod tokens;
mod websocket;
