//! A storage on a real cluster.

mod bench;
mod changes;
mod conformance;
mod load;
mod reaching;
