use http::header::{HeaderMap, HeaderValue};
use proptest::prelude::*;

use super::*;

#[test]
fn a_request_goes_on_in_its_trace_as_a_step_of_its_own() {
    let mut headers = headers(&[("traceparent", PARENT), ("tracestate", "a=1, b=2")]);

    let step = Tracing::Join.enter(&mut headers).unwrap();

    let told = headers["traceparent"].to_str().unwrap();
    assert_eq!(step.trace.to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
    assert_ne!(step.span.to_string(), "00f067aa0ba902b7");
    assert_eq!(told, format!("00-{:?}-{:?}-01", step.trace, step.span));
    assert_eq!(headers["tracestate"], "a=1, b=2");
}

#[test]
fn two_requests_are_two_steps() {
    let step = || {
        let mut headers = headers(&[("traceparent", PARENT)]);
        Tracing::Join.enter(&mut headers).unwrap()
    };

    assert_eq!(step().trace, step().trace);
    assert_ne!(step().span, step().span);
}

#[test]
fn what_names_no_trace_is_replaced_by_one_with_nothing_else() {
    for malformed in MALFORMED {
        let mut headers = headers(&[("traceparent", malformed), ("tracestate", "a=1")]);

        let step = Tracing::Join.enter(&mut headers).unwrap();

        let told = headers["traceparent"].to_str().unwrap();
        assert_eq!(told, format!("00-{}-{}-03", step.trace, step.span));
        assert!(!malformed.contains(&step.trace.to_string()), "{malformed}");
        assert!(!headers.contains_key("tracestate"), "{malformed}");
    }
}

#[test]
fn two_parents_are_none() {
    let mut headers = headers(&[("traceparent", PARENT), ("traceparent", PARENT)]);

    let step = Tracing::Join.enter(&mut headers).unwrap();

    assert!(!PARENT.contains(&step.trace.to_string()));
    assert_eq!(headers.get_all("traceparent").iter().count(), 1);
}

#[test]
fn a_version_to_come_is_read_as_far_as_it_is_known() {
    let known = "-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-ff";
    for version in [format!("01{known}"), format!("fe{known}-more-to-come")] {
        let parent = TraceParent::parse(version.as_bytes()).unwrap();

        assert_eq!(parent.to_string(), format!("00{}03", &known[..51]));
    }
}

#[test]
fn only_who_begins_traces_begins_one_for_nothing() {
    let (mut none, mut begun) = (HeaderMap::new(), HeaderMap::new());

    assert_eq!(Tracing::Join.enter(&mut none), None);
    let step = Tracing::Begin.enter(&mut begun).unwrap();

    assert!(none.is_empty());
    let told = format!("00-{}-{}-03", step.trace, step.span);
    assert_eq!(begun["traceparent"], told);
}

#[test]
fn a_state_without_a_trace_is_not_passed_on() {
    let mut headers = headers(&[("tracestate", "a=1")]);

    assert_eq!(Tracing::Join.enter(&mut headers), None);
    assert!(headers.is_empty());
}

#[test]
fn who_only_passes_leaves_everything_as_it_is() {
    let mut headers = headers(&[("traceparent", "nonsense"), ("tracestate", "?")]);
    let before = headers.clone();

    assert_eq!(Tracing::Pass.enter(&mut headers), None);
    assert_eq!(headers, before);
}

#[test]
fn a_state_that_is_none_goes_and_its_trace_stays() {
    let many = |count: usize| vec!["a=1"; count].join(",");
    let (key, value) = ("k".repeat(256), "v".repeat(256));
    for state in [
        "",
        " ",
        ",a=1,\t,",
        "0@a*/_-=!~",
        &many(32),
        &format!("{key}={value}"),
    ] {
        assert!(
            is_state([&HeaderValue::from_str(state).unwrap()]),
            "{state}"
        );
    }
    for state in [
        "a",
        "=1",
        "a=",
        "A=1",
        "_a=1",
        "a=1=2",
        "a b=1",
        "a=\u{e9}",
        &many(33),
        &format!("{key}k=1"),
        &format!("a={value}v"),
    ] {
        let mut headers = headers(&[("traceparent", PARENT), ("tracestate", state)]);

        let step = Tracing::Join.enter(&mut headers).unwrap();

        assert!(PARENT.contains(&step.trace.to_string()), "{state}");
        assert!(!headers.contains_key("tracestate"), "{state}");
    }
}

#[test]
fn several_states_are_one_list_and_stay_several() {
    let half = vec!["a=1"; 16].join(",");
    let enter = |states: &[&str]| {
        let mut pairs = vec![("traceparent", PARENT)];
        pairs.extend(states.iter().map(|state| ("tracestate", *state)));
        let mut headers = headers(&pairs);
        Tracing::Join.enter(&mut headers).unwrap();
        headers.get_all("tracestate").iter().count()
    };

    assert_eq!(enter(&[&half, &half]), 2);
    assert_eq!(enter(&[&half, &half, "b=1"]), 0);
}

proptest! {
    #[test]
    fn any_parent_is_written_as_it_was_read(trace in "[0-9a-f]{31}[1-9a-f]", parent in "[0-9a-f]{15}[1-9a-f]", flags in 0..4_u8) {
        let text = format!("00-{trace}-{parent}-{flags:02x}");

        let read = TraceParent::parse(text.as_bytes()).unwrap();

        prop_assert_eq!(&read.to_string(), &text);
        prop_assert_eq!(HeaderValue::from(read), text);
    }

    #[test]
    fn a_parent_with_any_byte_changed_is_another_one_or_none(place in 0..55_usize, byte: u8) {
        let mut text = PARENT.as_bytes().to_vec();
        text[place] = byte;

        if let Some(read) = TraceParent::parse(&text) {
            prop_assert!(text[2] == b'-' && text[35] == b'-' && text[52] == b'-');
            prop_assert!(text.iter().all(|byte| b"0123456789abcdef-".contains(byte)));
            let written = read.to_string();
            prop_assert_eq!(&written.as_bytes()[3..52], &text[3..52]);
        }
    }

    #[test]
    fn any_headers_become_one_parent_at_most(values in prop::collection::vec("[ -~]{0,70}", 0..3)) {
        let mut headers = HeaderMap::new();
        for value in &values {
            headers.append(TRACE_PARENT, HeaderValue::from_str(value).unwrap());
        }

        let step = Tracing::Join.enter(&mut headers);

        prop_assert_eq!(step.is_some(), !values.is_empty());
        prop_assert_eq!(headers.len(), values.len().min(1));
        let told = headers.get(TRACE_PARENT).map(|value| TraceParent::parse(value.as_bytes()).unwrap());
        prop_assert_eq!(told.map(|told| told.parent), step.map(|step| step.span));
    }
}

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        headers.append(*name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    headers
}

const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

const MALFORMED: [&str; 14] = [
    "",
    "00",
    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1",
    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-",
    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-010",
    "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01x",
    "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    "0x-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
    "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
    "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
    "00_4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7_01",
    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-zz",
];
