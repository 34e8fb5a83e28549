use std::path::Path;

use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto::ring};

use super::*;
use crate::stream::Stream;
use crate::tls::TlsFiles;

#[test]
fn a_pair_of_files_is_read_or_said_to_be_wrong_and_why() {
    let dir = tempfile::tempdir().unwrap();
    let [good, other] = ["good", "other"].map(|name| issue(dir.path(), name, 2030));
    let empty = dir.path().join("empty.pem");
    std::fs::write(&empty, "").unwrap();
    let pair = |certificate: &Path, key: &Path| {
        Certificates::load(TlsFiles {
            certificate: certificate.to_owned(),
            key: key.to_owned(),
        })
    };
    let missing = dir.path().join("missing.pem");

    assert!(pair(&good.certificate, &good.key).is_ok());
    for (loaded, key, file, reason) in [
        (
            pair(&missing, &good.key),
            "certFile",
            &missing,
            "cannot be read: No such file or directory",
        ),
        (
            pair(&empty, &good.key),
            "certFile",
            &empty,
            "holds no certificate",
        ),
        (
            pair(&good.key, &good.key),
            "certFile",
            &good.key,
            "holds no certificate",
        ),
        (
            pair(&good.certificate, &missing),
            "keyFile",
            &missing,
            "cannot be read: No such file or directory",
        ),
        (
            pair(&good.certificate, &good.certificate),
            "keyFile",
            &good.certificate,
            "holds no private key",
        ),
        (
            pair(&good.certificate, &other.key),
            "keyFile",
            &other.key,
            "does not fit the certificate: ",
        ),
    ] {
        let error = loaded.unwrap_err();
        let expected = format!("{}: {reason}", file.display());
        assert_eq!(error.key(), key, "{error}");
        assert!(error.to_string().starts_with(&expected), "{error}");
    }
}

#[test]
fn the_end_of_a_certificate_is_known() {
    let dir = tempfile::tempdir().unwrap();

    let loaded = Certificates::load(issue(dir.path(), "a", 2031)).unwrap();

    // 2031-01-01.
    let end = std::time::UNIX_EPOCH + Duration::from_secs(1_924_992_000);
    assert_eq!(loaded.expires(), Some(end));
}

#[tokio::test]
async fn both_protocols_are_agreed_on_over_tls() {
    let server = Secure::start();
    for (offered, agreed) in [
        (&["h2", "http/1.1"][..], Some("h2")),
        (&["http/1.1"], Some("http/1.1")),
        (&[], None),
    ] {
        let stream = server.connect(offered).await.unwrap();

        let protocol = stream.get_ref().1.alpn_protocol();
        assert_eq!(protocol, agreed.map(str::as_bytes), "{offered:?}");
    }
}

#[tokio::test]
async fn http_1_over_tls_is_https_to_everybody() {
    let server = Secure::start();
    let mut stream = server.connect(&[]).await.unwrap();

    write(&mut stream, "GET /a HTTP/1.1\r\nhost: a\r\n\r\n").await;

    let answer = read_to(&mut stream, "https").await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
}

#[tokio::test]
async fn a_new_certificate_is_served_after_reload_and_a_bad_one_is_not() {
    let server = Secure::start();
    let first = server.certificate().await;

    let renewed = issue(server.dir.path(), "server", 2040);
    server.certificates.reload().unwrap();
    let second = server.certificate().await;
    std::fs::write(&renewed.key, "nonsense").unwrap();
    let refused = server.certificates.reload().unwrap_err();
    let third = server.certificate().await;

    assert_ne!(first, second);
    assert_eq!(second, third);
    assert_eq!(refused.key(), "keyFile");
    assert!(!refused.to_string().contains("nonsense"));
}

#[test]
fn the_log_says_at_the_start_and_at_every_change_how_long_a_certificate_is_good() {
    let log = tempfile::NamedTempFile::new().unwrap();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(Arc::new(log.reopen().unwrap()))
        .finish();

    tracing::subscriber::with_default(subscriber, || {
        let server = Secure::start();
        let files = issue(server.dir.path(), "next", 2040);
        server.server.renew(Settings {
            tls: Some(Certificates::load(files).unwrap()),
            ..settings()
        });
    });

    let log = std::fs::read_to_string(log.path()).unwrap();
    let said = log
        .lines()
        .filter(|line| line.contains("the certificate is good") && line.contains("days="));
    assert_eq!(said.count(), 2, "{log}");
}

#[tokio::test(start_paused = true)]
async fn a_handshake_that_drips_is_cut_at_its_total_deadline() {
    let dir = tempfile::tempdir().unwrap();
    let certificates = Certificates::load(issue(dir.path(), "server", 2030)).unwrap();
    let settings = Settings {
        tls: Some(certificates),
        ..settings()
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut client = tokio::net::TcpStream::connect(address).await.unwrap();
    let (far, _) = listener.accept().await.unwrap();
    let (_order, stopping) = watch::channel(false);
    let serving = serve_for_test(Stream::Tcp(far), Scheming, settings, stopping);
    let began = Instant::now();
    let drip = async {
        // The beginning of a long record.
        let mut next = b"\x16\x03\x01\x02\x00".iter().chain(std::iter::repeat(&0));
        while client.write_all(&[*next.next().unwrap()]).await.is_ok() {
            sleep(Duration::from_secs(1)).await;
        }
    };

    tokio::join!(serving, drip);

    assert!(
        (10..=12).contains(&began.elapsed().as_secs()),
        "{:?}",
        began.elapsed()
    );
}

/// Answers with the scheme.
struct Scheming;

impl Service for Scheming {
    async fn handle(&self, peer: &Peer, _: &mut Request<Body>) -> Answer {
        Response::new(Body::from(peer.scheme.as_str())).into()
    }
}

struct Secure {
    dir: tempfile::TempDir,
    certificates: Certificates,
    address: String,
    server: Server,
}

impl Secure {
    fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let certificates = Certificates::load(issue(dir.path(), "server", 2030)).unwrap();
        let settings = Settings {
            tls: Some(certificates.clone()),
            ..settings()
        };
        let server = Server::start(settings, |_| Scheming).unwrap();
        Self {
            dir,
            certificates,
            address: server.addresses()[0].to_string(),
            server,
        }
    }

    async fn connect(&self, protocols: &[&str]) -> io::Result<TlsStream<tokio::net::TcpStream>> {
        let mut roots = RootCertStore::empty();
        let file = self.dir.path().join("server.pem");
        roots
            .add(CertificateDer::from_pem_file(file).unwrap())
            .unwrap();
        let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = protocols
            .iter()
            .map(|name| name.as_bytes().to_vec())
            .collect();
        let stream = tokio::net::TcpStream::connect(&self.address).await?;
        let name = ServerName::try_from("gateway.test").unwrap();
        TlsConnector::from(Arc::new(config))
            .connect(name, stream)
            .await
    }

    async fn certificate(&self) -> CertificateDer<'static> {
        let stream = self.connect(&[]).await.unwrap();
        stream.get_ref().1.peer_certificates().unwrap()[0].clone()
    }
}

/// A certificate for `gateway.test`, good until the beginning of a year, and its key.
fn issue(dir: &Path, name: &str, until: i32) -> TlsFiles {
    let mut params = CertificateParams::new(vec!["gateway.test".to_owned()]).unwrap();
    params.not_after = date_time_ymd(until, 1, 1);
    let key = KeyPair::generate().unwrap();
    let files = TlsFiles {
        certificate: dir.join(format!("{name}.pem")),
        key: dir.join(format!("{name}.key")),
    };
    std::fs::write(&files.certificate, params.self_signed(&key).unwrap().pem()).unwrap();
    std::fs::write(&files.key, key.serialize_pem()).unwrap();
    files
}
