//! One request and its response, and what is written down about them.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::request::Parts;
use http::{Method, Request, Response, StatusCode, Uri};
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::Instant;

use super::activity::Activity;
use super::connection::{Client, Doorway};
use super::{Answer, Peer, Service};
use crate::access_log;
use crate::body::{Body, BodyError};
use crate::hygiene::{self, Refusal};
use crate::metrics::RouteCounters;
use crate::rescue;

pub(super) async fn run<S: Service>(
    client: &Client<S>,
    request: Request<Incoming>,
) -> Response<Sent> {
    let activity = Arc::clone(&client.activity);
    let mut record = Record::begin(activity, client.sender.peer(), &request);
    let (mut parts, incoming) = request.into_parts();
    let answer = match admit(client, &mut parts) {
        Ok(peer) => {
            record.peer = peer;
            answer(client, peer, parts, incoming).await
        }
        Err(refusal) => rescue::refusal(refusal).into(),
    };
    record.status = answer.response.status();
    record.request = answer.request;
    record.route = answer.route;
    answer.response.map(|body| Sent { body, record })
}

/// Lets a request in, or not, and says who asks.
fn admit<S: Service>(client: &Client<S>, parts: &mut Parts) -> Result<Peer, Refusal> {
    hygiene::inspect(parts)?;
    hygiene::clean(parts);
    let trusted = &client.doorway.plan.settings.trusted_proxies;
    Ok(client.sender.introduce(&mut parts.headers, trusted)?)
}

async fn answer<S: Service>(
    client: &Client<S>,
    peer: Peer,
    parts: Parts,
    incoming: Incoming,
) -> Answer {
    let Doorway { service, plan, .. } = &*client.doorway;
    let settings = &plan.settings;
    let limit = settings.limits.body_bytes.bytes();
    match Body::from_client(incoming, limit, settings.timeouts.idle.get()) {
        Ok(body) => service.handle(&peer, parts, body).await,
        Err(error) => rescue::body(error).into(),
    }
}

/// A response body on its way out. When it is gone the exchange is over, whether the client got all of it or not.
pub(super) struct Sent {
    body: Body,
    record: Record,
}

struct Record {
    activity: Arc<Activity>,
    began: Instant,
    status: StatusCode,
    bytes: u64,
    request: Option<u64>,
    route: Option<Arc<RouteCounters>>,
    peer: Peer,
    // Only when somebody reads the access log.
    line: Option<(Method, Uri)>,
}

impl Record {
    fn begin(activity: Arc<Activity>, peer: Peer, request: &Request<Incoming>) -> Self {
        activity.begin();
        let line = access_log::is_on().then(|| (request.method().clone(), request.uri().clone()));
        let status = CLIENT_CLOSED_REQUEST;
        Self {
            activity,
            began: Instant::now(),
            status,
            bytes: 0,
            request: None,
            route: None,
            peer,
            line,
        }
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        self.activity.end();
        if let Some(route) = &self.route {
            route.count(self.status);
        }
        if let Some((method, uri)) = &self.line {
            access_log::write(&access_log::Line {
                method,
                path: uri.path(),
                request: self.request,
                status: self.status,
                bytes: self.bytes,
                duration: self.began.elapsed(),
                route: self.route.as_deref().map_or("", RouteCounters::name),
                peer: self.peer,
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
        let poll = Pin::new(&mut self.body).poll_frame(cx);
        if let Poll::Ready(Some(Ok(frame))) = &poll {
            self.record.bytes += frame.data_ref().map_or(0, |data| data.len() as u64);
        }
        poll
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

// The client went away before there was an answer; nginx has logged that as 499 for so long that everybody knows it.
const CLIENT_CLOSED_REQUEST: StatusCode = match StatusCode::from_u16(499) {
    Ok(status) => status,
    Err(_) => StatusCode::BAD_REQUEST,
};
