//! A certificate for the gateway.

use std::fs;
use std::path::PathBuf;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use tempfile::TempDir;

/// A certificate for `gateway.test`, trusted by whoever is given its file, and its key.
#[derive(Debug)]
pub struct Certificate(TempDir);

impl Certificate {
    /// Makes both anew.
    ///
    /// # Panics
    /// When the disk is full.
    pub fn issue() -> Self {
        let certificate = Self(tempfile::tempdir().expect("a directory for a certificate"));
        certificate.renew();
        certificate
    }

    /// Replaces both by new ones, at the same place.
    ///
    /// # Panics
    /// When the disk is full.
    pub fn renew(&self) {
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(vec![Self::NAME.to_owned()]).expect("a certificate");
        fs::write(self.file(), cert.pem()).expect("the certificate is written");
        fs::write(self.key(), signing_key.serialize_pem()).expect("the key is written");
    }

    /// The certificate in PEM.
    pub fn file(&self) -> PathBuf {
        self.0.path().join("gateway.pem")
    }

    /// Its key in PEM.
    pub fn key(&self) -> PathBuf {
        self.0.path().join("gateway.key")
    }

    /// What `server` says to serve with it.
    pub fn settings(&self) -> String {
        format!(
            "tls: {{ certFile: '{}', keyFile: '{}' }}",
            self.file().display(),
            self.key().display()
        )
    }

    /// Whom it is for.
    pub const NAME: &'static str = "gateway.test";
}
