//! The only place where an error becomes a status.
//!
//! The client learns the status and nothing else; what went wrong goes to the log, where the caller writes it. Every
//! match is exhaustive, so that a new error has to choose.

use abi::failure::Kind;
use http::header::{ALLOW, CONNECTION, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Response, StatusCode};

use crate::actions::authorize::OriginalError;
use crate::body::{Body, BodyError};
use crate::hygiene::Refusal;
use crate::router::NoRoute;
use crate::server::http1::head::Fault;
use crate::upstream::UpstreamError;

/// The answer to a request that is not let in. The connection ends with it: what follows on it cannot be trusted to
/// begin where it seems to.
pub fn refusal(refusal: Refusal) -> Response<Body> {
    let mut response = match refusal {
        Refusal::Connect => {
            let mut response = plain(StatusCode::METHOD_NOT_ALLOWED);
            response
                .headers_mut()
                .insert(ALLOW, HeaderValue::from_static(""));
            response
        }
        Refusal::Headers => plain(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE),
        Refusal::Loop => plain(StatusCode::LOOP_DETECTED),
        Refusal::Protocol => plain(StatusCode::NOT_IMPLEMENTED),
        Refusal::Blank
        | Refusal::DotSegments
        | Refusal::Forwarded
        | Refusal::Host
        | Refusal::Length
        | Refusal::Nul
        | Refusal::Target
        | Refusal::TwoReadings => plain(StatusCode::BAD_REQUEST),
    };
    response
        .headers_mut()
        .insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

/// The answer to what is no request.
pub fn fault(fault: Fault) -> Response<Body> {
    plain(match fault {
        Fault::Length | Fault::Line | Fault::Syntax | Fault::Target => StatusCode::BAD_REQUEST,
        Fault::Many | Fault::TooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
        Fault::TargetTooLong => StatusCode::URI_TOO_LONG,
    })
}

/// The answer when a WebSocket was wanted over HTTP/2 from somebody who knows of none.
pub fn no_websocket() -> Response<Body> {
    plain(StatusCode::NOT_IMPLEMENTED)
}

/// The answer to a proxy when it cannot be known what it asks about.
pub(crate) fn original(error: OriginalError) -> Response<Body> {
    plain(match error {
        OriginalError::Ambiguous(..)
        | OriginalError::Forged
        | OriginalError::Malformed(_)
        | OriginalError::Missing(_)
        | OriginalError::Refused(_)
        | OriginalError::Twice(_) => StatusCode::BAD_REQUEST,
        OriginalError::Untrusted => StatusCode::FORBIDDEN,
    })
}

/// The answer when a request has no route.
pub fn no_route(error: NoRoute<'_>) -> Response<Body> {
    match error {
        NoRoute::MethodNotAllowed(allow) => {
            let mut response = plain(StatusCode::METHOD_NOT_ALLOWED);
            response.headers_mut().insert(ALLOW, allow.clone());
            response
        }
        NoRoute::NotFound => plain(StatusCode::NOT_FOUND),
    }
}

/// The answer when a body could not be read.
pub fn body(error: BodyError) -> Response<Body> {
    plain(match error {
        BodyError::ClientGone | BodyError::Length | BodyError::Malformed => StatusCode::BAD_REQUEST,
        BodyError::ClientStalled => StatusCode::REQUEST_TIMEOUT,
        BodyError::SessionOver => StatusCode::UNAUTHORIZED,
        BodyError::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        BodyError::UpstreamGone => StatusCode::BAD_GATEWAY,
        BodyError::UpstreamStalled => StatusCode::GATEWAY_TIMEOUT,
    })
}

/// The answer when an upstream gave none.
pub fn upstream(error: &UpstreamError) -> Response<Body> {
    match error {
        UpstreamError::Client(error) => body(*error),
        UpstreamError::Busy | UpstreamError::NoneLeft(_) => unavailable(),
        UpstreamError::BadUpgrade | UpstreamError::Connect(_) | UpstreamError::Failed(_) => {
            plain(StatusCode::BAD_GATEWAY)
        }
        UpstreamError::ConnectTimeout | UpstreamError::Timeout => {
            plain(StatusCode::GATEWAY_TIMEOUT)
        }
    }
}

/// The answer when a middleware or an action failed. A kind that this gateway does not know is a failure like any
/// other.
pub fn failure(kind: Kind) -> Response<Body> {
    match kind {
        Kind::BAD_REQUEST => plain(StatusCode::BAD_REQUEST),
        Kind::FORBIDDEN => plain(StatusCode::FORBIDDEN),
        Kind::TOO_LARGE => plain(StatusCode::PAYLOAD_TOO_LARGE),
        Kind::UNAUTHORIZED => plain(StatusCode::UNAUTHORIZED),
        Kind::UNAVAILABLE => unavailable(),
        _ => plain(StatusCode::INTERNAL_SERVER_ERROR),
    }
}

/// For now nobody can answer.
fn unavailable() -> Response<Body> {
    let mut response = plain(StatusCode::SERVICE_UNAVAILABLE);
    response.headers_mut().insert(RETRY_AFTER, RETRY_SOON);
    response
}

/// A status with its own name as the body.
fn plain(status: StatusCode) -> Response<Body> {
    let text = status.canonical_reason().unwrap_or("error");
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, TEXT);
    response
}

// In seconds: an outage that ends within it is over before most clients ask again.
const RETRY_SOON: HeaderValue = HeaderValue::from_static("1");
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

#[cfg(test)]
mod tests {
    use http::Method;

    use super::*;
    use crate::router::{Pattern, Router};

    #[test]
    fn whose_fault_it_is_decides_the_class() {
        let of_client = UpstreamError::Client(BodyError::TooLarge);

        assert_eq!(upstream(&of_client).status(), 413);
        assert_eq!(upstream(&UpstreamError::Timeout).status(), 504);
        assert_eq!(body(BodyError::ClientStalled).status(), 408);
        assert_eq!(refusal(Refusal::Host).status(), 400);
    }

    #[test]
    fn an_outage_says_when_to_come_back() {
        let response = failure(Kind::UNAVAILABLE);

        assert_eq!(
            (
                response.status().as_u16(),
                &response.headers()["retry-after"]
            ),
            (503, &RETRY_SOON)
        );
        assert!(
            failure(Kind::INTERNAL)
                .headers()
                .get("retry-after")
                .is_none()
        );
    }

    #[test]
    fn another_method_is_answered_with_those_that_work() {
        let methods = [Method::GET, Method::PUT];
        let router = Router::new([Pattern {
            host: "",
            path: "/a",
            methods: &methods,
        }])
        .unwrap();

        let response = no_route(router.find("", "/a", &Method::POST).unwrap_err());

        assert_eq!(response.status(), 405);
        assert_eq!(response.headers()["allow"], "GET, PUT");
    }
}
