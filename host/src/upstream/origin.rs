//! A service and how to talk to it: what all workers have in common.

use super::tls::Tls;
use super::{Endpoint, Keep, Patience, Protocol};

/// A service behind the gateway, and how to talk to it.
#[derive(Debug)]
pub struct Origin {
    pub(super) endpoint: Endpoint,
    // There if the endpoint wants it, and only then.
    pub(super) tls: Option<Tls>,
    pub(super) protocol: Protocol,
    pub(super) keep: Keep,
    pub(super) patience: Patience,
}
