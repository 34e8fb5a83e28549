//! A connection of HTTP/1.1: what is followed on the way to the parser is read there as it was followed, whatever of it
//! is refused, and no line feed stands alone.
#![no_main]
#![forbid(unsafe_code)]

use std::convert::Infallible;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Waker};

use bytes::{Bytes, BytesMut};
use fuzz::sent::Sent;
use gateway::server::heads::{Fault, Heads};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut heads = Heads::default();
    let found = heads.follow(bytes);

    let mut pieces = Heads::default();
    let size = bytes.first().map_or(1, |&byte| usize::from(byte) % 16 + 1);
    let mut at = 0;
    let in_pieces = bytes.chunks(size).try_for_each(|piece| {
        let found = pieces.follow(piece).map_err(|Fault(byte)| Fault(at + byte));
        at += piece.len();
        found
    });
    assert_eq!(in_pieces, found);

    match found {
        Err(Fault(at)) => {
            let refused = [&bytes[..at], Heads::REFUSED, Heads::REFUSED].concat();
            let (whole, strict) = (requests(bytes), requests(&refused));
            assert!(whole.starts_with(&strict), "{whole:?} {strict:?}");
            assert_eq!(strict, requests(&bytes[..at]));
        }
        Ok(()) if has_no_bodies(bytes) => {
            let mut lines = bytes.split_inclusive(|&byte| byte == b'\n');
            let is_well = |line: &[u8]| line.ends_with(b"\r\n") || !line.ends_with(b"\n");
            assert!(lines.all(is_well));
        }
        Ok(()) => {}
    }
});

fn has_no_bodies(bytes: &[u8]) -> bool {
    let text = bytes.to_ascii_lowercase();
    let has = |word: &[u8]| text.windows(word.len()).any(|part| part == word);
    !has(b"content-length") && !has(b"transfer-encoding") && !has(b"upgrade")
}

/// What the parser takes for requests that have come to their ends.
fn requests(bytes: &[u8]) -> Vec<(String, Bytes)> {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let service = service_fn(|request: Request<Incoming>| {
        let seen = Arc::clone(&seen);
        async move {
            let name = format!("{} {}", request.method(), request.uri());
            if let Ok(body) = request.into_body().collect().await {
                seen.lock().unwrap().push((name, body.to_bytes()));
            }
            Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new()))
        }
    });
    let mut builder = http1::Builder::new();
    builder.header_read_timeout(None).half_close(true);
    let connection = builder.serve_connection(Sent(BytesMut::from(bytes)), service);
    let mut connection = pin!(connection);
    // Nothing is waited for: all that will come is there.
    for _ in 0..1 << 12 {
        let mut cx = Context::from_waker(Waker::noop());
        if connection.as_mut().poll(&mut cx).is_ready() {
            break;
        }
    }
    std::mem::take(&mut *seen.lock().unwrap())
}
