//! Where an upstream is.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::str::FromStr;

use http::Uri;
use http::header::{HOST, HeaderMap, HeaderValue};
use http::uri::{Authority, PathAndQuery};
use tokio::net::{TcpStream, UnixStream};

use crate::stream::Stream;

/// `http://host:port[/base]` or `unix:/path`.
#[derive(Clone, Debug)]
pub struct Endpoint {
    place: Place,
    // Without a trailing slash; empty for requests that are passed on as they are.
    base: String,
    // For requests that name no host themselves.
    host: HeaderValue,
}

#[derive(Clone, Debug)]
enum Place {
    Tcp(Authority),
    Unix(PathBuf),
}

/// The text is no endpoint.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum EndpointError {
    /// Anything but the two forms.
    #[error("expected `http://host:port`, with a base path if needed, or `unix:/path`")]
    Malformed,
    /// A scheme that is not spoken.
    #[error("only `http://` and `unix:` are supported")]
    Scheme,
    /// User, password or query, which would be silently dropped.
    #[error("an endpoint has neither a user nor a query")]
    Surplus,
}

impl Endpoint {
    /// The target of a request as this upstream is to see it.
    pub(super) fn target(&self, uri: &Uri) -> Uri {
        let asked = uri.path_and_query().map_or("/", PathAndQuery::as_str);
        if self.base.is_empty() && uri.authority().is_none() {
            return uri.clone();
        }
        // Both halves are valid already, so the whole is.
        format!("{}{asked}", self.base)
            .parse()
            .unwrap_or_else(|_| uri.clone())
    }

    /// HTTP/1.0 clients may name no host; every HTTP/1.1 request has to (RFC 9112 3.2).
    pub(super) fn name_host(&self, headers: &mut HeaderMap) {
        headers.entry(HOST).or_insert_with(|| self.host.clone());
    }

    pub(super) async fn connect(&self) -> io::Result<Stream> {
        match &self.place {
            Place::Tcp(authority) => {
                let host = authority.host().trim_matches(['[', ']']);
                let stream = TcpStream::connect((host, authority.port_u16().unwrap_or(80))).await?;
                stream.set_nodelay(true)?;
                Ok(Stream::Tcp(stream))
            }
            Place::Unix(path) => UnixStream::connect(path).await.map(Stream::Unix),
        }
    }
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, EndpointError> {
        if let Some(path) = text.strip_prefix("unix:") {
            let path = PathBuf::from(path);
            let place = path.is_absolute().then_some(Place::Unix(path));
            let place = place.ok_or(EndpointError::Malformed)?;
            return Ok(Self {
                place,
                base: String::new(),
                host: HeaderValue::from_static("localhost"),
            });
        }
        let uri: Uri = text.parse().map_err(|_| EndpointError::Malformed)?;
        let authority = uri.authority().ok_or(EndpointError::Malformed)?;
        match uri.scheme_str() {
            Some("http") => {}
            Some(_) => return Err(EndpointError::Scheme),
            None => return Err(EndpointError::Malformed),
        }
        if uri.query().is_some() || authority.as_str().contains('@') {
            return Err(EndpointError::Surplus);
        }
        let host = HeaderValue::try_from(authority.as_str());
        let host = host.map_err(|_| EndpointError::Malformed)?;
        let base = uri.path().trim_end_matches('/').to_owned();
        Ok(Self {
            place: Place::Tcp(authority.clone()),
            base,
            host,
        })
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Tcp(authority) => write!(f, "http://{authority}{}", self.base),
            Place::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_is_put_in_front() {
        let target = |endpoint: &str, uri: &str| {
            let endpoint: Endpoint = endpoint.parse().unwrap();
            endpoint.target(&uri.parse().unwrap()).to_string()
        };

        assert_eq!(target("http://a:80", "/x?y"), "/x?y");
        assert_eq!(target("http://a:80/", "/x?y"), "/x?y");
        assert_eq!(target("http://a:80/base/", "/x?y"), "/base/x?y");
        assert_eq!(target("http://a:80", "http://other/x"), "/x");
        assert_eq!(target("unix:/run/a.sock", "/x"), "/x");
    }

    #[test]
    fn what_is_no_endpoint_is_refused() {
        let error = |text: &str| text.parse::<Endpoint>().unwrap_err();

        assert_eq!(error("localhost:80"), EndpointError::Malformed);
        assert_eq!(error("/a"), EndpointError::Malformed);
        assert_eq!(error("unix:a"), EndpointError::Malformed);
        assert_eq!(error("https://a"), EndpointError::Scheme);
        assert_eq!(error("http://u:p@a"), EndpointError::Surplus);
        assert_eq!(error("http://a/?b"), EndpointError::Surplus);
    }
}
