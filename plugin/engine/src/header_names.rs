//! Header names that a configuration cannot have for itself.
//!
//! What is reserved for a mapping or for what upstreams write to a session is taken out of every message of the gateway,
//! on every route. That must not be what others live on.

use abi::Side;

/// Whether the gateway, or the protocol, needs a header of this name on this side, in any spelling.
pub(crate) fn is_taken(side: Side, name: &str) -> bool {
    let written = match side {
        Side::Request => REQUEST,
        Side::Response => RESPONSE,
    };
    let is_content = fold(name).take(CONTENT.len()).eq(CONTENT.bytes());
    let mut taken = MESSAGE.iter().chain(written);
    is_content || taken.any(|taken| fold(taken).eq(fold(name)))
}

/// A name as an upstream may fold it: without case, and without what is no letter or digit.
pub(crate) fn fold(name: &str) -> impl Iterator<Item = u8> {
    name.bytes()
        .filter(u8::is_ascii_alphanumeric)
        .map(|byte| byte.to_ascii_lowercase())
}

/// What a body is, in either direction: `Content-Type`, `Content-Length` and all their kind.
const CONTENT: &str = "content";

/// Framing and hop-by-hop headers (RFC 9110, section 7.6.1).
const MESSAGE: &[&str] = &[
    "Connection",
    "Keep-Alive",
    "Proxy-Connection",
    "TE",
    "Trailer",
    "Transfer-Encoding",
    "Upgrade",
    "Via",
];

/// Routing, the cookies that are the session's own way in, and what the gateway tells upstreams: who asked, for what (what
/// others call it is removed from every request), and in which trace.
const REQUEST: &[&str] = &[
    "Cookie",
    "Expect",
    "Forwarded",
    "Host",
    "Traceparent",
    "Tracestate",
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Method",
    "X-Forwarded-Proto",
    "X-Forwarded-Uri",
    "X-Original-Method",
    "X-Original-Uri",
    "X-Original-Url",
    "X-Rewrite-Url",
];

/// What the gateway and its actions tell clients, their cookies first of all.
const RESPONSE: &[&str] = &[
    "Allow",
    "Cache-Control",
    "Date",
    "Location",
    "Retry-After",
    "Set-Cookie",
    "Vary",
    "WWW-Authenticate",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_need_is_taken_in_every_spelling_and_on_its_side_only() {
        for (name, request, response) in [
            ("Connection", true, true),
            ("Content-Type", true, true),
            ("content_length", true, true),
            ("Set-Cookie", false, true),
            ("cache-control", false, true),
            ("COOKIE", true, false),
            ("X_Forwarded.For", true, false),
            ("X-Original-URL", true, false),
            ("Authorization", false, false),
            ("X-Forwarded-User", false, false),
            ("X-Session-Set", false, false),
            ("X-Content", false, false),
        ] {
            let taken = [Side::Request, Side::Response].map(|side| is_taken(side, name));

            assert_eq!(taken, [request, response], "{name}");
        }
    }
}
