//! Sessions that hold tokens of a real provider.

mod provider;
