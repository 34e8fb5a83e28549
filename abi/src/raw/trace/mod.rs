//! Logs across the boundary: a plugin's `tracing` callsites become callsites of the gateway.
//!
//! Each library has its own copy of `tracing`, so a plugin's events would go nowhere. In the plugin, a subscriber
//! (`connect`) registers every callsite once with the gateway and sends events and spans by handle; in the gateway
//! each becomes a real callsite with metadata of its own, so that filters by target, spans and typed fields work as
//! if the code were linked in.

mod gateway;
mod plugin;

use std::ffi::c_void;

use abi_stable::StableAbi;
use tracing_core::Level;

use super::View;

pub(crate) use gateway::TABLE;
pub(crate) use plugin::connect;

/// What the gateway's log can do.
#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(prefix_ref = TraceTableRef, prefix_fields = TraceTablePrefix)))]
#[sabi(missing_field(panic))]
pub struct TraceTable {
    /// Makes a callsite known. What it is told lives as long as the library: for ever.
    pub register: unsafe extern "C" fn(RawCallsite) -> Registered,
    /// The most verbose level that anything listens to: 0 = off, 1 = error, up to 5 = trace.
    pub max_level: unsafe extern "C" fn() -> u8,
    /// Whether anybody listens to this callsite now.
    pub enabled: unsafe extern "C" fn(*const c_void) -> bool,
    /// An event.
    pub event: unsafe extern "C" fn(*const c_void, parent: u64, *const RawField, count: usize),
    /// Opens a span and names it.
    pub new_span:
        unsafe extern "C" fn(*const c_void, parent: u64, *const RawField, count: usize) -> u64,
    /// Adds fields to a span.
    pub record: unsafe extern "C" fn(*const c_void, span: u64, *const RawField, count: usize),
    /// Says what becomes of a span.
    #[sabi(last_prefix_field)]
    pub span: unsafe extern "C" fn(change: u8, span: u64, other: u64) -> u64,
}

/// A place in a plugin's source that logs.
#[repr(C)]
#[derive(StableAbi)]
pub struct RawCallsite {
    name: View,
    target: View,
    file: View,
    module: View,
    line: u32,
    level: u8,
    is_span: bool,
    fields: *const View,
    field_count: usize,
}

/// The answer to a registration.
#[repr(C)]
#[derive(StableAbi)]
pub struct Registered {
    callsite: *const c_void,
    // 0 = nobody will ever listen, 1 = ask each time, 2 = always.
    interest: u8,
}

/// A field with its value: the kind tells which of `number` and `text` counts.
#[repr(C)]
#[derive(Clone, Copy, StableAbi)]
pub struct RawField {
    index: u32,
    kind: u8,
    number: u64,
    text: View,
}

// Parents: no number of a span is 0, and none gets as high as the other two.
pub(super) const CONTEXTUAL: u64 = 0;
pub(super) const ROOT: u64 = u64::MAX;

// Kinds of a field's value.
pub(super) const BOOL: u8 = 0;
pub(super) const SIGNED: u8 = 1;
pub(super) const UNSIGNED: u8 = 2;
pub(super) const FLOAT: u8 = 3;
pub(super) const TEXT: u8 = 4;
pub(super) const DEBUG: u8 = 5;

// Changes of a span.
pub(super) const ENTER: u8 = 0;
pub(super) const EXIT: u8 = 1;
pub(super) const CLONE: u8 = 2;
pub(super) const CLOSE: u8 = 3;
pub(super) const FOLLOWS: u8 = 4;

/// 0 is left for what is off.
pub(super) const fn level_code(level: Level) -> u8 {
    match level {
        Level::ERROR => 1,
        Level::WARN => 2,
        Level::INFO => 3,
        Level::DEBUG => 4,
        Level::TRACE => 5,
    }
}
