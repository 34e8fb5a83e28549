//! The opening of a WebSocket (RFC 6455, section 4): the one protocol that a connection may change to here.
//!
//! Behind any other, such as `h2c`, a client could send requests that no middleware sees.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{
    CONNECTION, CONTENT_LENGTH, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, TRANSFER_ENCODING, UPGRADE,
};
use http::request::Parts;
use http::{HeaderMap, HeaderName, Method, Version};
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};

use crate::http1::text;

/// Whether a request is the opening of a WebSocket. Others may name the protocol and mean nothing by it.
pub(crate) fn is_opening(request: &Parts) -> bool {
    let headers = &request.headers;
    let has_body = headers.contains_key(TRANSFER_ENCODING)
        || headers
            .get(CONTENT_LENGTH)
            .is_some_and(|length| length != "0");
    request.method == Method::GET
        && request.version != Version::HTTP_10
        && !has_body
        && says(headers, CONNECTION, b"upgrade")
        && says(headers, UPGRADE, PROTOCOL.as_bytes())
        && headers.contains_key(SEC_WEBSOCKET_KEY)
}

/// What an upstream has to say to whoever asked with these headers, so that it has understood. `None` for who did not ask.
pub(crate) fn expected(asked: &HeaderMap) -> Option<String> {
    let key = asked.get(SEC_WEBSOCKET_KEY)?;
    asked.contains_key(UPGRADE).then(|| accept(key.as_bytes()))
}

/// Whether an answer is the one that was [`expected`].
pub(crate) fn is_accepted(answer: &HeaderMap, expected: &str) -> bool {
    let accept = answer.get(SEC_WEBSOCKET_ACCEPT);
    says(answer, UPGRADE, PROTOCOL.as_bytes()) && accept.is_some_and(|accept| accept == expected)
}

/// RFC 6455, section 4.2.2.
pub(crate) fn accept(key: &[u8]) -> String {
    let text = [key, b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"].concat();
    STANDARD.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, &text))
}

fn says(headers: &HeaderMap, name: HeaderName, word: &[u8]) -> bool {
    text::says(headers.get_all(name), word)
}

/// What `Upgrade` says of it.
pub(crate) const PROTOCOL: &str = "websocket";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accept_is_that_of_the_standard() {
        assert_eq!(
            accept(b"dGhlIHNhbXBsZSBub25jZQ=="),
            "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
        );
    }
}
