//! A client and an origin on raw sockets, so that tests say byte for byte what is on the wire.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use abi::config::{ByteSize, ConfigDuration};
use http::Request;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::watch;

use crate::body::Body;
use crate::config::{Limits, Networks, Timeouts};
use crate::rescue;
use crate::server::{Answer, Peer, Service, Settings, Tracker};
use crate::stream::Stream;
use crate::upstream::{ConnectionConfig, Endpoint, Origin, Patience, Upstream};

/// Forwards everything.
pub(crate) struct Proxy(pub(crate) Upstream);

impl Service for Proxy {
    async fn handle(&self, _: &Peer, request: &mut Request<Body>) -> Answer {
        let sent = self.0.send(std::mem::take(request)).await;
        sent.unwrap_or_else(|error| rescue::upstream(&error)).into()
    }
}

/// Runs `script` for every connection, with its number. Returns `http://127.0.0.1:port`.
pub(crate) async fn origin<F: Future<Output = ()> + Send + 'static>(
    script: impl Fn(TcpStream, usize) -> F + Send + 'static,
) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        for number in 0.. {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(script(stream, number));
        }
    });
    url
}

pub(crate) fn upstream(url: &str) -> Upstream {
    upstream_with(url, serde_json::json!({}))
}

pub(crate) fn upstream_with(url: &str, config: serde_json::Value) -> Upstream {
    Upstream::new(Arc::new(service(url, config)), Tracker::detached())
}

/// A service that is reached as this configuration says.
pub(crate) fn service(url: &str, config: serde_json::Value) -> Origin {
    let config: ConnectionConfig = serde_json::from_value(config).unwrap();
    let endpoint: Endpoint = url.parse().unwrap();
    let link = config.link(std::slice::from_ref(&endpoint), Patience::default());
    link.unwrap().to(endpoint)
}

pub(crate) fn settings() -> Settings {
    Settings {
        traffic: crate::metrics::Traffic::default(),
        addresses: vec!["127.0.0.1:0".parse().unwrap()],
        tls: None,
        trusted_proxies: Networks::default(),
        proxy_protocol: false,
        socket_mode: None,
        threads: 1,
        limits: Limits {
            header_bytes: ByteSize::of_kib(16),
            ..Limits::default()
        },
        timeouts: Timeouts {
            header_read: ConfigDuration::of_secs(10),
            ..Timeouts::default()
        },
        grace: Duration::from_secs(30),
        tracing: crate::trace::Tracing::default(),
    }
}

/// A client of a gateway that runs `service`; the gateway stops when the sender says so or is dropped.
pub(crate) fn client(service: impl Service) -> (UnixStream, watch::Sender<bool>) {
    client_with(service, settings())
}

pub(crate) fn client_with(
    service: impl Service,
    settings: Settings,
) -> (UnixStream, watch::Sender<bool>) {
    let (near, far) = UnixStream::pair().unwrap();
    let (order, stopping) = watch::channel(false);
    tokio::spawn(crate::server::serve_for_test(
        Stream::Unix(far),
        service,
        settings,
        stopping,
    ));
    (near, order)
}

/// Reads until the bytes end with `end`.
pub(crate) async fn read_to(stream: &mut (impl AsyncReadExt + Unpin), end: &str) -> String {
    let mut text = Vec::new();
    while !text.ends_with(end.as_bytes()) {
        match stream.read_u8().await {
            Ok(byte) => text.push(byte),
            Err(error) => panic!("{error} after {:?}", String::from_utf8_lossy(&text)),
        }
    }
    String::from_utf8(text).unwrap()
}

/// Reads until the other side closes.
pub(crate) async fn read_all(stream: &mut (impl AsyncReadExt + Unpin)) -> String {
    let mut text = Vec::new();
    // A reset is an end as well.
    let _ = stream.read_to_end(&mut text).await;
    String::from_utf8_lossy(&text).into_owned()
}

/// Writes `text`.
pub(crate) async fn write(stream: &mut (impl AsyncWriteExt + Unpin), text: &str) {
    stream.write_all(text.as_bytes()).await.unwrap();
}

/// Answers every request without a body with `answer`.
pub(crate) async fn answering(answer: &'static str) -> String {
    origin(move |stream, _| answer_each(stream, answer)).await
}

/// Answers one request without a body after the other.
pub(crate) async fn answer_each(mut stream: TcpStream, answer: &'static str) {
    loop {
        read_to(&mut stream, "\r\n\r\n").await;
        write(&mut stream, answer).await;
    }
}

/// Writes down what ends with `end`, and answers it with `answer`.
pub(crate) async fn noting(end: &'static str, answer: &'static str) -> (String, Notes) {
    let notes = Notes::default();
    let seen = Arc::clone(&notes);
    let url = origin(move |mut stream, _| {
        let seen = Arc::clone(&seen);
        async move {
            let request = read_to(&mut stream, end).await;
            seen.lock().unwrap().push(request);
            write(&mut stream, answer).await;
        }
    });
    (url.await, notes)
}

/// A place where an origin writes down what it saw.
pub(crate) type Notes = Arc<std::sync::Mutex<Vec<String>>>;

pub(crate) const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

/// A request that opens a WebSocket, from RFC 6455 (section 1.3), and the answer of who has understood.
pub(crate) const OPENING: &str = "GET / HTTP/1.1\r\nhost: a\r\nconnection: keep-alive, Upgrade\r\nupgrade: websocket\r\n\
    sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
pub(crate) const SWITCH: &str = "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
    sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
