//! A connection of HTTP/1.1: it is read the same in any pieces, and hyper reads nothing else where it is read at all.
#![no_main]
#![forbid(unsafe_code)]

use std::convert::Infallible;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Waker};

use bytes::{Bytes, BytesMut};
use fuzz::sent::Sent;
use gateway::http1::chunks::{Chunks, Part};
use gateway::server::http1::head::{Framing, Reader};
use http::HeaderMap;
use http::header::CONTENT_LENGTH;
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let size = bytes.first().map_or(1, |&byte| usize::from(byte) % 16 + 1);
    let ours = read([bytes]);
    assert_eq!(ours, read(bytes.chunks(size)));
    let theirs = read_by_hyper(bytes);
    assert!(theirs.starts_with(&ours), "{ours:?} {theirs:?}");
});

/// Method and target, headers, body and trailers.
type Seen = (String, HeaderMap, Vec<u8>, HeaderMap);

/// The requests that are there to their ends, up to the first that is refused or wants no other behind it.
fn read<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<Seen> {
    let mut connection = Connection::default();
    for piece in pieces {
        connection.received.extend_from_slice(piece);
        while connection.go_on() {}
    }
    connection.seen
}

#[derive(Default)]
struct Connection {
    received: BytesMut,
    current: Option<Body>,
    seen: Vec<Seen>,
    is_over: bool,
}

struct Body {
    of: Seen,
    chunks: Chunks,
    framing: Framing,
    is_last: bool,
}

impl Connection {
    /// Whether there was something to read.
    fn go_on(&mut self) -> bool {
        if self.is_over || self.received.is_empty() {
            return false;
        }
        let went_on = match self.current.take() {
            None => self.head(),
            Some(body) => self.body(body),
        };
        self.is_over |= went_on.is_none();
        went_on.unwrap_or_default()
    }

    fn head(&mut self) -> Option<bool> {
        let read = Reader::new(16 * 1024).read(&mut self.received).ok()?;
        let Some((asked, rest)) = read else {
            return Some(false);
        };
        self.received = BytesMut::from(rest);
        let head = asked.head;
        let mut headers = head.headers;
        // hyper passes on what was said twice; by the bodies they agree.
        headers.remove(CONTENT_LENGTH);
        let name = format!("{} {}", head.method, head.uri);
        let body = Body {
            of: (name, headers, Vec::new(), HeaderMap::new()),
            chunks: Chunks::default(),
            framing: asked.framing,
            is_last: !asked.wish.is_kept || asked.wish.is_offer,
        };
        self.end_or(body);
        Some(true)
    }

    fn body(&mut self, mut body: Body) -> Option<bool> {
        let mut input = self.received.split().freeze();
        match &mut body.framing {
            Framing::Length(left) => {
                let length = (*left).min(input.len() as u64);
                *left -= length;
                body.of.2.extend(&input.split_to(length as usize)[..]);
            }
            Framing::Chunked => {
                while let Some(part) = body.chunks.next(&mut input).ok()? {
                    match part {
                        Part::Data(data) => body.of.2.extend(&data[..]),
                        Part::Trailers(trailers) => body.of.3 = trailers,
                    }
                }
            }
        }
        self.received = BytesMut::from(input);
        self.end_or(body);
        Some(true)
    }

    fn end_or(&mut self, body: Body) {
        let is_end = match body.framing {
            Framing::Length(left) => left == 0,
            Framing::Chunked => body.chunks.is_done(),
        };
        if is_end {
            self.is_over = body.is_last;
            self.seen.push(body.of);
        } else {
            self.current = Some(body);
        }
    }
}

/// What hyper takes for requests that have come to their ends.
fn read_by_hyper(bytes: &[u8]) -> Vec<Seen> {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let service = service_fn(|request: Request<Incoming>| {
        let seen = Arc::clone(&seen);
        async move {
            let name = format!("{} {}", request.method(), request.uri());
            let (head, body) = request.into_parts();
            let mut headers = head.headers;
            headers.remove(CONTENT_LENGTH);
            if let Ok(body) = body.collect().await {
                let trailers = body.trailers().cloned().unwrap_or_default();
                let body = body.to_bytes().to_vec();
                seen.lock().unwrap().push((name, headers, body, trailers));
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
