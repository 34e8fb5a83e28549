//! Everything `session.so` does, as a library that tests, benches and fuzzers can link.
//!
//! Pure cores ([`session`], [`cookie`]) know neither time nor I/O; [`storage`] keeps rows; [`Engine`] is the only
//! write path to them and knows every rule that must hold under races.
#![forbid(unsafe_code)]

pub mod actions;
pub mod clock;
pub mod cookie;
mod engine;
mod header_names;
mod lookup;
pub mod middlewares;
mod origin;
pub mod page;
mod return_target;
pub mod runtime;
mod same_origin;
pub mod session;
pub mod storage;
pub mod tokens;
mod trust;

pub use engine::{
    Cause, Change, Engine, Event, Lease, Link, Linked, Linking, Observer, Occasion, Policy,
    Refusal, Revoked, Saved, Session, TOMBSTONE,
};
pub use lookup::{KeyLookup, LookupError, Source};
pub use origin::{Origin, Scheme};
pub use return_target::{ReturnOrigin, ReturnOriginError, ReturnOrigins, ReturnTarget};
pub use same_origin::SameOrigin;
