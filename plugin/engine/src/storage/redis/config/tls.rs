//! What an operator may say about how connections are secured.

use std::path::Path;

use abi::config::{ConfigPath, Faults};
use schemars::JsonSchema;
use serde::Deserialize;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, ServerName};
use tracing::warn;

use crate::storage::redis::connect::{Address, Identity, Oldest, Tls};
use crate::trust::{Trust, certificates, unreadable};

/// How the connections to all servers, Sentinels included, are secured.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct TlsConfig {
    /// Whether they are. A URL that begins with `rediss://` says the same.
    pub enabled: bool,
    /// Certificates of those who sign for the servers, in PEM. The system's when empty.
    pub ca_file: ConfigPath,
    /// Our certificate and those between it and its signer, in PEM, for servers that want one. Needs keyFile.
    pub cert_file: ConfigPath,
    /// The private key of our certificate, in PEM.
    pub key_file: ConfigPath,
    /// The name in the servers' certificates. The host of each when empty.
    pub server_name: String,
    /// Whether any certificate will do. Whoever is on the way can then read and change sessions.
    pub skip_verify: bool,
    /// The oldest protocol to accept. TLS1.2 when absent.
    pub minimum_version: Option<TlsVersion>,
}

/// A version of the protocol.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq)]
pub enum TlsVersion {
    /// RFC 5246, with the ciphers that are still good.
    #[serde(rename = "TLS1.2")]
    Tls12,
    /// RFC 8446.
    #[serde(rename = "TLS1.3")]
    Tls13,
}

impl Default for TlsConfig {
    fn default() -> Self {
        Self {
            enabled: false,
            ca_file: ConfigPath::new(""),
            cert_file: ConfigPath::new(""),
            key_file: ConfigPath::new(""),
            server_name: String::new(),
            skip_verify: false,
            minimum_version: None,
        }
    }
}

impl TlsConfig {
    /// Every file that is read, named or not.
    pub(crate) fn files(&self) -> impl Iterator<Item = &Path> {
        [&self.ca_file, &self.cert_file, &self.key_file]
            .into_iter()
            .map(|file| file.as_ref())
    }

    /// Reads the files.
    pub(super) fn checked(&self, servers: &[Address]) -> Result<Tls, Faults> {
        if servers
            .iter()
            .any(|server| matches!(server, Address::Unix(_)))
        {
            return Err(Faults::at("enabled", "a unix socket has none"));
        }
        let mut faults = Faults::default();
        let trust = faults.absorb(self.trust());
        let identity = faults.absorb(self.identity());
        let name = faults.absorb(self.name());
        let (Some(trust), Some(identity), Some(name)) = (trust, identity, name) else {
            return Err(faults);
        };
        let oldest = match self.minimum_version {
            Some(TlsVersion::Tls13) => Oldest::Tls13,
            Some(TlsVersion::Tls12) | None => Oldest::Tls12,
        };
        let tls = Tls::new(trust, identity, oldest)
            .map_err(|error| Faults::at("keyFile", format!("does not fit: {error}")))?;
        Ok(tls.expecting(name))
    }

    /// Connections are in the clear: nothing may be given.
    pub(super) fn unused(&self) -> Result<(), Faults> {
        let mut faults = Faults::default();
        for (key, is_given) in [
            ("caFile", is_given(&self.ca_file)),
            ("certFile", is_given(&self.cert_file)),
            ("keyFile", is_given(&self.key_file)),
            ("serverName", !self.server_name.is_empty()),
            ("skipVerify", self.skip_verify),
            ("minimumVersion", self.minimum_version.is_some()),
        ] {
            if is_given {
                faults.push(key, "does nothing without enabled: true");
            }
        }
        faults.or(())
    }

    fn trust(&self) -> Result<Trust, Faults> {
        match (self.skip_verify, is_given(&self.ca_file)) {
            (true, true) => Err(Faults::at("caFile", "does nothing with skipVerify: true")),
            (true, false) => {
                warn!(
                    "skipVerify: whoever is on the way to the server can read and change sessions"
                );
                Ok(Trust::Anybody)
            }
            (false, true) => Trust::signed_by(&self.ca_file),
            (false, false) => Trust::system(),
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
