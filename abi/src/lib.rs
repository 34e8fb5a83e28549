//! Under construction.
pub mod config;
mod maybe;
pub mod storage;
pub use maybe::Maybe;
