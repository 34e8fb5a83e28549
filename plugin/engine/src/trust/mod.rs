//! Whose certificates are taken for good, wherever this plugin opens a connection over TLS.

mod anybody;

use std::path::Path;
use std::sync::Arc;

use abi::config::Faults;
use tokio_rustls::rustls::client::WantsClientCert;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::{Error as PemError, PemObject};
use tokio_rustls::rustls::{
    ClientConfig, ConfigBuilder, Error, RootCertStore, SupportedProtocolVersion,
};

use self::anybody::Anybody;

/// Who is taken for the server.
#[derive(Clone, Debug)]
pub(crate) enum Trust {
    /// Whoever answers.
    Anybody,
    /// Whoever shows a certificate for its name that one of these has signed.
    SignedBy(RootCertStore),
}

impl Trust {
    /// Those whose certificates are in the file at `path`, in PEM. Faults are at `caFile`.
    ///
    /// # Errors
    /// When the file cannot be read, or holds none.
    pub(crate) fn signed_by(path: &Path) -> Result<Self, Faults> {
        let mut roots = RootCertStore::empty();
        for certificate in certificates(path, "caFile")? {
            let added = roots.add(certificate);
            added.map_err(|error| {
                Faults::at("caFile", format!("no certificate to trust: {error}"))
            })?;
        }
        Ok(Self::SignedBy(roots))
    }

    /// Those whom the system trusts. Single certificates that cannot be used are not needed, all of them are.
    ///
    /// # Errors
    /// When there are none.
    pub(crate) fn system() -> Result<Self, Faults> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        match roots.is_empty() {
            true => Err(Faults::at("caFile", "is needed: this system trusts nobody")),
            false => Ok(Self::SignedBy(roots)),
        }
    }

    /// The beginning of a configuration with the only provider of cryptography there is.
    ///
    /// # Errors
    /// When there is no such version of the protocol.
    pub(crate) fn client(
        self,
        versions: &[&'static SupportedProtocolVersion],
    ) -> Result<ConfigBuilder<ClientConfig, WantsClientCert>, Error> {
        // Named here and nowhere set for the whole process: a plugin does not decide for its gateway.
        let provider = Arc::new(ring::default_provider());
        let config = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(versions)?;
        Ok(match self {
            Self::SignedBy(roots) => config.with_root_certificates(roots),
            Self::Anybody => config
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(Anybody::new(provider))),
        })
    }
}

/// The certificates in the file at `path`, which stands at `key`.
///
/// # Errors
/// When the file cannot be read, or holds none.
pub(crate) fn certificates(path: &Path, key: &str) -> Result<Vec<CertificateDer<'static>>, Faults> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_file_iter(path).and_then(Iterator::collect);
    match read {
        Ok(found) if found.is_empty() => Err(Faults::at(key, "holds no certificate")),
        read => read.map_err(|error| unreadable(key, &error)),
    }
}

/// Without the text of a file that may be a key.
pub(crate) fn unreadable(key: &str, error: &PemError) -> Faults {
    let cause = match error {
        PemError::Io(error) => format!("cannot be read: {error}"),
        PemError::NoItemsFound => "holds no private key".into(),
        _ => "is no PEM".into(),
    };
    Faults::at(key, cause)
}
