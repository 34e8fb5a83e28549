//! One request and its answer on one connection.

use std::error::Error;
use std::io;
use std::pin::pin;
use std::sync::Arc;

use http::header::{CONTENT_LENGTH, HeaderValue};
use http::request::Parts;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::http1::SendRequest;
use tokio::time::{Instant, timeout_at};

use super::{Patience, UpstreamError};
use crate::body::{Body, BodyError, Phase, Upload};

/// How a request failed on a connection.
pub(super) enum Failure {
    /// It never reached the wire; here it is.
    Unsent(Box<Request<Body>>, hyper::Error),
    /// The upstream may have seen it.
    Sent(UpstreamError),
}

impl Failure {
    pub(super) fn into_error(self) -> UpstreamError {
        match self {
            Self::Unsent(_, error) => UpstreamError::Failed(error),
            Self::Sent(error) => error,
        }
    }
}

/// Makes the length that is announced the length of the body, which a middleware may have replaced.
pub(super) fn frame(parts: &mut Parts, body: &Body) {
    match body {
        Body::Empty => {
            if let Some(length) = parts.headers.get_mut(CONTENT_LENGTH) {
                *length = HeaderValue::from_static("0");
            }
        }
        Body::Full(bytes) => {
            parts
                .headers
                .insert(CONTENT_LENGTH, HeaderValue::from(bytes.len()));
        }
        Body::Client(_) | Body::Upstream(_) => {}
    }
}

/// A copy for a second try, when a second try does no harm (RFC 9110 9.2.2).
pub(super) fn copy(request: &Request<Body>) -> Option<Request<Body>> {
    if !request.method().is_idempotent() {
        return None;
    }
    let mut copy = Request::new(request.body().replay()?);
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = request.uri().clone();
    *copy.headers_mut() = request.headers().clone();
    Some(copy)
}

/// Whether the connection was closed before any answer came: what a kept connection is prone to.
pub(super) fn is_stale(error: &UpstreamError) -> bool {
    let UpstreamError::Failed(error) = error else {
        return false;
    };
    let broken = || {
        let kind = source::<io::Error>(error).map(io::Error::kind);
        matches!(
            kind,
            Some(io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset)
        )
    };
    error.is_canceled() || error.is_closed() || error.is_incomplete_message() || broken()
}

pub(super) async fn run(
    mut connection: SendRequest<Body>,
    mut request: Request<Body>,
    patience: &Patience,
) -> Result<(Response<Incoming>, SendRequest<Body>), Failure> {
    let upload = request.body_mut().watch();
    let mut answer = pin!(connection.try_send_request(request));
    let mut deadline = Instant::now() + patience.read;
    let answered = loop {
        match timeout_at(deadline, answer.as_mut()).await {
            Ok(answered) => break answered,
            Err(_) => match extension(upload.as_ref(), patience) {
                Some(later) => deadline = later,
                None => return Err(Failure::Sent(UpstreamError::Timeout)),
            },
        }
    };
    match answered {
        Ok(response) => Ok((response, connection)),
        Err(mut error) => Err(match error.take_message() {
            Some(unsent) => Failure::Unsent(Box::new(unsent), error.into_error()),
            None => Failure::Sent(classify(error.into_error())),
        }),
    }
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
