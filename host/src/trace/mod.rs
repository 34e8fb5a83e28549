//! The trace that a request is a part of (W3C Trace Context, with the flags of Level 2).
//!
//! The gateway is one step in a trace and no tracer: it keeps the trace, gives its step an id of its own, tells the
//! upstream both, and writes them down in the access log. Whoever asks may name a trace: nothing is decided by it.

mod id;
mod parent;
mod scope;
mod state;

#[cfg(test)]
mod tests;

use http::{HeaderMap, HeaderName, HeaderValue};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use id::{SpanId, TraceId};
pub use parent::{Flags, TraceParent};
pub(crate) use scope::{current, within};
pub use state::is_state;

/// What is made of `traceparent` and `tracestate`.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Tracing {
    /// As `join`, and a request that comes without a trace begins one.
    Begin,
    /// A request goes on in the trace that it came with. What names no trace is replaced by a new one.
    #[default]
    Join,
    /// Nothing: they are headers like any other.
    Pass,
}

/// What the gateway did in a trace.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Step {
    /// The trace.
    pub trace: TraceId,
    /// The gateway's part in it: the parent of what the upstream does.
    pub span: SpanId,
}

impl Tracing {
    /// Makes the headers of a request those that the upstream gets. `None` when the request is in no trace.
    pub fn enter(self, headers: &mut HeaderMap) -> Option<Step> {
        // Most requests have neither, and a look at each name costs less than two searches.
        let is_told = headers.keys().any(|name| name.as_str().starts_with(PREFIX));
        match self {
            Self::Pass => None,
            Self::Join if !is_told => None,
            Self::Join if !headers.contains_key(TRACE_PARENT) => {
                headers.remove(TRACE_STATE);
                None
            }
            Self::Begin | Self::Join => Some(step(headers)),
        }
    }
}

/// Goes on in the trace of the headers, or in a new one where they name none.
fn step(headers: &mut HeaderMap) -> Step {
    let known = parent(headers);
    let is_known = known.is_some_and(|_| is_state(headers.get_all(TRACE_STATE)));
    if !is_known {
        headers.remove(TRACE_STATE);
    }
    let own = known.map_or_else(TraceParent::begin, TraceParent::child);
    headers.insert(TRACE_PARENT, HeaderValue::from(own));
    Step {
        trace: own.trace,
        span: own.parent,
    }
}

/// `None` when there is none, more than one, or what is there is none.
fn parent(headers: &HeaderMap) -> Option<TraceParent> {
    let mut values = headers.get_all(TRACE_PARENT).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => TraceParent::parse(value.as_bytes()),
        _ => None,
    }
}

const PREFIX: &str = "trace";
const TRACE_PARENT: HeaderName = HeaderName::from_static("traceparent");
const TRACE_STATE: HeaderName = HeaderName::from_static("tracestate");
