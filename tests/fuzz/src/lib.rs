//! What several targets need.
#![forbid(unsafe_code)]

pub mod sent;
