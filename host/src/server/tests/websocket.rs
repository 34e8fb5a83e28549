//! WebSockets over HTTP/2 (RFC 8441) to an upstream that knows the upgrade of HTTP/1.1.

use bytes::Bytes;
use h2::SendStream;
use h2::client::ResponseFuture;
use h2::ext::Protocol;
use http::{Request, StatusCode};
use tokio::io::AsyncReadExt;

use super::*;
use crate::testing::Notes;

#[tokio::test]
async fn what_is_sent_arrives_on_both_sides() {
    let notes = Notes::default();
    let (answer, mut sending, _order) = open(Proxy(upstream(&shouting(&notes).await))).await;
    let answer = answer.await.unwrap();

    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(answer.headers()["sec-websocket-protocol"], "chat");
    for name in ["upgrade", "connection", "sec-websocket-accept"] {
        assert!(!answer.headers().contains_key(name), "{name}");
    }
    let mut receiving = answer.into_body();
    sending
        .send_data(Bytes::from_static(b"hello"), false)
        .unwrap();
    assert_eq!(receiving.data().await.unwrap().unwrap(), "HELLO");
    sending.send_data(Bytes::new(), true).unwrap();
    assert!(
        receiving
            .data()
            .await
            .is_none_or(|end| end.unwrap().is_empty())
    );

    let seen = notes.lock().unwrap().join("");
    assert!(seen.starts_with("GET /chat?room=1 HTTP/1.1\r\n"), "{seen}");
    for line in [
        "host: a.test",
        "connection: upgrade",
        "upgrade: websocket",
        "sec-websocket-version: 13",
        "cookie: a=1; b=2",
    ] {
        assert!(
            seen.contains(&format!("{line}\r\n")),
            "{line} is not in {seen}"
        );
    }
}

#[tokio::test]
async fn a_refusal_is_passed_on_and_a_mere_success_is_none() {
    for (answer, status) in [
        ("HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\n\r\nno", 403),
        ("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello", 501),
        // Switches without having understood: the key is not answered.
        (
            "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n",
            502,
        ),
    ] {
        let url = crate::testing::answering(answer).await;
        let (response, _sending, _order) = open(Proxy(upstream(&url))).await;

        assert_eq!(response.await.unwrap().status(), status, "{answer}");
    }
}

#[tokio::test]
async fn another_protocol_is_refused() {
    let (answer, _sending, _order) = open_as("connect-udp", Echo).await;

    assert_eq!(answer.await.unwrap().status(), 501);
}

#[tokio::test(start_paused = true)]
async fn a_resting_tunnel_is_not_an_idle_connection() {
    let url = shouting(&Notes::default()).await;
    let (answer, mut sending, _order) = open(Proxy(upstream(&url))).await;
    let mut receiving = answer.await.unwrap().into_body();

    sleep(Duration::from_secs(1_000)).await;

    sending
        .send_data(Bytes::from_static(b"still"), false)
        .unwrap();
    assert_eq!(receiving.data().await.unwrap().unwrap(), "STILL");
}

/// Upgrades, and then answers in capitals.
async fn shouting(notes: &Notes) -> String {
    let notes = Arc::clone(notes);
    origin(move |mut stream, _| {
        let notes = Arc::clone(&notes);
        async move {
            let request = read_to(&mut stream, "\r\n\r\n").await;
            let key = request
                .lines()
                .find_map(|line| line.strip_prefix("sec-websocket-key: "))
                .unwrap();
            let accept = crate::websocket::accept(key.as_bytes());
            notes.lock().unwrap().push(request.clone());
            let answer = format!(
                "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: WebSocket\r\n\
                 sec-websocket-accept: {accept}\r\nsec-websocket-protocol: chat\r\n\r\n"
            );
            write(&mut stream, &answer).await;
            let mut word = [0; 64];
            while let Ok(size @ 1..) = stream.read(&mut word).await {
                let text = String::from_utf8_lossy(&word[..size]).to_uppercase();
                write(&mut stream, &text).await;
            }
        }
    })
    .await
}

type Opened = (ResponseFuture, SendStream<Bytes>, watch::Sender<bool>);

async fn open(service: impl Service) -> Opened {
    open_as("websocket", service).await
}

async fn open_as(protocol: &'static str, service: impl Service) -> Opened {
    let (stream, order) = client(service);
    let (mut sender, driver) = h2::client::handshake(stream).await.unwrap();
    tokio::spawn(driver);
    // It has to be offered first (RFC 8441, section 3).
    while !sender.is_extended_connect_protocol_enabled() {
        tokio::task::yield_now().await;
    }
    let request = Request::connect("http://a.test/chat?room=1")
        .header("cookie", "a=1")
        .header("cookie", "b=2")
        .extension(Protocol::from_static(protocol))
        .body(())
        .unwrap();
    let (answer, sending) = sender.send_request(request, false).unwrap();
    // As long as anybody holds it, the connection stands.
    tokio::spawn(async move {
        let _sender = sender;
        std::future::pending::<()>().await;
    });
    (answer, sending, order)
}
