//! What a response has to be whichever version of HTTP carries it (RFC 9110).

use http::header::{CONTENT_LENGTH, HeaderValue};
use http::{Method, Request, Response, StatusCode, Version};
use http_body::Body as _;

use super::Switch;
use crate::body::Body;
use crate::http1::length;

/// What a response depends on of its request.
pub(super) struct Semantics {
    method: Method,
    version: Version,
    offer: Offer,
}

/// Whether the client offers to speak another protocol on its connection.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Offer {
    Made,
    None,
}

impl Semantics {
    pub(super) fn of<B>(request: &Request<B>) -> Self {
        let offer = match request.extensions().get::<Switch>() {
            Some(_) => Offer::Made,
            None => Offer::None,
        };
        Self {
            method: request.method().clone(),
            version: request.version(),
            offer,
        }
    }

    /// Makes a response one that may be sent. A plugin may send any status, and any body with it.
    pub(super) fn hold(&self, response: &mut Response<Body>) {
        let status = response.status();
        let is_switch = status == StatusCode::SWITCHING_PROTOCOLS && self.offer == Offer::Made;
        if status.is_informational() && !is_switch {
            // What is not final is the plugin's defect, and what it says of its body was said of something else.
            *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            response.headers_mut().remove(CONTENT_LENGTH);
        }
        if !has_content(&self.method, response.status()) {
            empty(response);
        } else if self.version == Version::HTTP_2 {
            measure(response);
        }
    }
}

/// Whether a response has a body, which may be empty (RFC 9110 6.4.1).
pub(super) fn has_content(method: &Method, status: StatusCode) -> bool {
    let is_without = matches!(
        status,
        StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED | StatusCode::SWITCHING_PROTOCOLS
    );
    method != Method::HEAD && !is_without
}

/// Makes the length that is said that of the body, which a plugin may have mistaken or a middleware replaced. On HTTP/1.1
/// the body is framed by what is said of it, and nothing else is said.
fn measure(response: &mut Response<Body>) {
    let length = response.body().size_hint().exact();
    let headers = response.headers_mut();
    let mut said = headers.get_all(CONTENT_LENGTH).iter();
    let Some(first) = said.next() else {
        return;
    };
    let is_true = length.is_some()
        && said.next().is_none()
        && length::agreed([first.as_bytes()]) == Ok(length);
    match length {
        Some(length) if !is_true => {
            headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
        }
        Some(_) => {}
        None => drop(headers.remove(CONTENT_LENGTH)),
    }
}

/// Takes the body away, and keeps how long it would be, where that may be said (RFC 9110 8.6).
fn empty(response: &mut Response<Body>) {
    let body = std::mem::take(response.body_mut());
    let (status, headers) = (response.status(), response.headers_mut());
    if matches!(
        status,
        StatusCode::NO_CONTENT | StatusCode::SWITCHING_PROTOCOLS
    ) {
        headers.remove(CONTENT_LENGTH);
        return;
    }
    let said = headers.get(CONTENT_LENGTH).cloned();
    // That of what is not sent, which is never told from nothing.
    let length = said.or_else(|| match body.size_hint().exact() {
        None | Some(0) => None,
        Some(length) => Some(HeaderValue::from(length)),
    });
    if let Some(length) = length {
        headers.insert(CONTENT_LENGTH, length);
    }
}
