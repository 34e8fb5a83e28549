//! A certificate for the gateway, or for somebody it talks to.

use std::fs;
use std::path::PathBuf;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use tempfile::TempDir;

/// A certificate, trusted by whoever is given its file, and its key.
#[derive(Debug)]
pub struct Certificate {
    directory: TempDir,
    name: String,
}

impl Certificate {
    /// Makes both anew, for `gateway.test`.
    ///
    /// # Panics
    /// When the disk is full.
    pub fn issue() -> Self {
        Self::issue_for(Self::NAME)
    }

    /// Makes both anew, for a host or an address.
    ///
    /// # Panics
    /// When the disk is full.
    pub fn issue_for(name: &str) -> Self {
        let certificate = Self {
            directory: tempfile::tempdir().expect("a directory for a certificate"),
            name: name.to_owned(),
        };
        certificate.renew();
        certificate
    }

    /// Replaces both by new ones, at the same place.
    ///
    /// # Panics
    /// When the disk is full.
    pub fn renew(&self) {
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(vec![self.name.clone()]).expect("a certificate");
        fs::write(self.file(), cert.pem()).expect("the certificate is written");
        fs::write(self.key(), signing_key.serialize_pem()).expect("the key is written");
    }

    /// The certificate in PEM.
    pub fn file(&self) -> PathBuf {
        self.directory.path().join("gateway.pem")
    }

    /// Its key in PEM.
    pub fn key(&self) -> PathBuf {
        self.directory.path().join("gateway.key")
    }

    /// What `server` says to serve with it.
    pub fn settings(&self) -> String {
        format!(
            "tls: {{ certFile: '{}', keyFile: '{}' }}",
            self.file().display(),
            self.key().display()
        )
    }

    /// Whom it is for unless somebody else is named.
    pub const NAME: &'static str = "gateway.test";
}
