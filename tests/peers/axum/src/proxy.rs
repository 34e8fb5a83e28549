//! Who the user is becomes two headers of the request that the upstream gets.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::uri::{Authority, Scheme};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tower_sessions::Session;

/// The server behind the proxy.
#[derive(Clone)]
pub(crate) struct Upstream {
    client: Client<HttpConnector, Body>,
    authority: Authority,
}

impl Upstream {
    /// Connects when the first request comes.
    ///
    /// # Errors
    /// When the address is not of the form `host:port`.
    pub(crate) fn new(address: &str) -> Result<Self, axum::http::uri::InvalidUri> {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        Ok(Self {
            client: Client::builder(TokioExecutor::new()).build(connector),
            authority: address.parse()?,
        })
    }

    fn locate(&self, requested: &Uri) -> Result<Uri, axum::http::Error> {
        let path = requested.path_and_query().map_or("/", |path| path.as_str());
        Uri::builder()
            .scheme(Scheme::HTTP)
            .authority(self.authority.clone())
            .path_and_query(path)
            .build()
    }
}

/// Passes a request on, with what its session says of the user.
///
/// # Errors
/// With 503 when the storage does not answer, with 502 when the upstream does not, with 400 when the path is none.
pub(crate) async fn forward(
    State(upstream): State<Upstream>,
    session: Session,
    mut request: Request,
) -> Result<Response, StatusCode> {
    for (header, attribute) in MAPPED {
        let value = session.get::<String>(attribute).await;
        let value = value.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
        set(request.headers_mut(), header, value)?;
    }
    *request.uri_mut() = upstream
        .locate(request.uri())
        .map_err(|_| StatusCode::BAD_REQUEST)?;
    let answer = upstream.client.request(request).await;
    Ok(answer.map_err(|_| StatusCode::BAD_GATEWAY)?.into_response())
}

/// A client cannot say who it is: what it sent is replaced, or goes.
fn set(
    headers: &mut HeaderMap,
    header: HeaderName,
    value: Option<String>,
) -> Result<(), StatusCode> {
    match value {
        Some(value) => {
            let value = HeaderValue::try_from(value);
            headers.insert(
                header,
                value.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?,
            )
        }
        None => headers.remove(header),
    };
    Ok(())
}

const MAPPED: [(HeaderName, &str); 2] = [
    (HeaderName::from_static("x-user-id"), "user_id"),
    (header::AUTHORIZATION, "authorization"),
];
