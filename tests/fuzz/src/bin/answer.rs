//! An answer of an upstream in HTTP/1.1: it is read the same in any pieces, and hyper reads nothing else where it reads
//! it at all.
#![no_main]
#![forbid(unsafe_code)]

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use bytes::{Bytes, BytesMut};
use fuzz::sent::Sent;
use gateway::http1::chunks::{Chunks, Part};
use gateway::upstream::http1::Error;
use gateway::upstream::http1::answer::{Answer, parse};
use gateway::upstream::http1::framing::Framing;
use http::header::CONTENT_LENGTH;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http1;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some((&first, bytes)) = bytes.split_first() else {
        return;
    };
    let method = match first & 1 {
        0 => Method::GET,
        _ => Method::HEAD,
    };
    let size = usize::from(first >> 1) % 16 + 1;
    let whole = read(&method, [bytes]);
    assert_eq!(whole, read(&method, bytes.chunks(size)));
    if let Some(mut ours) = whole
        && let Some(mut theirs) = read_by_hyper(&method, bytes)
    {
        // hyper passes on what was said twice; by the bodies they agree.
        ours.1.remove(CONTENT_LENGTH);
        theirs.1.remove(CONTENT_LENGTH);
        assert_eq!(ours, theirs);
    }
});

/// Status, headers, body and trailers.
type Seen = (StatusCode, HeaderMap, Vec<u8>, HeaderMap);

/// `None` where it is refused, or not all there.
fn read<'a>(method: &Method, pieces: impl IntoIterator<Item = &'a [u8]>) -> Option<Seen> {
    let mut received = BytesMut::new();
    let (mut answer, mut interim) = (None, 0);
    for piece in pieces {
        match &mut answer {
            None => {
                received.extend_from_slice(piece);
                if let Some((head, mut rest)) =
                    parse(&mut received, method, &mut interim, &mut HeaderMap::new()).ok()?
                {
                    let mut body = Body::new(&head);
                    body.take(&mut rest).ok()?;
                    answer = Some((head, body));
                }
            }
            Some((_, body)) => body.take(&mut Bytes::copy_from_slice(piece)).ok()?,
        }
    }
    let (answer, body) = answer?;
    let seen = (
        answer.head.status,
        answer.head.headers,
        body.data,
        body.trailers,
    );
    (body.left == Left::Nothing || body.left == Left::UntilClose).then_some(seen)
}

struct Body {
    left: Left,
    chunks: Chunks,
    data: Vec<u8>,
    trailers: HeaderMap,
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Left {
    Chunks,
    Length(u64),
    Nothing,
    UntilClose,
}

impl Body {
    fn new(answer: &Answer) -> Self {
        let left = match answer.framing {
            Framing::Chunked => Left::Chunks,
            Framing::Length(0) => Left::Nothing,
            Framing::Length(length) => Left::Length(length),
            Framing::UntilClose => Left::UntilClose,
        };
        Self {
            left,
            chunks: Chunks::default(),
            data: Vec::new(),
            trailers: HeaderMap::new(),
        }
    }

    fn take(&mut self, input: &mut Bytes) -> Result<(), Error> {
        match self.left {
            Left::Nothing => {}
            Left::UntilClose => self.data.extend(&input[..]),
            Left::Length(left) => {
                let length = left.min(input.len() as u64);
                self.data.extend(&input[..length as usize]);
                self.left = match left - length {
                    0 => Left::Nothing,
                    left => Left::Length(left),
                };
            }
            Left::Chunks => {
                while let Some(part) = self.chunks.next(input)? {
                    match part {
                        Part::Data(data) => self.data.extend(&data[..]),
                        Part::Trailers(trailers) => self.trailers = trailers,
                    }
                }
                if self.chunks.is_done() {
                    self.left = Left::Nothing;
                }
            }
        }
        Ok(())
    }
}

fn read_by_hyper(method: &Method, bytes: &[u8]) -> Option<Seen> {
    let (mut sender, mut connection) =
        now(pin!(http1::handshake(Sent(BytesMut::from(bytes)))))?.ok()?;
    let request = Request::builder()
        .method(method)
        .uri("/")
        .header("host", "a");
    let request = request.body(Empty::<Bytes>::new()).ok()?;
    let mut answer = pin!(async {
        let answer = sender.send_request(request).await.ok()?;
        let (head, body) = answer.into_parts();
        let body = body.collect().await.ok()?;
        let trailers = body.trailers().cloned().unwrap_or_default();
        Some((
            head.status,
            head.headers,
            body.to_bytes().to_vec(),
            trailers,
        ))
    });
    // Nothing is waited for: all that will come is there.
    for _ in 0..1 << 12 {
        let mut cx = Context::from_waker(Waker::noop());
        let _ = Pin::new(&mut connection).poll(&mut cx);
        if let Poll::Ready(answer) = answer.as_mut().poll(&mut cx) {
            return answer;
        }
    }
    None
}

fn now<F: Future>(future: Pin<&mut F>) -> Option<F::Output> {
    match future.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}
