//! Calls to providers: the only file that knows of an HTTP client.
//!
//! Each call has a connection of its own: a provider is asked once in a while for a session, not at every request, and a
//! connection that was kept may be gone just when a refresh token that works once is sent over it. Redirects are not
//! followed: a provider's endpoints are where its configuration says, and secrets go nowhere else.

mod wire;

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Bytes;
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, USER_AGENT};
use hyper::{HeaderMap, Method, Request, StatusCode};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::pki_types::ServerName;
use url::{Host, Position, Url};

use crate::runtime::{Runtime, entered};

/// Calls the endpoints of one provider.
pub(super) struct Client {
    runtime: Arc<Runtime>,
    /// None where no endpoint is behind TLS.
    tls: Option<Arc<ClientConfig>>,
    limits: Limits,
}

/// What a provider may take.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Limits {
    /// Until there is a connection, TLS included.
    pub(super) connect: Duration,
    /// From the beginning until the whole answer is there.
    pub(super) call: Duration,
}

/// One call.
pub(super) struct Call<'a> {
    pub(super) url: &'a Url,
    /// A form to post; a call without one is a `GET`.
    pub(super) form: Option<String>,
    /// The value of `Authorization`.
    pub(super) authorization: Option<String>,
}

/// What a provider answered.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// Why there is no answer. Nothing of what was sent is in here.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum CallError {
    /// The connection broke before the whole answer was there. The provider may have done what it was asked for.
    #[error("the connection broke: {0}")]
    Broken(String),
    /// No connection: nothing was sent.
    #[error("cannot connect: {0}")]
    Connect(String),
    /// No connection in time: nothing was sent.
    #[error("no connection within {0:?}")]
    ConnectTimeout(Duration),
    /// This machine has no threads left.
    #[error("cannot start threads: {0}")]
    Threads(String),
    /// No whole answer in time.
    #[error("no answer within {0:?}")]
    Timeout(Duration),
    /// More than a provider has to say.
    #[error("the answer has more than {MAX_BODY} bytes")]
    TooLarge,
}

impl CallError {
    /// The word in logs and metrics.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Broken(_) => "connection-broken",
            Self::Connect(_) => "connect",
            Self::ConnectTimeout(_) => "connect-timeout",
            Self::Threads(_) => "threads",
            Self::Timeout(_) => "timeout",
            Self::TooLarge => "too-large",
        }
    }

    /// Whether the provider may have done what it was asked for, and only its answer is lost.
    pub const fn is_after_sending(&self) -> bool {
        match self {
            Self::Broken(_) | Self::Timeout(_) | Self::TooLarge => true,
            Self::Connect(_) | Self::ConnectTimeout(_) | Self::Threads(_) => false,
        }
    }
}

impl Client {
    pub(super) const fn new(
        runtime: Arc<Runtime>,
        tls: Option<Arc<ClientConfig>>,
        limits: Limits,
    ) -> Self {
        Self {
            runtime,
            tls,
            limits,
        }
    }

    /// What the calls run on.
    pub(super) const fn runtime(&self) -> &Arc<Runtime> {
        &self.runtime
    }

    /// Calls, once. May be polled on any thread.
    ///
    /// # Errors
    /// When there is no whole answer within the limits.
    pub(super) async fn call(&self, call: Call<'_>) -> Result<Answer, CallError> {
        let threads = |error: io::Error| CallError::Threads(error.to_string());
        let handle = self.runtime.start().map_err(threads)?.clone();
        entered(handle, async {
            timeout(self.limits.call, self.talk(call))
                .await
                .unwrap_or(Err(CallError::Timeout(self.limits.call)))
        })
        .await
    }

    async fn talk(&self, call: Call<'_>) -> Result<Answer, CallError> {
        let connected = timeout(self.limits.connect, self.connect(call.url));
        let stream = connected
            .await
            .unwrap_or(Err(CallError::ConnectTimeout(self.limits.connect)))?;
        wire::exchange(stream, call.into_request()?).await
    }

    async fn connect(&self, url: &Url) -> Result<wire::Stream, CallError> {
        let failed = |error: io::Error| CallError::Connect(error.to_string());
        let port = url.port_or_known_default().unwrap_or(443);
        let host = url
            .host()
            .ok_or_else(|| failed(io::ErrorKind::InvalidInput.into()))?;
        let tcp = match host {
            Host::Domain(name) => TcpStream::connect((name, port)).await,
            Host::Ipv4(address) => TcpStream::connect((address, port)).await,
            Host::Ipv6(address) => TcpStream::connect((address, port)).await,
        };
        let tcp = tcp.map_err(failed)?;
        tcp.set_nodelay(true).map_err(failed)?;
        if url.scheme() != "https" {
            return Ok(Box::pin(tcp));
        }
        let tls = self
            .tls
            .as_ref()
            .ok_or_else(|| CallError::Connect("no TLS was configured".into()))?;
        let secured = TlsConnector::from(Arc::clone(tls)).connect(server_name(&host)?, tcp);
        Ok(Box::pin(secured.await.map_err(failed)?))
    }
}

impl Call<'_> {
    fn into_request(self) -> Result<Request<String>, CallError> {
        let target = &self.url[Position::BeforePath..Position::AfterQuery];
        let host = &self.url[Position::BeforeHost..Position::AfterPort];
        let mut request = Request::builder()
            .uri(target)
            .header(HOST, host)
            .header(ACCEPT, "application/json")
            .header(
                USER_AGENT,
                concat!("session.so/", env!("CARGO_PKG_VERSION")),
            );
        if let Some(authorization) = self.authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        let request = match self.form {
            Some(form) => request
                .method(Method::POST)
                .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(form),
            None => request.body(String::new()),
        };
        // The cause may quote a secret.
        request.map_err(|_| CallError::Connect("what is to be sent is no valid request".into()))
    }
}

fn server_name(host: &Host<&str>) -> Result<ServerName<'static>, CallError> {
    match host {
        Host::Domain(name) => ServerName::try_from((*name).to_owned()).map_err(|_| {
            CallError::Connect("the host is no name that a certificate can have".into())
        }),
        Host::Ipv4(address) => Ok(std::net::IpAddr::from(*address).into()),
        Host::Ipv6(address) => Ok(std::net::IpAddr::from(*address).into()),
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

/// In bytes. A key set of some hundred keys is smaller.
pub(super) const MAX_BODY: usize = 512 * 1024;
