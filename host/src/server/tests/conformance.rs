//! RFC 9113 section by section, as tools that check servers do it: one wrong or odd thing on a fresh connection.

use super::Echo;
use super::wire::*;

/// What has to come of it.
#[derive(Clone, Copy, Debug)]
enum Outcome {
    /// The connection ends, with one of these codes if it says why.
    Connection(&'static [u32]),
    /// The stream ends, or with it the connection.
    Stream(&'static [u32]),
    /// Nothing: the connection goes on.
    Fine,
}

use Outcome::{Connection, Fine, Stream};

const PROTOCOL: &[u32] = &[1];
const FLOW: &[u32] = &[3];
const CLOSED: &[u32] = &[5, 1];
// Where the standard has a word of its own and the library says PROTOCOL_ERROR: the connection ends in any case.
const COMPRESSION: &[u32] = &[9, 1];
const FLOW_SETTING: &[u32] = &[3, 1];
const SIZE: &[u32] = &[6, 1];

#[tokio::test]
async fn frames_have_their_sizes_and_unknown_ones_are_ignored() {
    let too_long = vec![0; 16_385];
    for (name, bytes, outcome) in [
        ("4.1 an unknown type", frame(99, 0xff, 0, b"hello"), Fine),
        ("4.1 unknown flags", frame(PING, 0xfe, 0, &[7; 8]), Fine),
        (
            "4.1 the reserved bit",
            frame(PING, 0, 1 << 31, &[7; 8]),
            Fine,
        ),
        (
            "4.2 a long DATA",
            [post(1, &[]), frame(DATA, 0, 1, &too_long)].concat(),
            Stream(SIZE),
        ),
        (
            "4.2 a long HEADERS",
            frame(HEADERS, 5, 1, &too_long),
            Connection(SIZE),
        ),
        (
            "6.3 a short PRIORITY",
            frame(PRIORITY, 0, 1, &[0; 4]),
            Stream(SIZE),
        ),
        (
            "6.4 a short RST_STREAM",
            [get(1), frame(RST_STREAM, 0, 1, &[0; 3])].concat(),
            Connection(SIZE),
        ),
        (
            "6.5 SETTINGS of no multiple of six",
            frame(SETTINGS, 0, 0, &[0; 5]),
            Connection(SIZE),
        ),
        (
            "6.5 an ACK that says something",
            frame(SETTINGS, ACK, 0, &[0; 6]),
            Connection(SIZE),
        ),
        (
            "6.7 a short PING",
            frame(PING, 0, 0, &[0; 6]),
            Connection(SIZE),
        ),
        (
            "6.9 a short WINDOW_UPDATE",
            frame(WINDOW_UPDATE, 0, 0, &[0; 3]),
            Connection(SIZE),
        ),
    ] {
        check(name, &bytes, outcome).await;
    }
}

#[tokio::test]
async fn headers_are_one_block_and_nothing_comes_between() {
    let start = frame(HEADERS, END_STREAM, 1, &block(&GET));
    let end = frame(CONTINUATION, END_HEADERS, 1, &block(&[("x", "1")]));
    for (name, bytes, outcome) in [
        (
            "4.3 a block in parts",
            [start.clone(), end.clone()].concat(),
            Fine,
        ),
        (
            "4.3 no block",
            frame(HEADERS, 5, 1, &[0xff; 8]),
            Connection(COMPRESSION),
        ),
        (
            "4.3 an index of nothing",
            frame(HEADERS, 5, 1, &[0xbf]),
            Connection(COMPRESSION),
        ),
        (
            "6.2 a PRIORITY between",
            [start.clone(), frame(PRIORITY, 0, 1, &[0; 5]), end.clone()].concat(),
            Connection(PROTOCOL),
        ),
        (
            "6.2 another stream between",
            [start.clone(), get(3)].concat(),
            Connection(PROTOCOL),
        ),
        (
            "4.1 an unknown frame between",
            [start.clone(), frame(99, 0, 1, &[]), end.clone()].concat(),
            Connection(PROTOCOL),
        ),
        (
            "6.10 of another stream",
            [start.clone(), frame(CONTINUATION, END_HEADERS, 3, &[])].concat(),
            Connection(PROTOCOL),
        ),
        (
            "6.10 after the end",
            [get(1), end.clone()].concat(),
            Connection(CLOSED),
        ),
        ("6.10 of nothing", end.clone(), Connection(PROTOCOL)),
        (
            "6.10 of stream 0",
            [start, frame(CONTINUATION, END_HEADERS, 0, &[])].concat(),
            Connection(PROTOCOL),
        ),
    ] {
        check(name, &bytes, outcome).await;
    }
}

#[tokio::test]
async fn streams_are_in_a_state_and_frames_have_to_fit() {
    let one = 1_u32.to_be_bytes();
    let cancel = frame(RST_STREAM, 0, 1, &8_u32.to_be_bytes());
    for (name, bytes, outcome) in [
        (
            "5.1 idle: DATA",
            frame(DATA, 0, 1, b"x"),
            Connection(PROTOCOL),
        ),
        ("5.1 idle: RST_STREAM", cancel.clone(), Connection(PROTOCOL)),
        (
            "5.1 idle: WINDOW_UPDATE",
            frame(WINDOW_UPDATE, 0, 1, &one),
            Connection(PROTOCOL),
        ),
        (
            "5.1 idle: PRIORITY",
            frame(PRIORITY, 0, 1, &[0, 0, 0, 3, 9]),
            Fine,
        ),
        (
            "5.1 half closed: DATA",
            [get(1), frame(DATA, 0, 1, b"x")].concat(),
            Stream(CLOSED),
        ),
        (
            "5.1 half closed: HEADERS",
            [get(1), get(1)].concat(),
            Stream(CLOSED),
        ),
        (
            "5.1 half closed: WINDOW_UPDATE",
            [get(1), frame(WINDOW_UPDATE, 0, 1, &one)].concat(),
            Fine,
        ),
        (
            "5.1 closed: DATA",
            [post(1, &[]), cancel.clone(), frame(DATA, 0, 1, b"x")].concat(),
            Stream(CLOSED),
        ),
        (
            "5.1 closed: PRIORITY",
            [get(1), cancel, frame(PRIORITY, 0, 1, &[0, 0, 0, 3, 9])].concat(),
            Fine,
        ),
        ("5.1.1 an even number", get(2), Connection(PROTOCOL)),
        (
            "5.1.1 a number that was passed",
            [get(5), get(3)].concat(),
            Connection(CLOSED),
        ),
    ] {
        check(name, &bytes, outcome).await;
    }
}

#[tokio::test]
async fn frames_belong_to_a_stream_or_to_the_connection() {
    for (name, bytes) in [
        ("6.1 DATA", frame(DATA, 0, 0, b"x")),
        (
            "6.1 more padding than DATA",
            [post(1, &[]), frame(DATA, PADDED, 1, &[9, 0])].concat(),
        ),
        ("6.2 HEADERS", frame(HEADERS, 5, 0, &block(&GET))),
        (
            "6.2 more padding than HEADERS",
            frame(HEADERS, 5 | PADDED, 1, &[9, 0]),
        ),
        ("6.3 PRIORITY", frame(PRIORITY, 0, 0, &[0; 5])),
        ("6.4 RST_STREAM", frame(RST_STREAM, 0, 0, &[0; 4])),
        ("6.5 SETTINGS", frame(SETTINGS, 0, 1, &[])),
        (
            "6.6 PUSH_PROMISE",
            [get(1), frame(PUSH_PROMISE, 4, 1, &[0, 0, 0, 2])].concat(),
        ),
        ("6.7 PING", frame(PING, 0, 1, &[0; 8])),
        ("6.8 GOAWAY", frame(GOAWAY, 0, 1, &[0; 8])),
    ] {
        check(name, &bytes, Connection(PROTOCOL)).await;
    }
}

#[tokio::test]
async fn settings_are_valid_and_acknowledged() {
    let setting = |id: u16, value: u32| {
        let payload = [&id.to_be_bytes()[..], &value.to_be_bytes()].concat();
        frame(SETTINGS, 0, 0, &payload)
    };
    for (name, bytes, outcome) in [
        ("6.5.2 ENABLE_PUSH", setting(2, 2), Connection(PROTOCOL)),
        (
            "6.5.2 INITIAL_WINDOW_SIZE",
            setting(4, 1 << 31),
            Connection(FLOW_SETTING),
        ),
        (
            "6.5.2 a small MAX_FRAME_SIZE",
            setting(5, 16_383),
            Connection(PROTOCOL),
        ),
        (
            "6.5.2 a large MAX_FRAME_SIZE",
            setting(5, 1 << 24),
            Connection(PROTOCOL),
        ),
        ("6.5.2 an unknown one", setting(0xff, 1), Fine),
    ] {
        check(name, &bytes, outcome).await;
    }
    let mut wire = Wire::open(Echo).await;
    let ours = wire.until(SETTINGS).await;
    assert_eq!(ours.flags, 0);
    // RFC 8441, section 3: WebSockets are welcome.
    assert!(
        ours.payload
            .chunks(6)
            .any(|setting| setting == [0, 8, 0, 0, 0, 1]),
        "{ours:?}"
    );
    assert_eq!(wire.until(SETTINGS).await.flags, ACK);
}

#[tokio::test]
async fn windows_neither_stand_still_nor_overflow() {
    let most = (u32::MAX >> 1).to_be_bytes();
    let nothing = [0; 4];
    for (name, bytes, outcome) in [
        (
            "6.9 nothing more",
            frame(WINDOW_UPDATE, 0, 0, &nothing),
            Connection(PROTOCOL),
        ),
        (
            "6.9 nothing more for a stream",
            [post(1, &[]), frame(WINDOW_UPDATE, 0, 1, &nothing)].concat(),
            Stream(PROTOCOL),
        ),
        (
            "6.9.1 too much",
            frame(WINDOW_UPDATE, 0, 0, &most),
            Connection(FLOW),
        ),
        (
            "6.9.1 too much for a stream",
            [post(1, &[]), frame(WINDOW_UPDATE, 0, 1, &most)].concat(),
            Stream(FLOW),
        ),
    ] {
        check(name, &bytes, outcome).await;
    }
}

#[tokio::test]
async fn a_response_waits_for_its_window() {
    let mut wire = Wire::open(Echo).await;
    // INITIAL_WINDOW_SIZE: one octet.
    wire.send(&frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 0, 1])).await;
    wire.send(&get(1)).await;

    assert_eq!(wire.until(DATA).await.payload, b"/");
    let (before, _) = wire.settle(1).await;
    assert!(before.iter().all(|frame| frame.kind != DATA), "{before:?}");
    wire.send(&frame(WINDOW_UPDATE, 0, 1, &9_u32.to_be_bytes()))
        .await;
    assert_eq!(wire.until(DATA).await.payload, b"a");
}

#[tokio::test]
async fn malformed_requests_end_their_stream() {
    let with = |more: &[(&str, &str)]| frame(HEADERS, 5, 1, &block(&[&GET[..], more].concat()));
    let only = |fields: &[(&str, &str)]| frame(HEADERS, 5, 1, &block(fields));
    let [method, scheme, authority, path] = GET;
    for (name, bytes) in [
        ("8.2.1 a capital", with(&[("X-a", "1")])),
        ("8.2.1 a blank in a name", with(&[("x a", "1")])),
        ("8.2.1 a line in a value", with(&[("x", "a\r\nhost: b")])),
        ("8.2.1 a zero in a value", with(&[("x", "a\0b")])),
        ("8.2.2 connection", with(&[("connection", "x-user-id")])),
        ("8.2.2 keep-alive", with(&[("keep-alive", "1")])),
        (
            "8.2.2 proxy-connection",
            with(&[("proxy-connection", "close")]),
        ),
        (
            "8.2.2 transfer-encoding",
            with(&[("transfer-encoding", "chunked")]),
        ),
        ("8.2.2 upgrade", with(&[("upgrade", "websocket")])),
        ("8.2.2 te", with(&[("te", "trailers, gzip")])),
        ("8.3 an unknown pseudo-header", with(&[(":user", "anna")])),
        ("8.3 one of responses", with(&[(":status", "200")])),
        (
            "8.3 one after the others",
            only(&[method, scheme, authority, ("x", "1"), path]),
        ),
        ("8.3.1 one twice", with(&[path])),
        ("8.3.1 no method", only(&[scheme, authority, path])),
        ("8.3.1 no scheme", only(&[method, authority, path])),
        ("8.3.1 no path", only(&[method, scheme, authority])),
        (
            "8.3.1 an empty path",
            only(&[method, scheme, authority, (":path", "")]),
        ),
        (
            "8.1.1 less than announced",
            [
                post(1, &[("content-length", "2")]),
                frame(DATA, END_STREAM, 1, b"x"),
            ]
            .concat(),
        ),
        (
            "8.1.1 more than announced",
            [
                post(1, &[("content-length", "1")]),
                frame(DATA, END_STREAM, 1, b"xy"),
            ]
            .concat(),
        ),
        (
            "8.1 trailers that do not end it",
            [
                post(1, &[]),
                frame(HEADERS, END_HEADERS, 1, &block(&[("x", "1")])),
            ]
            .concat(),
        ),
    ] {
        check(name, &bytes, Stream(PROTOCOL)).await;
    }
}

#[tokio::test]
async fn a_ping_is_answered_and_an_answer_is_not() {
    let mut wire = Wire::open(Echo).await;

    wire.send(&frame(PING, ACK, 0, &[1; 8])).await;
    let (frames, stands) = wire.settle(2).await;

    assert!(
        stands && frames.iter().all(|frame| frame.kind != PING),
        "{frames:?}"
    );
}

#[tokio::test]
async fn another_preface_is_not_http_2() {
    let mut wire = Wire::silent(Echo, crate::testing::settings());

    wire.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\r").await;

    let answer = crate::testing::read_all(&mut wire.stream).await;
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
}

async fn check(name: &str, bytes: &[u8], outcome: Outcome) {
    let mut wire = Wire::open(Echo).await;
    wire.send(bytes).await;
    let (mut frames, mut stands) = wire.settle(1).await;
    if stands {
        // What was under way while the ping was answered.
        let (more, still) = wire.settle(2).await;
        frames.extend(more);
        stands = still;
    }
    let end = |kind: u8| {
        frames
            .iter()
            .find(|frame| frame.kind == kind)
            .map(Frame::code)
    };
    let (away, reset) = (end(GOAWAY), end(RST_STREAM));
    let is_as_expected = match outcome {
        Connection(codes) => !stands && away.is_none_or(|code| codes.contains(&code)),
        Stream(codes) => away.or(reset).is_some_and(|code| codes.contains(&code)),
        Fine => stands && away.is_none() && reset.is_none(),
    };
    assert!(
        is_as_expected,
        "{name}: {outcome:?}, but {frames:?}, stands: {stands}"
    );
}
