//! TLS on the client's side: one certificate, which can be replaced while connections are served.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::{Error as PemError, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert, ServerConfig};
use tokio_rustls::rustls::sign::CertifiedKey;
use webpki::{EndEntityCert, KeyUsage};

use super::{HTTP_1, HTTP_2};

/// A certificate with its key, as read from two files. Clones share it, so that one of them can replace it for all.
#[derive(Clone)]
pub struct Certificates(Arc<Shared>);

/// Where a certificate and its key are.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TlsFiles {
    /// The certificate first, then those between it and a root, in PEM.
    pub certificate: PathBuf,
    /// The private key in PEM: PKCS #8, SEC 1 or PKCS #1.
    pub key: PathBuf,
}

/// Why there is no certificate to serve with. No message holds what is in a file.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The file of the certificate cannot be used.
    #[error("{path}: {reason}", path = .0.display(), reason = .1)]
    Certificate(PathBuf, String),
    /// The file of the key cannot be used, or it is not the key of that certificate.
    #[error("{path}: {reason}", path = .0.display(), reason = .1)]
    Key(PathBuf, String),
}

struct Shared {
    files: TlsFiles,
    current: Arc<Current>,
    config: Arc<ServerConfig>,
}

#[derive(Debug)]
struct Current(RwLock<Arc<CertifiedKey>>);

impl Certificates {
    /// Reads both files.
    ///
    /// # Errors
    /// When one of them cannot be read or used, or they do not belong together.
    pub fn load(files: TlsFiles) -> Result<Self, TlsError> {
        let current = Arc::new(Current(RwLock::new(Arc::new(read(&files)?))));
        let config = config(Arc::clone(&current))
            .map_err(|error| TlsError::Key(files.key.clone(), error.to_string()))?;
        Ok(Self(Arc::new(Shared {
            files,
            current,
            config: Arc::new(config),
        })))
    }

    /// Reads both files again. Connections that are open keep what they have; whoever connects next sees the new one.
    ///
    /// # Errors
    /// As [`load`](Self::load); the old certificate is served on then.
    pub fn reload(&self) -> Result<(), TlsError> {
        let read = read(&self.0.files)?;
        self.0.current.replace(Arc::new(read));
        self.report();
        Ok(())
    }

    /// Serves what `newer` has read from now on, wherever its files are.
    pub fn adopt(&self, newer: &Self) {
        self.0.current.replace(newer.0.current.get());
    }

    /// The end of the certificate's validity. `None` when it cannot be told.
    pub fn expires(&self) -> Option<SystemTime> {
        let current = self.0.current.get();
        not_after(current.cert.first()?)
    }

    /// Writes down how long the certificate is good for: with a warning when that is over, or will be soon.
    pub(crate) fn report(&self) {
        let file = self.0.files.certificate.display();
        let left = self
            .expires()
            .map(|end| end.duration_since(SystemTime::now()));
        match left {
            Some(Err(_)) => tracing::warn!(%file, "the certificate has expired"),
            Some(Ok(left)) if left < SOON => {
                tracing::warn!(%file, days = left.as_secs() / DAY, "the certificate expires soon");
            }
            Some(Ok(left)) => {
                tracing::info!(%file, days = left.as_secs() / DAY, "the certificate is good");
            }
            None => {}
        }
    }

    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.0.config))
    }
}

impl TlsError {
    /// The key of the configuration that is at fault, within `tls`.
    pub fn key(&self) -> &'static str {
        match self {
            Self::Certificate(..) => "certFile",
            Self::Key(..) => "keyFile",
        }
    }
}

impl Current {
    fn get(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn replace(&self, newer: Arc<CertifiedKey>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = newer;
    }
}

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.get())
    }
}

impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Certificates").field(&self.0.files).finish()
    }
}

fn config(current: Arc<Current>) -> Result<ServerConfig, tokio_rustls::rustls::Error> {
    // Named here and nowhere set for the whole process.
    let provider = Arc::new(ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(current);
    config.alpn_protocols = vec![HTTP_2.to_vec(), HTTP_1.to_vec()];
    // Clients that come back need no memory here, and find their way to any worker.
    config.ticketer = ring::Ticketer::new()?;
    Ok(config)
}

fn read(files: &TlsFiles) -> Result<CertifiedKey, TlsError> {
    let chain =
        chain(files).map_err(|reason| TlsError::Certificate(files.certificate.clone(), reason))?;
    let of_key = |reason: String| TlsError::Key(files.key.clone(), reason);
    let key = PrivateKeyDer::from_pem_file(&files.key)
        .map_err(|error| of_key(unreadable(&error, "holds no private key")))?;
    CertifiedKey::from_der(chain, key, &ring::default_provider())
        .map_err(|error| of_key(format!("does not fit the certificate: {error}")))
}

fn chain(files: &TlsFiles) -> Result<Vec<CertificateDer<'static>>, String> {
    let read: Result<Vec<_>, _> =
        CertificateDer::pem_file_iter(&files.certificate).and_then(Iterator::collect);
    let chain = read.map_err(|error| unreadable(&error, "holds no certificate"))?;
    let first = chain.first().ok_or("holds no certificate")?;
    EndEntityCert::try_from(first).map_err(|error| format!("is no certificate: {error}"))?;
    Ok(chain)
}

/// Without the text of a file that may be a key.
fn unreadable(error: &PemError, missing: &str) -> String {
    match error {
        PemError::Io(error) => format!("cannot be read: {error}"),
        PemError::NoItemsFound => missing.to_owned(),
        _ => "is no PEM".to_owned(),
    }
}

/// Asks the verifier at the end of time: it answers that the certificate has expired, and when.
fn not_after(certificate: &CertificateDer<'_>) -> Option<SystemTime> {
    let end_of_time = UnixTime::since_unix_epoch(Duration::from_secs(u64::MAX));
    let certificate = EndEntityCert::try_from(certificate).ok()?;
    let asked = certificate.verify_for_usage(
        &[],
        &[],
        &[],
        end_of_time,
        KeyUsage::server_auth(),
        None,
        None,
    );
    match asked {
        Err(webpki::Error::CertExpired { not_after, .. }) => {
            Some(UNIX_EPOCH + Duration::from_secs(not_after.as_secs()))
        }
        _ => None,
    }
}

const DAY: u64 = 24 * 60 * 60;
// What renews certificates by itself does so a month before; whoever sees this has to act.
const SOON: Duration = Duration::from_secs(14 * DAY);
