//! How connections to an upstream are secured.

mod anybody;
mod config;

use std::fmt;
use std::io;
use std::sync::Arc;

use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, Error, RootCertStore, version};

use self::anybody::Anybody;
use super::protocol::Protocol;
use crate::stream::Stream;
use crate::tls::{HTTP_1, HTTP_2};

pub(crate) use config::TlsConfig;

/// What secures the connections to one upstream. Workers share it, and with it the tickets by which a server knows
/// the gateway again.
#[derive(Clone)]
pub(crate) struct Tls {
    // Offers what the upstream may speak.
    any: Arc<ClientConfig>,
    // Offers HTTP/1.1 alone: for upgrades, which HTTP/2 has in another form.
    http1: Arc<ClientConfig>,
    name: Option<ServerName<'static>>,
}

/// Who is taken for the upstream.
#[derive(Debug)]
enum Trust {
    /// Whoever answers.
    Anybody,
    /// Whoever shows a certificate for its name that one of these has signed.
    SignedBy(RootCertStore),
}

/// What we show to an upstream that asks who we are.
#[derive(Debug)]
struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

impl Tls {
    /// # Errors
    /// When the key of the identity is of a kind that cannot sign, or is not that of its certificate.
    fn new(trust: Trust, identity: Option<Identity>, protocol: Protocol) -> Result<Self, Error> {
        // Named here and nowhere set for the whole process: plugins bring providers of their own.
        let provider = Arc::new(ring::default_provider());
        let config = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&[&version::TLS13, &version::TLS12])?;
        let config = match trust {
            Trust::SignedBy(roots) => config.with_root_certificates(roots),
            Trust::Anybody => config
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(Anybody::new(provider))),
        };
        let mut config = match identity {
            Some(Identity { chain, key }) => config.with_client_auth_cert(chain, key)?,
            None => config.with_no_client_auth(),
        };
        config.alpn_protocols = vec![HTTP_1.to_vec()];
        let http1 = Arc::new(config.clone());
        config.alpn_protocols = match protocol {
            Protocol::Either => vec![HTTP_2.to_vec(), HTTP_1.to_vec()],
            Protocol::Http1 => vec![HTTP_1.to_vec()],
            Protocol::Http2 => vec![HTTP_2.to_vec()],
        };
        Ok(Self {
            any: Arc::new(config),
            http1,
            name: None,
        })
    }

    /// Expects certificates for `name`, whatever the upstream is called.
    fn expecting(self, name: Option<ServerName<'static>>) -> Self {
        Self { name, ..self }
    }

    /// Shakes hands, and says which protocol was chosen. An upstream that chooses none speaks HTTP/1.1, unless
    /// `protocol` says that it speaks HTTP/2.
    pub(super) async fn secure(
        &self,
        host: &str,
        stream: Stream,
        protocol: Protocol,
    ) -> io::Result<(Stream, Protocol)> {
        let name = match &self.name {
            Some(name) => name.clone(),
            None => ServerName::try_from(host.to_owned()).map_err(io::Error::other)?,
        };
        let config = match protocol {
            Protocol::Http1 => &self.http1,
            Protocol::Either | Protocol::Http2 => &self.any,
        };
        let stream = TlsConnector::from(Arc::clone(config))
            .connect(name, stream)
            .await?;
        let chosen = match (stream.get_ref().1.alpn_protocol(), protocol) {
            (Some(HTTP_2), _) | (None, Protocol::Http2) => Protocol::Http2,
            _ => Protocol::Http1,
        };
        Ok((Stream::Tls(Box::new(stream.into())), chosen))
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
