//! The request that a proxy asks about.

use std::str::FromStr;

use http::header::HOST;
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{HeaderValue, Method, Uri};

use super::stated::{
    FORWARDED_HOST, FORWARDED_METHOD, FORWARDED_PROTO, FORWARDED_URI, ORIGINAL_METHOD,
    ORIGINAL_URI, ORIGINAL_URL, Stated,
};
use crate::hygiene::{self, Refusal};
use crate::server::Scheme;

/// The request that a proxy asks about.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Original {
    method: Method,
    target: PathAndQuery,
    host: HeaderValue,
    asked: Asked,
}

/// What is known of an original request that has no place in a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Asked {
    /// How the client asked.
    pub scheme: Scheme,
    /// Whose words the answer has to be in.
    pub wording: Wording,
}

/// What a proxy understands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Wording {
    /// Every status, and passes what is no 2xx on to the client.
    Any,
    /// 2xx, 401 and 403.
    Nginx,
}

/// Why it cannot be known what a proxy asks about.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum OriginalError {
    /// Several proxies' words, and they do not say the same.
    #[error("{0} and {1} contradict each other; the proxy has to set or remove what clients send")]
    Ambiguous(&'static str, &'static str),
    /// A header that could be taken for a mapped one, which the proxy would not overwrite.
    #[error("the client sent a mapped header in another spelling")]
    Forged,
    /// Something else than the header is for.
    #[error("{0} cannot be read")]
    Malformed(&'static str),
    /// A part of the request is not told.
    #[error("{0} is missing; docs/forward-auth.md has what each proxy must send")]
    Missing(&'static str),
    /// What would not be let in had it come here.
    #[error("{0}")]
    Refused(#[from] Refusal),
    /// A part is told twice.
    #[error("{0} is there twice; the proxy has to set what clients send, not to add to it")]
    Twice(&'static str),
    /// Whoever asks is no proxy of ours.
    #[error("the sender is none of server.trustedProxies")]
    Untrusted,
}

impl Original {
    /// Finds out what is asked about. `below` is what stands behind the prefix of the route, where it has one: Envoy puts
    /// the path there. Otherwise it is in a header: nginx's or that of the others.
    ///
    /// # Errors
    /// With what is missing, or contradicts itself.
    pub(crate) fn read(
        stated: &Stated,
        below: Option<&str>,
        request: &Parts,
    ) -> Result<Self, OriginalError> {
        match below {
            Some(path) => Self::in_path(stated, path, request),
            None => Self::in_headers(stated),
        }
    }

    /// Makes it the request that the middlewares see. It has to pass what would be asked of it at the door.
    ///
    /// # Errors
    /// With what the door says.
    pub(super) fn apply(self, request: &mut Parts) -> Result<Asked, OriginalError> {
        request.method = self.method;
        request.uri = Uri::from(self.target);
        request.headers.insert(HOST, self.host);
        hygiene::inspect(request)?;
        Ok(self.asked)
    }

    fn in_headers(stated: &Stated) -> Result<Self, OriginalError> {
        let of_nginx = match (stated.get(ORIGINAL_URI)?, stated.get(ORIGINAL_URL)?) {
            (Some(_), _) => Some(ORIGINAL_URI),
            (None, Some(_)) => Some(ORIGINAL_URL),
            (None, None) => None,
        };
        match (of_nginx, stated.get(FORWARDED_URI)?) {
            (Some(_), None) => Self::of_nginx(stated),
            (None, Some(_)) => Self::forwarded(stated),
            (Some(name), Some(_)) => Err(OriginalError::Ambiguous(name, FORWARDED_URI)),
            (None, None) => Err(OriginalError::Missing(FORWARDED_URI)),
        }
    }

    /// Caddy, Traefik, HAProxy.
    fn forwarded(stated: &Stated) -> Result<Self, OriginalError> {
        if stated.get(ORIGINAL_METHOD)?.is_some() {
            return Err(OriginalError::Ambiguous(FORWARDED_METHOD, ORIGINAL_METHOD));
        }
        Ok(Self {
            method: method(stated, FORWARDED_METHOD)?,
            target: target(stated.text(FORWARDED_URI)?, FORWARDED_URI)?,
            host: host(stated)?,
            asked: asked(stated, Wording::Any)?,
        })
    }

    /// nginx, which has no words of its own: these are those of its manual and of its ingress controller.
    fn of_nginx(stated: &Stated) -> Result<Self, OriginalError> {
        if stated.get(FORWARDED_METHOD)?.is_some() {
            return Err(OriginalError::Ambiguous(ORIGINAL_METHOD, FORWARDED_METHOD));
        }
        let method = method(stated, ORIGINAL_METHOD)?;
        if stated.get(ORIGINAL_URL)?.is_none() {
            return Ok(Self {
                method,
                target: target(stated.text(ORIGINAL_URI)?, ORIGINAL_URI)?,
                host: host(stated)?,
                asked: asked(stated, Wording::Nginx)?,
            });
        }
        let url = Url::parse(stated.text(ORIGINAL_URL)?)?;
        if let Some(uri) = stated.get(ORIGINAL_URI)? {
            url.agrees_with(uri, stated)?;
        }
        Ok(Self {
            method,
            target: url.target,
            host: url.host,
            asked: Asked {
                scheme: url.scheme,
                wording: Wording::Nginx,
            },
        })
    }

    /// Envoy: method and host are those of the authorization request itself.
    fn in_path(stated: &Stated, path: &str, request: &Parts) -> Result<Self, OriginalError> {
        for name in [
            ORIGINAL_METHOD,
            ORIGINAL_URI,
            ORIGINAL_URL,
            FORWARDED_METHOD,
            FORWARDED_URI,
        ] {
            if stated.get(name)?.is_some() {
                return Err(OriginalError::Ambiguous(PATH, name));
            }
        }
        let text = match request.uri.query() {
            Some(query) => format!("{path}?{query}"),
            None => path.to_owned(),
        };
        let host = request
            .headers
            .get(HOST)
            .ok_or(OriginalError::Missing("host"))?;
        Ok(Self {
            method: request.method.clone(),
            target: target(&text, PATH)?,
            host: host.clone(),
            asked: asked(stated, Wording::Any)?,
        })
    }
}

/// A URL taken apart.
struct Url {
    scheme: Scheme,
    host: HeaderValue,
    target: PathAndQuery,
}

impl Url {
    fn parse(text: &str) -> Result<Self, OriginalError> {
        let malformed = OriginalError::Malformed(ORIGINAL_URL);
        let (name, rest) = text.split_once("://").ok_or(malformed)?;
        let path = rest.find('/').ok_or(malformed)?;
        let (authority, path) = rest.split_at(path);
        Ok(Self {
            scheme: scheme(name, ORIGINAL_URL)?,
            host: HeaderValue::from_str(authority).map_err(|_| malformed)?,
            target: target(path, ORIGINAL_URL)?,
        })
    }

    /// One of the two is the proxy's. If it is the URI, then so are host and scheme beside it, and the URL a client's.
    fn agrees_with(&self, uri: &HeaderValue, stated: &Stated) -> Result<(), OriginalError> {
        let differs = |name| Err(OriginalError::Ambiguous(name, ORIGINAL_URL));
        if uri != self.target.as_str() {
            return differs(ORIGINAL_URI);
        }
        if (stated.get(FORWARDED_HOST)?).is_some_and(|host| *host != self.host) {
            return differs(FORWARDED_HOST);
        }
        match stated.get(FORWARDED_PROTO)? {
            Some(_) if scheme(stated.text(FORWARDED_PROTO)?, FORWARDED_PROTO)? != self.scheme => {
                differs(FORWARDED_PROTO)
            }
            _ => Ok(()),
        }
    }
}

fn method(stated: &Stated, name: &'static str) -> Result<Method, OriginalError> {
    Method::from_str(stated.text(name)?).map_err(|_| OriginalError::Malformed(name))
}

/// What stood in the request line. It is no URL of a page: a `#` in it would be a part that gets lost.
fn target(text: &str, name: &'static str) -> Result<PathAndQuery, OriginalError> {
    if !text.starts_with('/') || text.contains('#') {
        return Err(OriginalError::Malformed(name));
    }
    PathAndQuery::from_str(text).map_err(|_| OriginalError::Malformed(name))
}

fn host(stated: &Stated) -> Result<HeaderValue, OriginalError> {
    let host = stated.get(FORWARDED_HOST)?;
    host.cloned().ok_or(OriginalError::Missing(FORWARDED_HOST))
}

fn asked(stated: &Stated, wording: Wording) -> Result<Asked, OriginalError> {
    let scheme = scheme(stated.text(FORWARDED_PROTO)?, FORWARDED_PROTO)?;
    Ok(Asked { scheme, wording })
}

/// Traefik says `ws` and `wss` of a WebSocket.
fn scheme(text: &str, name: &'static str) -> Result<Scheme, OriginalError> {
    match text.to_ascii_lowercase().as_str() {
        "http" | "ws" => Ok(Scheme::Http),
        "https" | "wss" => Ok(Scheme::Https),
        _ => Err(OriginalError::Malformed(name)),
    }
}

const PATH: &str = "the path below the route";

impl OriginalError {
    /// A word for logs that does not change.
    pub(crate) const fn reason(self) -> &'static str {
        match self {
            Self::Ambiguous(..) | Self::Twice(_) => "original-ambiguous",
            Self::Forged => "forged-header",
            Self::Malformed(_) => "original-malformed",
            Self::Missing(_) => "original-missing",
            Self::Refused(_) => "original-refused",
            Self::Untrusted => "untrusted-proxy",
        }
    }
}
