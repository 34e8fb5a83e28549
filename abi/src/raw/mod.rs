//! The boundary itself: function tables over opaque pointers, and the only `unsafe` of the project.
//!
//! Everything in here comes in pairs: a table of `extern "C"` functions (what crosses) and two safe sides (who calls
//! it, who implements it). The rules that every table follows are stated once, here:
//!
//! - **Form.** Tables are `abi_stable` prefix types: new functions are appended after the last one, never inserted,
//!   never changed, and are optional (`missing_field(option)`): who calls one says what becomes of an object that was
//!   made before it. Enums that cross are closed; what may grow crosses as a number, or as JSON.
//! - **Ownership.** An `object` pointer is owned by the handle that carries it and goes back through `release`.
//!   A [`View`] is borrowed for the call. Owned bytes and text cross as `RVec` and `RString`, which remember their
//!   allocator.
//! - **Threads.** Every object may be called from any thread. An exchange belongs to one phase at a time.
//! - **Panics.** No function of a table unwinds. In what plugins implement, [`guard`] stands in each entry point, each poll
//!   and each drop; a panic in what the gateway implements ends the process, with a message.
#![allow(unsafe_code, reason = "the one fenced module")]

pub mod event_loop;
pub mod exchange;
pub mod future;
pub mod guard;
pub mod histogram;
#[cfg(test)]
mod interface;
#[cfg(feature = "loader")]
pub(crate) mod library;
pub mod middleware;
pub mod module;
pub mod object;
pub mod services;
pub mod session;
pub mod storage;
pub mod trace;
mod view;

pub use view::{View, Visit};
