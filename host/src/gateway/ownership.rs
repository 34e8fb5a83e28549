//! Services that are this gateway itself: each request to one would ask for another, until there are no descriptors left.

use abi::config::Faults;

use crate::config::Address;
use crate::upstream::{Endpoint, Group, Origin};

/// The service, unless it is at one of the gateway's `own` addresses.
pub(super) fn refuse_one(service: Origin, own: &[Address]) -> Result<Origin, Faults> {
    match own_address(service.endpoint(), own) {
        None => Ok(service),
        Some(address) => Err(Faults::at("upstreamEndpoint", message(address))),
    }
}

/// As [`refuse_one`], for several that stand in for each other.
pub(super) fn refuse_any(services: Group, own: &[Address]) -> Result<Group, Faults> {
    let mut faults = Faults::default();
    for (index, endpoint) in services.endpoints().enumerate() {
        if let Some(address) = own_address(endpoint, own) {
            faults.push(format!("upstreamEndpoints[{index}]"), message(address));
        }
    }
    faults.or(services)
}

fn own_address<'a>(endpoint: &Endpoint, own: &'a [Address]) -> Option<&'a Address> {
    own.iter().find(|address| endpoint.is_at(address))
}

fn message(address: &Address) -> String {
    format!(
        "is this gateway itself, which listens at `{address}`: each request would ask for another without end"
    )
}
