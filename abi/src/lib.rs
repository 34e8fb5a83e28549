//! Under construction.
mod maybe;
pub mod storage;
pub use maybe::Maybe;
