//! One request and its response, and what is written down about them.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::request::Parts;
use http::{Method, Request, Response, StatusCode, Uri, Version};
use http_body::{Frame, SizeHint};
use tokio::time::Instant;

use super::activity::Busy;
use super::connection::Client;
use super::http1::head::Fault;
use super::http2::{self, Delivery, WebSocket};
use super::semantics::Semantics;
use super::switch::Switch;
use super::{Answer, Incoming, Peer, Service};
use crate::access_log;
use crate::actions::authorize::Stated;
use crate::body::{Body, BodyError};
use crate::hygiene::{self, Refusal};
use crate::metrics::{Present, RouteCounters};
use crate::rescue;
use crate::trace::{Step, within};

/// Answers one request. On HTTP/2 `delivery` is where it is said how far the response is.
///
/// What can be done at once is done before there is a future: every connection has room for a future of this size, and
/// it is moved as a whole.
pub(super) fn run<S: Service>(
    client: Arc<Client<S>>,
    request: Request<Incoming>,
    delivery: Option<Arc<Delivery>>,
) -> impl Future<Output = Response<Sent>> {
    let mut record = Record::begin(&client, || Asked::of(&request));
    let semantics = Semantics::of(&request);
    let mut admitted = admit(&client, request);
    let mut trace = None;
    if let Ok(admitted) = &mut admitted {
        let tracing = client.plan.settings.tracing;
        let step = tracing.enter(admitted.request.headers_mut());
        trace = step.map(|step| step.trace);
        record.follow(step);
    }
    async move {
        let mut answer: Answer = match &mut admitted {
            Ok(admitted) => {
                record.peer = admitted.peer;
                let answer = pin!(answer(&client.doorway.service, admitted));
                within(trace, answer).await
            }
            Err(refused) => {
                record.reason = Some(refused.reason);
                std::mem::take(&mut refused.response).into()
            }
        };
        semantics.hold(&mut answer.response);
        record.request = answer.request;
        record.route = answer.route;
        sent(answer.response, delivery, record)
    }
}

/// Answers what is no request. Nothing of it is written down: who can say what it is?
pub(super) fn refuse<S: Service>(client: &Client<S>, fault: Fault) -> Response<Sent> {
    let mut record = Record::begin(client, || Asked::Nothing);
    record.reason = Some(fault.reason());
    client.plan.settings.traffic.refused();
    sent(rescue::fault(fault), None, record)
}

fn sent(
    response: Response<Body>,
    delivery: Option<Arc<Delivery>>,
    mut record: Record,
) -> Response<Sent> {
    record.status = response.status();
    response.map(|body| Sent {
        body,
        rest: Bytes::new(),
        delivery,
        record,
    })
}

/// A request that was let in.
struct Admitted {
    request: Request<Body>,
    /// Who asks.
    peer: Peer,
    /// On HTTP/2, what the client wants to open.
    websocket: Option<WebSocket>,
}

/// The answer to one that was not.
struct Refused {
    response: Response<Body>,
    /// A word for logs that does not change.
    reason: &'static str,
}

/// Lets a request in, or answers it.
fn admit<S: Service>(
    client: &Client<S>,
    request: Request<Incoming>,
) -> Result<Admitted, Box<Refused>> {
    let settings = &client.plan.settings;
    let refused = |response, reason| {
        settings.traffic.refused();
        Box::new(Refused { response, reason })
    };
    let (mut parts, incoming) = request.into_parts();
    let (peer, websocket) = welcome(client, &mut parts).map_err(|refusal| {
        let reason = refusal.reason();
        // No fault of a client: somebody has to look at upstreams.
        if refusal == Refusal::Loop {
            tracing::warn!(path = parts.uri.path(), reason, "{refusal}");
        }
        refused(rescue::refusal(refusal), reason)
    })?;
    let limit = settings.limits.body_bytes.bytes();
    let body = Body::from_client(incoming, limit, settings.timeouts.idle.get());
    // It is said to be longer than it may be.
    let body = body.map_err(|error| refused(rescue::body(error), "body-too-large"))?;
    Ok(Admitted {
        request: Request::from_parts(parts, body),
        peer,
        websocket,
    })
}

/// Cleans a request, and says who asks. On HTTP/2 that may be somebody who wants a WebSocket.
fn welcome<S: Service>(
    client: &Client<S>,
    parts: &mut Parts,
) -> Result<(Peer, Option<WebSocket>), Refusal> {
    let websocket = match parts.version {
        Version::HTTP_2 => http2::adapt(parts)?,
        _ => {
            hygiene::locate(parts)?;
            None
        }
    };
    hygiene::inspect(parts)?;
    // Before anything is removed: a client could name in `Connection` what a proxy says.
    if client.sender.peer().is_trusted && client.doorway.service.is_asked() {
        Stated::note(parts);
    }
    hygiene::clean(parts)?;
    let trusted = &client.plan.settings.trusted_proxies;
    let peer = client.sender.introduce(&mut parts.headers, trusted)?;
    if websocket.is_some() {
        Switch::adopt(&mut parts.extensions);
        // Its stream may rest for as long as the tunnel stands, and the connection with it.
        parts.extensions.insert(Arc::new(client.activity.begin()));
    }
    Ok((peer, websocket))
}

async fn answer<S: Service>(service: &S, admitted: &mut Admitted) -> Answer {
    let mut answer = service.handle(&admitted.peer, &mut admitted.request).await;
    if let Some(websocket) = &admitted.websocket {
        answer.response = websocket.answer(answer.response);
    }
    answer
}

/// A response body on its way out. When it is gone the exchange is over, whether the client got all of it or not.
pub(super) struct Sent {
    body: Body,
    /// On HTTP/2, what is left of a part that was too large to be handed over at once.
    rest: Bytes,
    delivery: Option<Arc<Delivery>>,
    record: Record,
}

struct Record {
    busy: Busy,
    _present: Present,
    began: Instant,
    status: StatusCode,
    bytes: u64,
    request: Option<u64>,
    route: Option<Arc<RouteCounters>>,
    peer: Peer,
    /// Why it was not let in.
    reason: Option<&'static str>,
    // Only when somebody reads the access log.
    line: Option<Asked>,
    // In a box, because most have none.
    step: Option<Box<Step>>,
}

/// What is written down of what was asked.
enum Asked {
    Request(Method, Uri),
    /// It was no request.
    Nothing,
}

impl Asked {
    fn of(request: &Request<Incoming>) -> Self {
        Self::Request(request.method().clone(), request.uri().clone())
    }
}

impl Record {
    fn begin<S: Service>(client: &Client<S>, asked: impl FnOnce() -> Asked) -> Self {
        let busy = client.activity.begin();
        let line = access_log::is_on().then(asked);
        let status = CLIENT_CLOSED_REQUEST;
        Self {
            busy,
            _present: client.plan.settings.traffic.request(),
            began: Instant::now(),
            status,
            bytes: 0,
            request: None,
            route: None,
            peer: client.sender.peer(),
            reason: None,
            line,
            step: None,
        }
    }

    fn follow(&mut self, step: Option<Step>) {
        if self.line.is_some() {
            self.step = step.map(Box::new);
        }
    }
}

impl Sent {
    /// A client has to take each part in time: large ones are handed over piece by piece, so that a slow client is told
    /// from one that takes nothing.
    fn hand_over(&mut self, mut data: Bytes) -> Bytes {
        if let Some(delivery) = &self.delivery {
            self.rest = data.split_off(data.len().min(PIECE));
            delivery.hand_over();
            self.record.busy.earn();
        }
        self.record.bytes += data.len() as u64;
        data
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        if let Some(route) = &self.route {
            route.count(self.status, self.began.elapsed());
        }
        if let Some(asked) = &self.line {
            let (method, path) = match asked {
                Asked::Request(method, uri) => (Some(method), Some(uri.path())),
                Asked::Nothing => (None, None),
            };
            access_log::write(&access_log::Line {
                method,
                path,
                request: self.request,
                status: self.status,
                reason: self.reason,
                bytes: self.bytes,
                duration: self.began.elapsed(),
                route: self.route.as_deref().map_or("", RouteCounters::name),
                peer: self.peer,
                step: self.step.as_deref(),
            });
        }
    }
}

impl http_body::Body for Sent {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if !self.rest.is_empty() {
            let rest = std::mem::take(&mut self.rest);
            return Poll::Ready(Some(Ok(Frame::data(self.hand_over(rest)))));
        }
        match Pin::new(&mut self.body).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => Poll::Ready(Some(Ok(match frame.into_data() {
                Ok(data) => Frame::data(self.hand_over(data)),
                Err(trailers) => trailers,
            }))),
            Poll::Pending => {
                if let Some(delivery) = &self.delivery {
                    delivery.wait();
                }
                Poll::Pending
            }
            ended => ended,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

// What one frame of HTTP/2 holds unless a client wants more. A client that takes less in the idle time is too slow.
const PIECE: usize = 16 * 1024;

// The client went away before there was an answer; nginx has logged that as 499 for so long that everybody knows it.
const CLIENT_CLOSED_REQUEST: StatusCode = match StatusCode::from_u16(499) {
    Ok(status) => status,
    Err(_) => StatusCode::BAD_REQUEST,
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::Newest;

    #[test]
    fn a_request_under_way_weighs_little() {
        fn weight<A, B, C, F>(_: impl FnOnce(A, B, C) -> F) -> usize {
            size_of::<F>()
        }

        // Every HTTP/1.1 connection has room for one, and it is moved several times: 12 KiB were a third of what the
        // gateway did for a request.
        let weight = weight(run::<Newest>);
        assert!(weight <= 4_608, "{weight} bytes");
    }
}
