//! Certificates for servers that speak TLS.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use serde_json::{Value, json};
use tempfile::TempDir;

/// An authority that nobody else knows, a server's certificate and a client's, as files in PEM. Clones share them.
#[derive(Clone, Debug)]
pub struct Certificates(Arc<TempDir>);

impl Certificates {
    /// Makes all of them anew. The server's is for `redis.test` and `localhost`, not for 127.0.0.1.
    ///
    /// # Panics
    /// When the disk is full.
    pub fn issue() -> Self {
        let directory = tempfile::tempdir().expect("a directory for certificates");
        let authority = authority(directory.path());
        for name in ["server", "client"] {
            issue(&authority, name, directory.path());
        }
        Self(Arc::new(directory))
    }

    /// The certificate of the authority.
    pub fn authority(&self) -> PathBuf {
        self.0.path().join("authority.pem")
    }

    /// The certificate of a client.
    pub fn client(&self) -> PathBuf {
        self.0.path().join("client.pem")
    }

    /// The key of the client's certificate.
    pub fn client_key(&self) -> PathBuf {
        self.0.path().join("client.key")
    }

    /// A name in the server's certificate.
    pub const fn server_name(&self) -> &'static str {
        SERVER
    }

    /// The block `tls` of `storages.yaml` for a client with a certificate.
    pub fn settings(&self) -> Value {
        json!({
            "enabled": true,
            "caFile": self.authority(),
            "certFile": self.client(),
            "keyFile": self.client_key(),
            "serverName": self.server_name(),
        })
    }

    /// What `redis.conf` has to say. Servers speak TLS among each other, too.
    pub(super) fn lines(&self) -> String {
        let directory = self.0.path().display();
        format!(
            "tls-ca-cert-file {directory}/authority.pem\n\
             tls-cert-file {directory}/server.pem\n\
             tls-key-file {directory}/server.key\n\
             tls-replication yes\n"
        )
    }
}

fn authority(directory: &Path) -> Issuer<'static, KeyPair> {
    let key = KeyPair::generate().expect("a key");
    let mut params = named("authority", &[]);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let certificate = params.self_signed(&key).expect("a certificate");
    write(directory, "authority.pem", &certificate.pem());
    Issuer::new(params, key)
}

fn issue(authority: &Issuer<'_, KeyPair>, name: &str, directory: &Path) {
    let key = KeyPair::generate().expect("a key");
    let params = named(name, &[SERVER, "localhost"]);
    let certificate = params.signed_by(&key, authority).expect("a certificate");
    write(directory, &format!("{name}.pem"), &certificate.pem());
    write(directory, &format!("{name}.key"), &key.serialize_pem());
}

/// Every certificate has a subject of its own: one that has its authority's is taken for self-signed.
fn named(subject: &str, hosts: &[&str]) -> CertificateParams {
    let hosts: Vec<String> = hosts.iter().map(ToString::to_string).collect();
    let mut params = CertificateParams::new(hosts).expect("names of hosts");
    params.distinguished_name.push(DnType::CommonName, subject);
    params
}

fn write(directory: &Path, name: &str, pem: &str) {
    fs::write(directory.join(name), pem).expect("a file in PEM");
}

const SERVER: &str = "redis.test";
