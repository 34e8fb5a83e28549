//! HTTP/1.1 as clients see it: how a response is told from the next one, and what becomes of the connection.

use std::os::fd::AsFd;
use std::os::unix::net::UnixStream as Socket;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::io::AsyncReadExt;

use super::*;
use crate::testing::noting;

async fn answer(request: &str, service: impl Service) -> (String, UnixStream) {
    let (mut stream, order) = client(service);
    // The order to stop is never given.
    std::mem::forget(order);
    write(&mut stream, request).await;
    (read_to(&mut stream, "\r\n\r\n").await, stream)
}

#[tokio::test]
async fn a_client_that_waits_is_told_when_its_body_is_wanted() {
    let (told, mut client) = answer(
        "POST /a HTTP/1.1\r\nhost: a\r\nexpect: 100-Continue\r\ncontent-length: 2\r\n\r\n",
        Echo,
    )
    .await;

    assert_eq!(told, "HTTP/1.1 100 Continue\r\n\r\n");
    write(&mut client, "ok").await;
    let answer = read_to(&mut client, "/a").await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && !answer.contains("connection:"));
}

#[tokio::test]
async fn a_client_whose_body_is_not_wanted_is_told_that_and_to_come_again() {
    let (answer, _client) = answer(
        "POST / HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n",
        Says(|| Response::new("no".into())),
    )
    .await;

    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.contains("connection: close\r\n"), "{answer}");
}

#[tokio::test]
async fn a_body_that_is_there_already_is_not_asked_for() {
    let request =
        "POST /a HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\nok";

    let (answer, _client) = answer(request, Echo).await;

    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
}

#[tokio::test]
async fn responses_without_a_body_say_how_long_it_would_be() {
    let full: fn() -> Response<Body> = || Response::new("four".into());
    let cases = [
        ("HEAD", full, "content-length: 4\r\n", true),
        ("GET", || status(204), "content-length", false),
        ("GET", || status(304), "content-length: 9\r\n", true),
        ("HEAD", || status(200), "content-length: 9\r\n", true),
    ];
    for (method, response, length, is_said) in cases {
        let (mut client, _order) = client(Says(response));
        write(
            &mut client,
            &format!("{method} / HTTP/1.1\r\nhost: a\r\n\r\n"),
        )
        .await;
        let head = read_to(&mut client, "\r\n\r\n").await;

        assert_eq!(head.contains(length), is_said, "{head}");
        // The next thing on the connection is the next response.
        write(
            &mut client,
            "GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n",
        )
        .await;
        assert!(
            read_all(&mut client).await.starts_with("HTTP/1.1 "),
            "{head}"
        );
    }
}

/// What an upstream says about a body that it does not send.
fn status(status: u16) -> Response<Body> {
    let response = Response::builder().status(status);
    let response = response.header("content-length", "9");
    response.body(Body::Empty).unwrap()
}

#[tokio::test]
async fn a_body_of_unknown_length_comes_in_chunks_or_ends_with_the_connection() {
    let close = async |request: &str| {
        let url = origin(|mut stream, _| async move {
            read_to(&mut stream, "\r\n\r\n").await;
            write(
                &mut stream,
                "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nhello",
            )
            .await;
        });
        let (mut client, _order) = client(Proxy(upstream(&url.await)));
        write(&mut client, request).await;
        read_all(&mut client).await
    };

    let new = close("GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await;
    let old = close("GET / HTTP/1.0\r\nhost: a\r\nconnection: keep-alive\r\n\r\n").await;

    assert!(new.contains("transfer-encoding: chunked\r\n"), "{new}");
    assert!(new.ends_with("\r\n5\r\nhello\r\n0\r\n\r\n"), "{new}");
    assert!(
        !old.contains("transfer-encoding") && !old.contains("keep-alive"),
        "{old}"
    );
    assert!(old.ends_with("\r\n\r\nhello"), "{old}");
}

#[tokio::test]
async fn a_connection_of_http_1_0_is_kept_where_that_was_asked_for() {
    let asked = "GET /a HTTP/1.0\r\nconnection: Keep-Alive\r\n\r\n";
    let (mut client, _order) = client(Echo);

    write(&mut client, asked).await;
    let first = read_to(&mut client, "/a").await;
    write(&mut client, "GET /b HTTP/1.0\r\n\r\n").await;
    let second = read_all(&mut client).await;

    assert!(first.contains("connection: keep-alive\r\n"), "{first}");
    assert!(
        second.ends_with("/b") && !second.contains("connection:"),
        "{second}"
    );
}

#[tokio::test]
async fn trailers_go_to_whom_reads_them() {
    let chunked =
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nx-sum: 1\r\n\r\n";
    for (te, end) in [
        (
            "te: trailers\r\nconnection: te\r\n",
            "\r\nok\r\n0\r\nx-sum: 1\r\n\r\n",
        ),
        ("", "\r\nok\r\n0\r\n\r\n"),
    ] {
        let (url, _notes) = noting("\r\n\r\n", chunked).await;
        let (mut client, _order) = client(Proxy(upstream(&url)));

        write(
            &mut client,
            &format!("GET / HTTP/1.1\r\nhost: a\r\n{te}\r\n"),
        )
        .await;

        read_to(&mut client, end).await;
    }
}

#[tokio::test]
async fn who_answers_has_a_date_and_a_status_that_ends_something() {
    let request = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";
    let dated = || {
        let response = Response::builder().header("date", "today");
        response.body(Body::Empty).unwrap()
    };

    let (ours, _client) = answer(request, Echo).await;
    let (theirs, _client) = answer(request, Says(dated)).await;
    assert!(
        ours.contains("\r\ndate: ") && ours.contains(" GMT\r\n"),
        "{ours}"
    );
    assert_eq!(theirs.matches("date:").count(), 1, "{theirs}");
    for interim in [100, 101, 103] {
        let made: fn() -> Response<Body> = match interim {
            100 => || status(100),
            101 => || status(101),
            _ => || status(103),
        };
        let (head, _client) = answer(request, Says(made)).await;
        assert!(head.starts_with("HTTP/1.1 500 "), "{interim}: {head}");
    }
}

#[tokio::test]
async fn what_comes_late_is_taken_behind_the_last_answer_of_a_connection() {
    for request in [
        "GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n",
        "GET / HTTP/1.0\r\n\r\n",
    ] {
        let (mut client, _order) = client(Says(|| Response::new("ok".into())));
        write(&mut client, request).await;
        assert!(read_all(&mut client).await.ends_with("ok"));

        // Over TCP the kernel would answer it with a reset, and take back what was not read.
        client.write_all(b"\r\n").await.unwrap();
    }
}

#[tokio::test]
async fn who_is_still_sending_gets_an_early_answer_whole() {
    for connection in ["keep-alive", "close"] {
        let (mut client, _order) = client(Says(|| Response::new("enough".into())));
        let (mut reader, mut writer) = client.split();
        let head = format!(
            "POST / HTTP/1.1\r\nhost: a\r\nconnection: {connection}\r\ncontent-length: 10000000\r\n\r\n"
        );
        write(&mut writer, &head).await;
        let mut answer = Vec::new();

        let sending = async {
            for _ in 0..1000 {
                // The gateway takes what it does not need, until the client has read what it says.
                if writer.write_all(&[b'x'; 1000]).await.is_err() {
                    break;
                }
            }
        };
        let (read, ()) = tokio::join!(reader.read_to_end(&mut answer), sending);

        let answer = String::from_utf8(answer).unwrap();
        assert!(read.is_ok() && answer.ends_with("enough"), "{answer}");
        assert!(answer.contains("connection: close\r\n"), "{answer}");
    }
}

#[tokio::test]
async fn a_short_body_that_nobody_wanted_does_not_end_the_connection() {
    let post = |body: &str| format!("POST / HTTP/1.1\r\nhost: a\r\n{body}");
    for body in [
        "content-length: 5\r\n\r\nhello",
        "transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    ] {
        let (mut client, _order) = client(Says(|| Response::new("fine".into())));
        for _ in 0..2 {
            write(&mut client, &post(body)).await;
            let answer = read_to(&mut client, "fine").await;
            assert!(!answer.contains("connection:"), "{answer}");
        }
    }
}

#[tokio::test]
async fn who_hangs_up_is_not_answered_to_the_end() {
    struct Never(Arc<Notify>);
    struct Gone(Arc<Notify>);
    impl Drop for Gone {
        fn drop(&mut self) {
            self.0.notify_one();
        }
    }
    impl Service for Never {
        async fn handle(&self, _: &Peer, _: &mut Request<Body>) -> Answer {
            let _gone = Gone(Arc::clone(&self.0));
            std::future::pending().await
        }
    }
    let gone = Arc::new(Notify::new());
    let (mut client, _order) = client(Never(Arc::clone(&gone)));
    write(&mut client, "GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
    tokio::task::yield_now().await;

    drop(client);

    gone.notified().await;
}

#[tokio::test]
async fn who_hangs_up_within_a_response_ends_it_although_nothing_is_sent() {
    let gone = Arc::new(Notify::new());
    let noted = Arc::clone(&gone);
    let url = origin(move |mut stream, _| {
        let noted = Arc::clone(&noted);
        async move {
            read_to(&mut stream, "\r\n\r\n").await;
            write(&mut stream, "HTTP/1.1 200 OK\r\n\r\nfirst;").await;
            read_all(&mut stream).await;
            noted.notify_one();
        }
    })
    .await;
    let (mut client, _order) = client(Proxy(upstream(&url)));
    write(&mut client, ASKS).await;
    read_to(&mut client, "first;").await;

    drop(client);

    gone.notified().await;
}

#[tokio::test]
async fn what_is_no_request_is_answered_with_the_reason_and_the_end() {
    let long = "a".repeat(66_000);
    let many = "a: b\r\n".repeat(101);
    for (request, status) in [
        (format!("GET /{long} HTTP/1.1\r\nhost: a\r\n\r\n"), 414),
        (format!("GET / HTTP/1.1\r\n{many}\r\n"), 431),
        ("GET / HTTP/3.0\r\n\r\n".to_owned(), 400),
        ("\u{16}\u{3}\u{1}".to_owned(), 400),
    ] {
        let mut settings = settings();
        settings.limits.header_bytes = abi::config::ByteSize::of_kib(100);
        let (mut client, _order) = client_with(Echo, settings);

        write(&mut client, &request).await;

        let answer = read_all(&mut client).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{answer}"
        );
        assert!(answer.contains("connection: close\r\n"), "{answer}");
    }
}

#[tokio::test]
async fn responses_that_are_made_in_one_turn_are_sent_after_it() {
    /// Looks whether the other client has its response already.
    #[derive(Clone, Default)]
    struct Looks(Arc<Mutex<Option<Socket>>>, Arc<AtomicBool>);
    impl Service for Looks {
        async fn handle(&self, _: &Peer, _: &mut Request<Body>) -> Answer {
            if let Some(other) = &mut *self.0.lock().unwrap()
                && other.read(&mut [0; 1]).is_ok()
            {
                self.1.store(true, Ordering::Relaxed);
            }
            Response::new(Body::Empty).into()
        }
    }
    let (first, second) = (Looks::default(), Looks::default());
    let (mut one, _order) = client(first.clone());
    let (mut other, _second_order) = client(second.clone());
    for client in [&mut one, &mut other] {
        write(client, ASKS).await;
        read_to(client, "\r\n\r\n").await;
    }
    *first.0.lock().unwrap() = Some(other.as_fd().try_clone_to_owned().unwrap().into());
    *second.0.lock().unwrap() = Some(one.as_fd().try_clone_to_owned().unwrap().into());

    // Nothing waits in here, so that both requests are there when the server looks.
    write(&mut one, ASKS).await;
    write(&mut other, ASKS).await;

    read_to(&mut one, "\r\n\r\n").await;
    read_to(&mut other, "\r\n\r\n").await;
    assert!(!first.1.load(Ordering::Relaxed) && !second.1.load(Ordering::Relaxed));
}

const ASKS: &str = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";
