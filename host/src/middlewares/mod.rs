//! The middlewares that the gateway itself brings.

mod set;

pub(crate) use set::{SetConfig, SetMiddleware};
