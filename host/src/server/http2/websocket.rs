//! WebSockets over HTTP/2 (RFC 8441): to everybody behind the door they are upgrades of HTTP/1.1.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{
    CONNECTION, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION,
    UPGRADE,
};
use http::request::Parts;
use http::{Method, Response, StatusCode, Uri};
use hyper::ext::Protocol;
use ring::rand::{SecureRandom, SystemRandom};

use crate::body::Body;
use crate::hygiene::Refusal;
use crate::{rescue, websocket};

/// A WebSocket that a client wants to open.
#[derive(Debug)]
pub(in crate::server) struct WebSocket(());

impl WebSocket {
    /// Turns an extended CONNECT into the request of an upgrade. `None` for a plain one, which asks for a tunnel to
    /// anywhere.
    pub(super) fn open(request: &mut Parts) -> Result<Option<Self>, Refusal> {
        let Some(protocol) = request.extensions.remove::<Protocol>() else {
            return Ok(None);
        };
        if protocol.as_str() != websocket::PROTOCOL {
            return Err(Refusal::Protocol);
        }
        let mut nonce = [0; 16];
        SystemRandom::new()
            .fill(&mut nonce)
            .map_err(|_| Refusal::Protocol)?;
        let key = STANDARD.encode(nonce);
        let path = request.uri.path_and_query().cloned();
        request.uri = path.map(Uri::from).ok_or(Refusal::Target)?;
        request.method = Method::GET;
        let headers = &mut request.headers;
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static(websocket::PROTOCOL));
        headers
            .entry(SEC_WEBSOCKET_VERSION)
            .or_insert(HeaderValue::from_static("13"));
        // Base64 is a header value.
        headers.insert(
            SEC_WEBSOCKET_KEY,
            HeaderValue::try_from(key).map_err(|_| Refusal::Protocol)?,
        );
        Ok(Some(Self(())))
    }

    /// Turns the answer to an upgrade into the answer to CONNECT. A success without an upgrade would be taken for an open
    /// WebSocket.
    pub(in crate::server) fn answer(&self, mut response: Response<Body>) -> Response<Body> {
        let status = response.status();
        if status == StatusCode::SWITCHING_PROTOCOLS {
            *response.status_mut() = StatusCode::OK;
            for name in [CONNECTION, UPGRADE, SEC_WEBSOCKET_ACCEPT] {
                response.headers_mut().remove(name);
            }
            return response;
        }
        match status.is_success() {
            true => rescue::no_websocket(),
            false => response,
        }
    }
}
