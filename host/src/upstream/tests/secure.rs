//! Upstreams behind TLS.

use rcgen::{CertifiedKey, generate_simple_self_signed};
use serde_json::json;
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::server::TlsStream;

use super::*;

#[tokio::test]
async fn an_upstream_with_a_certificate_for_its_name_is_trusted_and_no_other() {
    let server = Server::start(&[b"http/1.1"], http1).await;
    let named = json!({ "tls": { "caFile": server.ca(), "serverName": "upstream.test" } });
    let nameless = json!({ "tls": { "caFile": server.ca() } });
    let untrusting = json!({ "tls": { "serverName": "upstream.test" } });

    let trusted = get(&upstream_with(&server.url, named)).await.unwrap();

    assert_eq!(body_of(trusted).await, "ok");
    for config in [nameless, untrusting] {
        let error = get(&upstream_with(&server.url, config)).await.unwrap_err();
        assert!(matches!(error, UpstreamError::Connect(_)), "{error:?}");
    }
}

#[tokio::test]
async fn any_certificate_will_do_where_nobody_looks() {
    let server = Server::start(&[b"http/1.1"], http1).await;
    let config = json!({ "tls": { "skipVerify": true } });

    let answer = get(&upstream_with(&server.url, config)).await.unwrap();

    assert_eq!(body_of(answer).await, "ok");
}

#[tokio::test]
async fn the_upstream_chooses_http_2_and_many_first_requests_share_the_connection() {
    let server = Server::start(&[b"h2", b"http/1.1"], http2).await;
    let upstream = upstream_with(&server.url, server.config("auto"));

    let all = futures_util::future::join_all((0..5).map(|_| get(&upstream))).await;

    for answer in all {
        assert_eq!(body_of(answer.unwrap()).await, "HTTP/2.0");
    }
    assert_eq!(server.connections.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn an_upstream_that_offers_no_http_2_is_spoken_to_in_http_1() {
    let server = Server::start(&[], http1).await;
    let upstream = upstream_with(&server.url, server.config("auto"));

    for _ in 0..3 {
        assert_eq!(body_of(get(&upstream).await.unwrap()).await, "ok");
    }

    assert_eq!(server.connections.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn an_upgrade_asks_for_http_1_where_http_2_could_be_had() {
    let server = Server::start(&[b"h2", b"http/1.1"], |mut stream| async move {
        let head = read_to(&mut stream, "\r\n\r\n").await;
        assert!(head.contains("upgrade: websocket\r\n"), "{head}");
        write(&mut stream, SWITCH).await;
        let asked = read_to(&mut stream, "?").await;
        write(&mut stream, &asked.replace('?', "!")).await;
        let _ = stream.shutdown().await;
    })
    .await;
    let upstream = upstream_with(&server.url, server.config("auto"));
    let (mut client, _order) = client(Proxy(upstream));

    write(&mut client, OPENING).await;
    let answer = read_to(&mut client, "\r\n\r\n").await;
    write(&mut client, "hello?").await;

    assert!(answer.starts_with("HTTP/1.1 101 "), "{answer}");
    assert_eq!(read_all(&mut client).await, "hello!");
}

/// A server with a certificate for `upstream.test`.
struct Server {
    url: String,
    dir: TempDir,
    connections: Arc<AtomicUsize>,
}

type Stream = TlsStream<TcpStream>;

impl Server {
    async fn start<F: Future<Output = ()> + Send + 'static>(
        protocols: &[&[u8]],
        script: impl Fn(Stream) -> F + Clone + Send + 'static,
    ) -> Self {
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(vec!["upstream.test".to_owned()]).unwrap();
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("ca.pem"), cert.pem()).unwrap();
        let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], key)
            .unwrap();
        config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let connections = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&connections);
        let url = origin(move |stream, _| {
            let (acceptor, script, count) = (acceptor.clone(), script.clone(), Arc::clone(&count));
            async move {
                // Whoever does not trust us breaks off.
                if let Ok(stream) = acceptor.accept(stream).await {
                    count.fetch_add(1, Ordering::Relaxed);
                    script(stream).await;
                }
            }
        });
        let url = url.await.replace("http:", "https:");
        Self {
            url,
            dir,
            connections,
        }
    }

    fn ca(&self) -> std::path::PathBuf {
        self.dir.path().join("ca.pem")
    }

    fn config(&self, protocol: &str) -> serde_json::Value {
        json!({ "protocol": protocol, "tls": { "caFile": self.ca(), "serverName": "upstream.test" } })
    }
}

/// Answers with what it was asked in.
async fn http2(stream: impl AsyncRead + AsyncWrite + Unpin) {
    let mut server = h2::server::handshake(stream).await.unwrap();
    while let Some(Ok((request, mut respond))) = server.accept().await {
        let mut body = respond.send_response(Response::new(()), false).unwrap();
        body.send_data(bytes::Bytes::from(format!("{:?}", request.version())), true)
            .unwrap();
    }
}

async fn http1(mut stream: Stream) {
    loop {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            match tokio::io::AsyncReadExt::read_u8(&mut stream).await {
                Ok(byte) => head.push(byte),
                Err(_) => return,
            }
        }
        write(&mut stream, OK).await;
    }
}
