//! One request and its answer on one connection.

use std::error::Error;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Poll, ready};

use http::header::{CONTENT_LENGTH, HeaderValue};
use http::{Request, Response, Version};
use hyper::body::Incoming;
use tokio::time::Instant;

use super::attempt::{Extent, Failed};
use super::connection::Connection;
use super::pool::Http1;
use super::{Patience, UpstreamError};
use crate::alarm::Alarm;
use crate::body::{Body, BodyError, Phase, Upload};

/// How a request failed on a connection.
pub(super) enum Failure {
    /// It never reached the wire; here it is.
    Unsent(Box<Request<Body>>, hyper::Error),
    /// The upstream may have seen it.
    Sent(UpstreamError),
}

/// Makes the length that is announced the length of the body, which a middleware may have replaced.
pub(super) fn frame(request: &mut Request<Body>) {
    *request.version_mut() = Version::HTTP_11;
    let length = match request.body() {
        Body::Empty => 0,
        Body::Full(bytes) => bytes.len(),
        Body::Client(_) | Body::Upstream(_) => return,
    };
    let headers = request.headers_mut();
    if length > 0 || headers.contains_key(CONTENT_LENGTH) {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
}

/// A copy for a second try, where one might do no harm (RFC 9110 9.2.2). Only over HTTP/2 an upstream can say that it
/// has not touched a request.
pub(super) fn copy(request: &Request<Body>, connection: &Connection) -> Option<Request<Body>> {
    if !request.method().is_idempotent() && matches!(connection, Connection::Http1(_)) {
        return None;
    }
    let mut copy = Request::new(request.body().replay()?);
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = request.uri().clone();
    *copy.version_mut() = request.version();
    *copy.headers_mut() = request.headers().clone();
    Some(copy)
}

impl Failure {
    /// Whether it is what a kept connection is prone to, and says nothing about the upstream.
    pub(super) fn is_of_connection(&self) -> bool {
        match self {
            Self::Unsent(..) => true,
            Self::Sent(error) => is_untouched(error) || is_stale(error),
        }
    }

    /// What can be done with it, if there is a copy of the request.
    pub(super) fn with(self, copy: Option<Request<Body>>) -> Failed {
        match self {
            Self::Unsent(request, error) => Failed {
                error: UpstreamError::Failed(error),
                request: Some(request),
                extent: Extent::Untouched,
            },
            Self::Sent(error) => {
                let extent = match is_untouched(&error) {
                    true => Extent::Untouched,
                    false => Extent::Seen,
                };
                let is_harmless = |copy: &Request<Body>| {
                    extent == Extent::Untouched || copy.method().is_idempotent()
                };
                Failed {
                    error,
                    request: copy.filter(is_harmless).map(Box::new),
                    extent,
                }
            }
        }
    }
}

/// Whether the upstream says that it has not touched the request (RFC 9113 8.7).
fn is_untouched(error: &UpstreamError) -> bool {
    let UpstreamError::Failed(error) = error else {
        return false;
    };
    source::<h2::Error>(error).is_some_and(|error| {
        let is_refused = error.is_reset() && error.reason() == Some(h2::Reason::REFUSED_STREAM);
        // A stream fails with it only if its number is above the last one that the upstream has taken on.
        let is_after_the_last = error.is_go_away() && error.is_remote();
        is_refused || is_after_the_last
    })
}

/// Whether the connection was closed before any answer came: what a kept connection is prone to.
fn is_stale(error: &UpstreamError) -> bool {
    let UpstreamError::Failed(error) = error else {
        return false;
    };
    let http2 = source::<h2::Error>(error);
    let io = source::<io::Error>(error).or_else(|| http2?.get_io());
    let is_broken = matches!(
        io.map(io::Error::kind),
        Some(
            io::ErrorKind::BrokenPipe
                | io::ErrorKind::ConnectionReset
                | io::ErrorKind::UnexpectedEof
        )
    );
    error.is_canceled()
        || error.is_closed()
        || error.is_incomplete_message()
        // An HTTP/2 connection whose pings nobody answers.
        || error.is_timeout()
        || is_broken
}

/// Sends a request and waits for its answer.
///
/// Not an `async fn`: in the future of one there would be room for the request twice.
pub(super) fn run<'a>(
    connection: &'a mut Connection,
    mut request: Request<Body>,
    patience: &'a Patience,
) -> impl Future<Output = Result<Response<Incoming>, Failure>> + 'a {
    let upload = request.body_mut().watch();
    async move {
        let waiting = (upload.as_ref(), patience);
        let answer = match connection {
            Connection::Http1(Http1 { sender, alarm }) => {
                let answer = pin!(sender.try_send_request(request));
                wait(answer, alarm, waiting).await
            }
            Connection::Http2(stream) => {
                let answer = pin!(stream.sender.try_send_request(request));
                wait(answer, &mut Alarm::default(), waiting).await
            }
        };
        answer?.map_err(|mut error| match error.take_message() {
            Some(unsent) => Failure::Unsent(Box::new(unsent), error.into_error()),
            None => Failure::Sent(classify(error.into_error())),
        })
    }
}

async fn wait<F: Future>(
    mut answer: Pin<&mut F>,
    alarm: &mut Alarm,
    (upload, patience): (Option<&Arc<Upload>>, &Patience),
) -> Result<F::Output, Failure> {
    let mut deadline = Instant::now() + patience.read;
    poll_fn(|cx| {
        loop {
            if let Poll::Ready(answered) = answer.as_mut().poll(cx) {
                return Poll::Ready(Ok(answered));
            }
            ready!(alarm.poll(Some(deadline), cx));
            match extension(upload, patience) {
                Some(later) => deadline = later,
                None => return Poll::Ready(Err(Failure::Sent(UpstreamError::Timeout))),
            }
        }
    })
    .await
}

/// The time an upstream has for its answer begins when it has the request. `None` when it is up.
fn extension(upload: Option<&Arc<Upload>>, patience: &Patience) -> Option<Instant> {
    let now = Instant::now();
    let deadline = match upload?.phase() {
        // The body itself gives up on a client that stalls.
        (Phase::Client, _) => now + patience.write,
        (Phase::Upstream, since) => since + patience.write,
        (Phase::Done, since) => since + patience.read,
    };
    (deadline > now).then_some(deadline)
}

fn classify(error: hyper::Error) -> UpstreamError {
    match source::<BodyError>(&error) {
        Some(body) => UpstreamError::Client(*body),
        None => UpstreamError::Failed(error),
    }
}

fn source<E: Error + 'static>(error: &hyper::Error) -> Option<&E> {
    let chain = std::iter::successors(error.source(), |error| (*error).source());
    chain.into_iter().find_map(<dyn Error>::downcast_ref)
}
