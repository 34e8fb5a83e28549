//! `traceparent` and `tracestate` of clients: what is told to the upstream is one well-formed parent at most, and a
//! state only where the trace is the client's.
#![no_main]
#![forbid(unsafe_code)]

use gateway::trace::{TraceParent, Tracing, is_state};
use http::{HeaderMap, HeaderValue};
use libfuzzer_sys::fuzz_target;

// Lines: those that begin with `p` are parents, all others states.
fuzz_target!(|bytes: &[u8]| {
    let mut headers = HeaderMap::new();
    for line in bytes.split(|byte| *byte == b'\n') {
        let (name, value) = match line {
            [b'p', value @ ..] => ("traceparent", value),
            value => ("tracestate", value),
        };
        if let Ok(value) = HeaderValue::from_bytes(value) {
            headers.append(name, value);
        }
    }
    let before = headers.clone();
    let step = Tracing::Join.enter(&mut headers);
    let told = headers.get_all("traceparent").iter().collect::<Vec<_>>();
    assert_eq!(step.is_some(), before.contains_key("traceparent"));
    let Some(step) = step else {
        return assert!(headers.is_empty());
    };
    let [told] = told[..] else {
        panic!("{} parents", told.len());
    };
    let parent = TraceParent::parse(told.as_bytes()).expect("what is told is well-formed");
    assert_eq!(HeaderValue::from(parent), told);
    assert_eq!((parent.trace, parent.parent), (step.trace, step.span));
    follow(&before, &headers, parent);
});

fn follow(before: &HeaderMap, headers: &HeaderMap, told: TraceParent) {
    let known = before["traceparent"].as_bytes();
    let is_same = before.get_all("traceparent").iter().count() == 1
        && known.len() >= 55
        && known[3..35] == *told.trace.to_string().as_bytes();
    if is_same {
        assert_ne!(known[36..52], *told.parent.to_string().as_bytes());
    }
    if headers.contains_key("tracestate") {
        assert!(is_same && is_state(headers.get_all("tracestate")));
        let [one, other] = [before, headers].map(|headers| headers.get_all("tracestate"));
        assert!(one.iter().eq(other.iter()));
    }
}
