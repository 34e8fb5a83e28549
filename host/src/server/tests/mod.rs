mod conformance;
mod draining;
mod http1;
mod http2;
mod proxied;
mod resting;
mod semantics;
mod strictness;
mod tls;
mod unread;
mod websocket;
mod wire;

use std::io::{Read, Write};
use std::net::TcpStream;

use http::StatusCode;
use tokio::io::AsyncWriteExt;
use tokio::net::UnixStream;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

use super::*;
use crate::testing::{
    OK, OPENING, Proxy, SWITCH, client, client_with, origin, read_all, read_to, settings, upstream,
    write,
};

/// Answers with the path.
struct Echo;

impl Service for Echo {
    async fn handle(&self, _: &Peer, request: &mut Request<Body>) -> Answer {
        match request.body_mut().buffer(1024).await {
            Ok(_) => Response::new(Body::from(request.uri().path().to_owned())).into(),
            Err(error) => crate::rescue::body(error).into(),
        }
    }
}

/// Gives the same answer to everybody, and reads no body.
struct Says(fn() -> Response<Body>);

impl Service for Says {
    async fn handle(&self, _: &Peer, _: &mut Request<Body>) -> Answer {
        self.0().into()
    }
}

/// A client that was answered once, and the order to stop.
async fn kept() -> (UnixStream, watch::Sender<bool>) {
    let (mut client, order) = client(Echo);
    write(&mut client, "GET /a HTTP/1.1\r\nhost: a\r\n\r\n").await;
    read_to(&mut client, "/a").await;
    (client, order)
}

#[tokio::test]
async fn a_connection_is_kept_and_pipelining_works() {
    let (mut client, _order) = client(Echo);

    write(
        &mut client,
        "GET /a HTTP/1.1\r\nhost: a\r\n\r\nGET /b HTTP/1.1\r\nhost: a\r\n\r\n",
    )
    .await;

    assert!(
        read_to(&mut client, "/a")
            .await
            .starts_with("HTTP/1.1 200 OK\r\n")
    );
    assert!(
        read_to(&mut client, "/b")
            .await
            .starts_with("HTTP/1.1 200 OK\r\n")
    );
}

#[tokio::test]
async fn hostile_requests_are_refused_and_end_their_connection() {
    let cases = [
        ("GET / HTTP/1.1\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400),
        ("CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n", 405),
        ("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET /../etc HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
            400,
        ),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5, 5\r\n\r\nabcde",
            400,
        ),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\nabcde",
            400,
        ),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n",
            400,
        ),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n",
            400,
        ),
        (
            "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            400,
        ),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0x5\r\n",
            400,
        ),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;\n",
            400,
        ),
        ("GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n", 400),
        ("GET /\"<> HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ];
    for (request, status) in cases {
        let (mut client, _order) = client(Echo);

        write(&mut client, request).await;

        let answer = read_all(&mut client).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{request:?}: {answer:?}"
        );
    }
}

#[tokio::test]
async fn too_many_header_bytes_are_431() {
    let (mut client, _order) = client(Echo);

    let long = "a".repeat(17 * 1024);
    write(
        &mut client,
        &format!("GET / HTTP/1.1\r\nhost: a\r\nx: {long}\r\n\r\n"),
    )
    .await;

    assert!(read_all(&mut client).await.starts_with("HTTP/1.1 431 "));
}

#[tokio::test]
async fn a_body_above_the_limit_is_413_announced_or_not() {
    for request in [
        "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhello",
        "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n",
    ] {
        let mut settings = settings();
        settings.limits.body_bytes = abi::config::ByteSize::of_bytes(4);
        let (mut client, _order) = client_with(Echo, settings);

        write(&mut client, request).await;

        assert!(
            read_to(&mut client, "\r\n\r\n")
                .await
                .starts_with("HTTP/1.1 413 "),
            "{request:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_silent_connection_is_cut() {
    let began = Instant::now();
    let (mut client, _order) = client(Echo);

    assert_eq!(read_all(&mut client).await, "");

    assert_eq!(began.elapsed().as_secs(), 10);
}

#[tokio::test(start_paused = true)]
async fn a_dripped_header_is_cut_at_its_total_deadline() {
    let began = Instant::now();
    let (mut client, _order) = client(Echo);
    sleep(Duration::from_secs(5)).await;

    write(&mut client, "GET / HTTP/1.1\r\nx: ").await;
    while client.write_all(b"a").await.is_ok() {
        sleep(Duration::from_secs(1)).await;
    }

    // Five seconds of silence, then ten from the first byte on; the next write after the cut is the one that fails.
    assert!(
        (15..=16).contains(&began.elapsed().as_secs()),
        "{:?}",
        began.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn a_kept_connection_may_idle_longer_than_a_header_may_take() {
    let (mut client, _order) = kept().await;
    let began = Instant::now();

    assert_eq!(read_all(&mut client).await, "");

    assert_eq!(began.elapsed().as_secs(), 75);
}

#[tokio::test(start_paused = true)]
async fn a_stalled_body_is_408() {
    let (mut client, _order) = client(Echo);

    write(
        &mut client,
        "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhel",
    )
    .await;

    assert!(
        read_to(&mut client, "\r\n\r\n")
            .await
            .starts_with("HTTP/1.1 408 ")
    );
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_read_is_cut() {
    struct Flood;
    impl Service for Flood {
        async fn handle(&self, _: &Peer, _: &mut Request<Body>) -> Answer {
            Response::new(Body::from("a".repeat(64 << 20))).into()
        }
    }
    let began = Instant::now();
    let (mut client, order) = client(Flood);

    write(&mut client, "GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
    order.closed().await;

    assert_eq!(began.elapsed().as_secs(), 75);
}

#[tokio::test]
async fn a_running_request_is_finished_after_the_order_to_stop() {
    let (reached, release) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let url = {
        let (reached, release) = (Arc::clone(&reached), Arc::clone(&release));
        origin(move |mut stream, _| {
            let (reached, release) = (Arc::clone(&reached), Arc::clone(&release));
            async move {
                read_to(&mut stream, "\r\n\r\n").await;
                reached.notify_one();
                release.notified().await;
                write(&mut stream, OK).await;
            }
        })
        .await
    };
    let (mut client, order) = client(Proxy(upstream(&url)));
    write(&mut client, "GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
    reached.notified().await;

    order.send_replace(true);
    release.notify_one();

    let answer = read_all(&mut client).await;
    assert!(
        answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("ok"),
        "{answer}"
    );
    assert!(answer.contains("connection: close\r\n"), "{answer}");
}

#[tokio::test(start_paused = true)]
async fn idle_connections_are_closed_a_moment_after_the_order_to_stop() {
    let (mut fresh, order) = client(Echo);
    let (mut kept, second_order) = kept().await;

    order.send_replace(true);
    second_order.send_replace(true);

    assert_eq!(read_all(&mut fresh).await, "");
    assert_eq!(read_all(&mut kept).await, "");
}

#[tokio::test(start_paused = true)]
async fn who_asks_just_after_the_order_to_stop_is_answered_and_told() {
    let (mut kept, order) = kept().await;

    order.send_replace(true);
    tokio::task::yield_now().await;
    write(&mut kept, "GET /b HTTP/1.1\r\nhost: a\r\n\r\n").await;

    let answer = read_all(&mut kept).await;
    assert!(answer.contains("connection: close\r\n"), "{answer}");
    assert!(answer.ends_with("/b"), "{answer}");
}

#[test]
fn a_server_runs_on_every_worker_and_stops() {
    let server = Server::start(
        Settings {
            threads: 2,
            ..settings()
        },
        |_| Echo,
    )
    .unwrap();
    let Address::Tcp(address) = server.addresses()[0].clone() else {
        panic!("not tcp")
    };
    assert!(!address.ends_with(":0"));

    for _ in 0..8 {
        let mut client = TcpStream::connect(&address).unwrap();
        client
            .write_all(b"GET /a HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
            .unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).unwrap();
        assert!(answer.ends_with("/a"));
    }
    server.stop();
    server.join();

    assert!(TcpStream::connect(&address).is_err());
}

#[test]
fn a_port_in_use_is_said_clearly() {
    let first = Server::start(settings(), |_| Echo).unwrap();
    let taken = Settings {
        addresses: first.addresses().to_vec(),
        ..settings()
    };

    let error = Server::start(taken, |_| Echo).unwrap_err();

    assert_eq!(
        error.to_string(),
        format!("cannot listen on {}", first.addresses()[0])
    );
    assert!(
        std::error::Error::source(&error)
            .unwrap()
            .to_string()
            .starts_with("Address already in use")
    );
}

#[test]
fn an_abandoned_unix_socket_is_replaced_and_one_in_use_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("gateway.sock");
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let settings = Settings {
        addresses: vec![Address::Unix(path.clone())],
        ..settings()
    };

    let server = Server::start(settings.clone(), |_| Echo).unwrap();
    let mut client = std::os::unix::net::UnixStream::connect(&path).unwrap();
    client.write_all(b"GET /a HTTP/1.0\r\n\r\n").unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();

    assert!(answer.ends_with("/a"));
    assert!(Server::start(settings, |_| Echo).is_err());
    server.stop();
    server.join();
}

#[test]
fn a_unix_socket_has_the_permissions_that_were_asked_for() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("gateway.sock");
    let settings = Settings {
        addresses: vec![Address::Unix(path.clone())],
        socket_mode: Some(0o660),
        ..settings()
    };

    let _server = Server::start(settings, |_| Echo).unwrap();

    let mode = std::fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o660);
}

#[test]
fn no_worker_sits_on_a_seat_that_another_needs() {
    let limits = Limits {
        connections: 1,
        ..Limits::default()
    };
    let settings = Settings {
        limits,
        threads: 2,
        ..settings()
    };
    let server = Server::start(settings, |_| Echo).unwrap();
    let address = server.addresses()[0].to_string();

    // The system chooses a worker for each; with a seat taken before anybody came, some would never be served.
    for _ in 0..32 {
        let mut client = TcpStream::connect(&address).unwrap();
        client
            .write_all(b"GET /a HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
            .unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).unwrap();
        assert!(answer.ends_with("/a"), "{answer}");
    }
}

#[test]
fn connections_above_the_limit_wait() {
    let limits = Limits {
        connections: 1,
        ..Limits::default()
    };
    let server = Server::start(
        Settings {
            limits,
            ..settings()
        },
        |_| Echo,
    )
    .unwrap();
    let Address::Tcp(address) = server.addresses()[0].clone() else {
        panic!("not tcp")
    };
    let request = b"GET /a HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
    let first = TcpStream::connect(&address).unwrap();
    let mut second = TcpStream::connect(&address).unwrap();
    second.write_all(request).unwrap();
    second.set_nonblocking(true).unwrap();
    assert_eq!(
        second.read(&mut [0]).unwrap_err().kind(),
        io::ErrorKind::WouldBlock
    );

    drop(first);

    second.set_nonblocking(false).unwrap();
    let mut answer = String::new();
    second.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with(&format!("HTTP/1.1 {}", StatusCode::OK)));
}
