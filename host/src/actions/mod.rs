//! The actions that the gateway itself brings.

pub mod authorize;
mod balancer;
mod echo;
mod health_check;
mod http;
mod r#static;

pub(crate) use self::http::HttpConfig;
pub(crate) use balancer::BalancerConfig;
pub(crate) use echo::{EchoAction, EchoConfig};
pub(crate) use r#static::{StaticAction, StaticConfig};
