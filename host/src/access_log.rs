//! One line per request, when its response is over. Never the query and never a header: both carry secrets.
//! What names a trace is read, and written down as the ids that it is.

use std::time::Duration;

use http::{Method, StatusCode};

use crate::server::Peer;
use crate::trace::Step;

/// What is said about one request.
#[derive(Debug)]
pub struct Line<'a> {
    /// The method; `None` for what was no request.
    pub method: Option<&'a Method>,
    /// The path, without its query; `None` for what was no request.
    pub path: Option<&'a str>,
    /// The number of the request, which other lines about it name; `None` for what no route answered.
    pub request: Option<u64>,
    /// The status the client got; 499 when it went away before.
    pub status: StatusCode,
    /// Why it was not let in, in a word that does not change; `None` when it was.
    pub reason: Option<&'static str>,
    /// The bytes of the body that were written.
    pub bytes: u64,
    /// From the end of the request's headers to the end of the response.
    pub duration: Duration,
    /// The pattern of the route; empty when no route answered.
    pub route: &'a str,
    /// The client.
    pub peer: Peer,
    /// The gateway's step in the trace of the request; `None` when it is in no trace.
    pub step: Option<&'a Step>,
}

/// Whether anybody reads the log. Costs one atomic load when nobody does.
pub fn is_on() -> bool {
    tracing::enabled!(target: "access", tracing::Level::INFO)
}

/// Writes one line to the target `access`.
pub fn write(line: &Line<'_>) {
    tracing::info!(
        target: "access",
        method = line.method.map(Method::as_str),
        path = line.path,
        request = line.request,
        status = line.status.as_u16(),
        reason = line.reason,
        bytes = line.bytes,
        us = line.duration.as_micros() as u64,
        route = line.route,
        peer = line.peer.address.map(tracing::field::display),
        trace = line.step.map(|step| tracing::field::display(step.trace)),
        span = line.step.map(|step| tracing::field::display(step.span)),
    );
}
