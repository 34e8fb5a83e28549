//! One request and its answer on one connection.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use http::header::{CONTENT_LENGTH, HeaderValue};
use http::{Request, Response, Version};
use tokio::time::Instant;

use super::Patience;
use super::attempt::{Extent, Spare};
use super::connection::{Connection, Incoming};
use super::failure::Failure;
use super::http1::{Asking, Http1, Lost};
use super::multiplex::Stream;
use crate::alarm::Alarm;
use crate::body::{Body, Phase, Upload};
use crate::http1::turn::let_others_go_on;

/// An answer up to its body.
pub(super) struct Answered {
    pub(super) response: Response<Incoming>,
    /// Whether the request is as it was before.
    pub(super) is_whole: bool,
}

impl Answered {
    /// Keeps what the next answer on the connection can be read into, of a request that nobody needs any more.
    pub(super) fn recycle(&mut self, request: &mut Request<Body>) {
        if let Incoming::Http1(incoming) = self.response.body_mut() {
            incoming.recycle(std::mem::take(request.headers_mut()));
        }
    }
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

/// Sends a request and waits for its answer. `spare` says whether the request is to be kept as it was, where that is
/// possible and not free.
pub(super) async fn run(
    connection: Connection,
    request: &mut Request<Body>,
    spare: Spare,
    patience: &Patience,
) -> Result<Answered, Failure> {
    let upload = request.body_mut().watch();
    let waiting = (upload.as_ref(), patience);
    match connection {
        Connection::Http1(connection) => http1(connection, request, waiting).await,
        // In a box, because its future is not small and HTTP/1.1 has none like it.
        Connection::Http2(stream) => Box::pin(http2(stream, request, spare, waiting)).await,
    }
}

async fn http1(
    mut connection: Box<Http1>,
    request: &mut Request<Body>,
    waiting: Waiting<'_>,
) -> Result<Answered, Failure> {
    let is_whole = request.body().is_replayable();
    let mut asking = Asking::new(request, &mut connection);
    let mut alarm = std::mem::take(&mut connection.alarm);
    let since = connection.since;
    let poll = |cx: &mut Context<'_>| connection.poll_answer(request, &mut asking, cx);
    let_others_go_on().await;
    let answer = wait(poll, &mut alarm, since, waiting).await;
    connection.alarm = alarm;
    let mut failure = match answer {
        Some(Ok(answer)) => {
            let response = connection.receive(answer, request, asking);
            return Ok(Answered {
                response: response.map(Incoming::Http1),
                is_whole,
            });
        }
        Some(Err(lost)) => Failure::lost(lost),
        None => Failure::late(),
    };
    failure.is_whole |= is_whole;
    Err(failure)
}

async fn http2(
    mut stream: Stream,
    request: &mut Request<Body>,
    spare: Spare,
    waiting: Waiting<'_>,
) -> Result<Answered, Failure> {
    let mut copy = match spare {
        Spare::Keep => copy(request),
        Spare::None => None,
    };
    let mut answer = pin!(stream.sender.try_send_request(std::mem::take(request)));
    let poll = |cx: &mut Context<'_>| answer.as_mut().poll(cx);
    let answer = wait(poll, &mut Alarm::default(), Instant::now(), waiting).await;
    let mut failure = match answer {
        Some(Ok(response)) => {
            let is_whole = put_back(copy, request);
            return Ok(Answered {
                response: response.map(|body| Incoming::Http2(body, stream)),
                is_whole,
            });
        }
        Some(Err(mut error)) => {
            // The connection and the others on it are as well as before.
            if let Some(error) = waiting.0.and_then(|upload| upload.failure()) {
                return Err(Failure::lost(Lost::Client(error)));
            }
            let unsent = error.take_message();
            let mut failure = Failure::http2(error.into_error());
            if unsent.is_some() {
                failure.extent = Extent::Untouched;
                copy = unsent;
            }
            failure
        }
        None => Failure::late(),
    };
    // It takes no more requests after one has failed.
    stream.retire();
    failure.is_whole = put_back(copy, request);
    Err(failure)
}

/// A copy for a second try.
fn copy(request: &Request<Body>) -> Option<Request<Body>> {
    let mut copy = Request::new(request.body().replay()?);
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = request.uri().clone();
    *copy.version_mut() = request.version();
    *copy.headers_mut() = request.headers().clone();
    Some(copy)
}

fn put_back(copy: Option<Request<Body>>, request: &mut Request<Body>) -> bool {
    copy.map(|copy| *request = copy).is_some()
}

type Waiting<'a> = (Option<&'a Arc<Upload>>, &'a Patience);

/// Waits for an answer to what is asked `since`. `None` when it does not come in time.
async fn wait<T>(
    mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>,
    alarm: &mut Alarm,
    since: Instant,
    (upload, patience): Waiting<'_>,
) -> Option<T> {
    let mut deadline = since + patience.read;
    poll_fn(|cx| {
        loop {
            if let Poll::Ready(answered) = poll(cx) {
                return Poll::Ready(Some(answered));
            }
            ready!(alarm.poll(Some(deadline), cx));
            match extension(upload, patience) {
                Some(later) => deadline = later,
                None => return Poll::Ready(None),
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
        (Phase::Done | Phase::Failed(_), since) => since + patience.read,
    };
    (deadline > now).then_some(deadline)
}
