//! Connections that have become WebSockets: after a 101 (RFC 9110 7.8) nothing that passes is looked at.

use std::io;
use std::sync::Arc;

use abi::Session;
use bytes::Bytes;
use http::header::{CONNECTION, HeaderValue, UPGRADE};
use http::response::Parts;
use http::{HeaderMap, Response};
use tokio::io::{AsyncWriteExt, copy_bidirectional};
use tracing::{debug, info};

use super::flow::Side;
use crate::body::Body;
use crate::server::{Awaited, Busy, Switch};
use crate::stream::Stream;
use crate::{watch, websocket};

/// The client's half of a WebSocket that may come.
pub(super) struct Request {
    client: Awaited,
    /// What the upstream has to say, so that it has understood.
    expected: String,
    /// The stream on HTTP/2 that the tunnel takes.
    busy: Option<Arc<Busy>>,
    /// Whose end is the tunnel's.
    session: Option<Session>,
}

impl Request {
    /// Takes the client's half out of a request that opens a WebSocket, and asks the upstream for the same.
    pub(super) fn take<B>(request: &mut http::Request<B>) -> Option<Self> {
        let client = Switch::take(request.extensions_mut())?;
        let expected = websocket::expected(request.headers())?;
        ask(request.headers_mut());
        let busy = request.extensions_mut().remove::<Arc<Busy>>();
        let session = request.extensions_mut().remove();
        Some(Self {
            client,
            expected,
            busy,
            session,
        })
    }

    /// Whether the upstream speaks what the client has asked for from here on.
    pub(super) fn is_accepted(&self, headers: &HeaderMap) -> bool {
        websocket::is_accepted(headers, &self.expected)
    }

    /// Joins both sides once the client has its 101. The tunnel lives until both sides have closed, or one has and nothing
    /// more comes from the other or it never ends, the session it was opened with ends, or the worker does; `alive` lives as
    /// long.
    pub(super) fn accept(
        self,
        mut head: Parts,
        upstream: (Stream, Bytes),
        alive: impl Send + 'static,
    ) -> Response<Body> {
        crate::hygiene::strip_response(&mut head.headers);
        let protocol = HeaderValue::from_static(websocket::PROTOCOL);
        head.headers.insert(UPGRADE, protocol);
        ask(&mut head.headers);
        tokio::spawn(async move {
            tokio::select! {
                joined = join(self.client, upstream) => {
                    if let Err(error) = joined {
                        debug!(%error, "tunnel failed");
                    }
                }
                () = end(self.session) => info!(reason = "session-ended", "a tunnel is cut"),
            }
            drop((alive, self.busy));
        });
        Response::from_parts(head, Body::Empty)
    }
}

/// Waits for the end of the session, if there is one.
async fn end(session: Option<Session>) {
    match session {
        Some(session) => watch::end(session).await,
        None => std::future::pending().await,
    }
}

fn ask(headers: &mut HeaderMap) {
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
}

/// `first` has already come from the upstream.
async fn join(client: Awaited, (upstream, first): (Stream, Bytes)) -> io::Result<()> {
    let mut client = client.switched().await?;
    client.write_all(&first).await?;
    let flow = Arc::default();
    let (mut client, mut upstream) = (Side::new(client, &flow), Side::new(upstream, &flow));
    tokio::select! {
        copied = copy_bidirectional(&mut client, &mut upstream) => copied.map(drop),
        () = flow.run_dry() => Err(io::ErrorKind::TimedOut.into()),
    }
}
