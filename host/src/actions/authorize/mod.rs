//! `AuthorizeAction`: whether a request may pass that another proxy holds, and as whom.
//!
//! The proxy (nginx `auth_request`, Caddy `forward_auth`, Traefik, HAProxy, Envoy) asks about each request it gets and
//! keeps the request itself. The middlewares of the route run as if that request had come here: [`Original`] says
//! what it was. What they would have told an upstream becomes the answer's headers, for the proxy to copy.

mod original;
mod stated;

#[cfg(test)]
mod tests;

use http::header::{CACHE_CONTROL, LOCATION};
use http::{HeaderValue, Response, StatusCode};
use schemars::JsonSchema;
use serde::Deserialize;

use self::original::Original;
pub use self::original::{Asked, OriginalError, Wording};
pub(crate) use self::stated::ORIGINALS;
pub use self::stated::Stated;
use crate::body::Body;
use crate::exchange::Exchange;
use http::request::Parts;

/// Nothing to configure: each proxy is understood by the headers it sends.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AuthorizeConfig {}

/// How a route is asked about requests of others.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Inquiry {
    /// The original path is in a header.
    Headers,
    /// It stands behind this prefix, in the path of the question.
    Path(Box<str>),
}

impl Inquiry {
    /// By the pattern of its route. `None` when it has parameters, and it would be anybody's guess where it ends.
    pub fn of_route(pattern: &str) -> Option<Self> {
        if pattern.contains("/:") {
            return None;
        }
        Some(match pattern.strip_suffix("/*") {
            Some(prefix) => Self::Path(prefix.into()),
            None => Self::Headers,
        })
    }

    /// Puts the request in place that is asked about, and says what else is known of it.
    ///
    /// # Errors
    /// When that cannot be known, or whoever asks is no proxy of ours.
    pub fn open(
        &self,
        stated: Result<Stated, OriginalError>,
        request: &mut Parts,
    ) -> Result<Asked, OriginalError> {
        let stated = stated?;
        let below = match self {
            Self::Headers => None,
            Self::Path(prefix) => {
                let below = request.uri.path().strip_prefix(&**prefix);
                Some(below.unwrap_or_default())
            }
        };
        Original::read(&stated, below, request)?.apply(request)
    }
}

/// Answers that the request may pass. Of its headers the proxy learns those that only a middleware can have set.
pub(crate) fn allow(exchange: &mut Exchange) {
    let mut response = Response::new(Body::Empty);
    let headers = response.headers_mut();
    headers.extend(exchange.mapped());
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    exchange.set_response(response);
}

/// Says a redirect in the words of the proxy that asked. nginx knows only 2xx, 401 and 403; what else it hears is an
/// error to it, and its 401 keeps the `Location`.
pub(crate) fn reword(response: &mut Response<Body>, wording: Wording) {
    let is_redirect =
        response.status().is_redirection() && response.headers().contains_key(LOCATION);
    if wording == Wording::Nginx && is_redirect {
        *response.status_mut() = StatusCode::UNAUTHORIZED;
    }
}
