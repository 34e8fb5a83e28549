//! Services that stand in for each other: who is asked, and what is not noticed when one of them fails.

mod drills;
mod example;
mod protocols;
mod reloading;
mod spreading;
mod standing;

use std::net::SocketAddr;

use e2e::{Answer, Site, Upstream};

/// A gateway that balances every path over these services.
fn site(endpoints: &[SocketAddr], config: &str) -> Site {
    let urls: Vec<String> = endpoints
        .iter()
        .map(|at| format!("'http://{at}'"))
        .collect();
    balanced(&urls.join(", "), config)
}

/// The same, with endpoints as they are written.
fn balanced(endpoints: &str, config: &str) -> Site {
    let action = format!(
        "Balanced: {{ use: gateway.actions.BalancerHttpAction, config: {{ upstreamEndpoints: [{endpoints}], {config} }} }}"
    );
    Site::bare()
        .action(&action)
        .route("path: /*, middlewares: [Load, Map], action: Balanced")
}

/// Upstreams that answer `/` with their names.
fn named<const COUNT: usize>(names: [&str; COUNT]) -> [Upstream; COUNT] {
    names.map(|name| {
        let upstream = Upstream::start();
        upstream.answer("/", Answer::ok().body(name));
        upstream
    })
}
