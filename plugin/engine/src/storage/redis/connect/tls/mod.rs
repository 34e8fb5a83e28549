//! How a connection is secured.

use std::fmt;
use std::io;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, Error, SupportedProtocolVersion, version};

use crate::storage::redis::fault::Fault;
use crate::trust::Trust;

/// What secures the connections to all servers of a deployment. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Tls {
    config: Arc<ClientConfig>,
    name: Option<ServerName<'static>>,
}

/// What we show to a server that asks who we are.
#[derive(Debug)]
pub(crate) struct Identity {
    pub(crate) chain: Vec<CertificateDer<'static>>,
    pub(crate) key: PrivateKeyDer<'static>,
}

/// The oldest protocol that is good enough.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Oldest {
    Tls12,
    Tls13,
}

impl Tls {
    /// # Errors
    /// When the key of the identity is of a kind that cannot sign, or is not that of its certificate.
    pub(crate) fn new(
        trust: Trust,
        identity: Option<Identity>,
        oldest: Oldest,
    ) -> Result<Self, Error> {
        let config = trust.client(oldest.and_newer())?;
        let config = match identity {
            Some(Identity { chain, key }) => config.with_client_auth_cert(chain, key)?,
            None => config.with_no_client_auth(),
        };
        Ok(Self {
            config: Arc::new(config),
            name: None,
        })
    }

    /// Expects certificates for `name`, whatever the servers are called.
    #[must_use]
    pub(crate) fn expecting(self, name: Option<ServerName<'static>>) -> Self {
        Self { name, ..self }
    }

    pub(super) async fn secure<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        host: &str,
        stream: S,
    ) -> Result<TlsStream<S>, Fault> {
        let name = match &self.name {
            Some(name) => name.clone(),
            None => ServerName::try_from(host.to_owned())
                .map_err(|_| Fault::configure("the host is no name that a certificate can have"))?,
        };
        TlsConnector::from(Arc::clone(&self.config))
            .connect(name, stream)
            .await
            .map_err(|error| fault(&error))
    }
}

/// A certificate that is refused, on either side, is for an operator to change.
fn fault(error: &io::Error) -> Fault {
    match error.get_ref().and_then(|inner| inner.downcast_ref()) {
        Some(error @ (Error::AlertReceived(_) | Error::InvalidCertificate(_))) => {
            Fault::configure(format!("TLS: {error}"))
        }
        Some(error @ Error::InvalidMessage(_)) => Fault::lost(format!(
            "TLS: {error}; if the port speaks none, change `tls.enabled`, or the scheme of `url`"
        )),
        Some(error) => Fault::lost(format!("TLS: {error}")),
        None => Fault::of_stream(error),
    }
}

impl Oldest {
    fn and_newer(self) -> &'static [&'static SupportedProtocolVersion] {
        match self {
            Self::Tls12 => ALL_VERSIONS,
            Self::Tls13 => NEWEST_VERSION,
        }
    }
}

static ALL_VERSIONS: &[&SupportedProtocolVersion] = &[&version::TLS13, &version::TLS12];
static NEWEST_VERSION: &[&SupportedProtocolVersion] = &[&version::TLS13];

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
