//! Upgraded connections: after a 101 both sides speak whatever they like (RFC 9110 7.8).

use std::sync::Arc;

use http::header::{CONNECTION, HeaderValue, UPGRADE};
use http::request::Parts;
use http::{HeaderMap, Response};
use hyper::body::Incoming;
use hyper::upgrade::{OnUpgrade, on};
use hyper_util::rt::TokioIo;
use tokio::io::copy_bidirectional;

use crate::body::Body;
use crate::server::Busy;

/// The client's half of an upgrade that may come.
pub(super) struct Request {
    client: OnUpgrade,
    /// The stream on HTTP/2 that the tunnel takes.
    busy: Option<Arc<Busy>>,
}

impl Request {
    /// Takes the client's half out of a request that asks for an upgrade, and asks the upstream for the same.
    pub(super) fn take(parts: &mut Parts) -> Option<Self> {
        let client = parts.extensions.remove::<OnUpgrade>()?;
        if !parts.headers.contains_key(UPGRADE) {
            return None;
        }
        ask(&mut parts.headers);
        let busy = parts.extensions.remove::<Arc<Busy>>();
        Some(Self { client, busy })
    }

    /// Joins both sides once the client has its 101. The tunnel lives until one side closes, or the worker ends; `alive`
    /// lives as long.
    pub(super) fn accept(
        self,
        mut response: Response<Incoming>,
        alive: impl Send + 'static,
    ) -> Response<Body> {
        let upstream = on(&mut response);
        let (mut head, _) = response.into_parts();
        let protocol = head.headers.get(UPGRADE).cloned();
        crate::hygiene::strip_response(&mut head.headers);
        if let Some(protocol) = protocol {
            head.headers.insert(UPGRADE, protocol);
            ask(&mut head.headers);
        }
        tokio::spawn(async move {
            if let Err(error) = join(self.client, upstream).await {
                tracing::debug!(%error, "tunnel failed");
            }
            drop((alive, self.busy));
        });
        Response::from_parts(head, Body::Empty)
    }
}

fn ask(headers: &mut HeaderMap) {
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
}

async fn join(
    client: OnUpgrade,
    upstream: OnUpgrade,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let (client, upstream) = (client.await?, upstream.await?);
    copy_bidirectional(&mut TokioIo::new(client), &mut TokioIo::new(upstream)).await?;
    Ok(())
}
