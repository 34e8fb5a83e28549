//! The actions that the gateway itself brings.

mod echo;
mod http;
mod r#static;

pub(crate) use self::http::HttpConfig;
pub(crate) use echo::{EchoAction, EchoConfig};
pub(crate) use r#static::{StaticAction, StaticConfig};
