//! What an operator may say about how connections are secured.

use std::path::Path;

use abi::config::{ConfigPath, Faults};
use schemars::JsonSchema;
use serde::Deserialize;
use tokio_rustls::rustls::RootCertStore;
use tokio_rustls::rustls::pki_types::pem::{Error as PemError, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tracing::warn;

use super::{Identity, Tls, Trust};
use crate::upstream::Protocol;

/// How connections to `https://` upstreams are secured.
#[derive(Debug, Deserialize, JsonSchema, PartialEq)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct TlsConfig {
    /// Certificates of those who sign for the upstream, in PEM. The system's when empty.
    ca_file: ConfigPath,
    /// Our certificate and those between it and its signer, in PEM, for upstreams that want one. Needs keyFile.
    cert_file: ConfigPath,
    /// The private key of our certificate, in PEM.
    key_file: ConfigPath,
    /// The name in the upstream's certificate, and the one it is asked for. The host of the endpoint when empty.
    server_name: String,
    /// Whether any certificate will do. Whoever is on the way can then read and change everything.
    skip_verify: bool,
}

impl Default for TlsConfig {
    fn default() -> Self {
        Self {
            ca_file: ConfigPath::new(""),
            cert_file: ConfigPath::new(""),
            key_file: ConfigPath::new(""),
            server_name: String::new(),
            skip_verify: false,
        }
    }
}

impl TlsConfig {
    /// Reads the files.
    ///
    /// # Errors
    /// With everything that is wrong, by key.
    pub(crate) fn load(&self, protocol: Protocol) -> Result<Tls, Faults> {
        let mut faults = Faults::default();
        let trust = faults.absorb(self.trust());
        let identity = faults.absorb(self.identity());
        let name = faults.absorb(self.name());
        let (Some(trust), Some(identity), Some(name)) = (trust, identity, name) else {
            return Err(faults);
        };
        let tls = Tls::new(trust, identity, protocol)
            .map_err(|error| Faults::at("keyFile", format!("does not fit: {error}")))?;
        Ok(tls.expecting(name))
    }

    fn trust(&self) -> Result<Trust, Faults> {
        match (self.skip_verify, is_given(&self.ca_file)) {
            (true, true) => Err(Faults::at("caFile", "does nothing with skipVerify: true")),
            (true, false) => {
                warn!(
                    "skipVerify: whoever is on the way to the upstream can read and change everything"
                );
                Ok(Trust::Anybody)
            }
            (false, true) => signers(&self.ca_file),
            (false, false) => system(),
        }
    }

    fn identity(&self) -> Result<Option<Identity>, Faults> {
        match (is_given(&self.cert_file), is_given(&self.key_file)) {
            (false, false) => Ok(None),
            (true, false) => Err(Faults::at("keyFile", "is missing: certFile needs it")),
            (false, true) => Err(Faults::at("certFile", "is missing: keyFile needs it")),
            (true, true) => {
                let mut faults = Faults::default();
                let chain = faults.absorb(certificates(&self.cert_file, "certFile"));
                let key = PrivateKeyDer::from_pem_file(&*self.key_file);
                let key = faults.absorb(key.map_err(|error| unreadable("keyFile", &error)));
                faults.or(chain.zip(key).map(|(chain, key)| Identity { chain, key }))
            }
        }
    }

    fn name(&self) -> Result<Option<ServerName<'static>>, Faults> {
        if self.server_name.is_empty() {
            return Ok(None);
        }
        let name = ServerName::try_from(self.server_name.clone());
        name.map(Some)
            .map_err(|_| Faults::at("serverName", "must be a name or an address"))
    }
}

fn is_given(path: &Path) -> bool {
    !path.as_os_str().is_empty()
}

fn signers(path: &Path) -> Result<Trust, Faults> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(path, "caFile")? {
        roots
            .add(certificate)
            .map_err(|error| Faults::at("caFile", format!("no certificate to trust: {error}")))?;
    }
    Ok(Trust::SignedBy(roots))
}

/// What the system trusts. Single certificates that cannot be used are not needed, all of them are.
fn system() -> Result<Trust, Faults> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    match roots.is_empty() {
        true => Err(Faults::at("caFile", "is needed: this system trusts nobody")),
        false => Ok(Trust::SignedBy(roots)),
    }
}

fn certificates(path: &Path, key: &str) -> Result<Vec<CertificateDer<'static>>, Faults> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_file_iter(path).and_then(Iterator::collect);
    match read {
        Ok(found) if found.is_empty() => Err(Faults::at(key, "holds no certificate")),
        read => read.map_err(|error| unreadable(key, &error)),
    }
}

/// Without the text of a file that may be a key.
fn unreadable(key: &str, error: &PemError) -> Faults {
    let cause = match error {
        PemError::Io(error) => format!("cannot be read: {error}"),
        PemError::NoItemsFound => "holds no private key".into(),
        _ => "is no PEM".into(),
    };
    Faults::at(key, cause)
}
