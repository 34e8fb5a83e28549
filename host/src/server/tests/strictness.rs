//! What is written in another way than to the letter, by whoever may have told a server before us something else by it.

use abi::config::Faults;

use super::*;
use crate::actions::authorize::Stated;
use crate::testing::Notes;

/// Answers with the body.
struct Mirror;

impl Service for Mirror {
    async fn handle(&self, _: &Peer, request: &mut Request<Body>) -> Answer {
        match request.body_mut().buffer(1024).await {
            Ok(bytes) => Response::new(Body::from(bytes)).into(),
            Err(error) => crate::rescue::body(error).into(),
        }
    }
}

/// Answers with what a proxy has said of the request that it asks about.
struct Asked;

impl Service for Asked {
    async fn handle(&self, _: &Peer, request: &mut Request<Body>) -> Answer {
        let stated = request.extensions().get::<Stated>();
        Response::new(Body::from(format!("{stated:?}"))).into()
    }

    fn is_asked(&self) -> bool {
        true
    }
}

#[tokio::test]
async fn connection_cannot_name_what_a_proxy_says_of_the_request_that_it_asks_about() {
    let settings = Settings {
        trusted_proxies: Networks::parse("", &["192.0.2.1".to_owned()], &mut Faults::default()),
        ..settings()
    };
    for name in ["x-forwarded-uri", "x-original-uri", "x-original-method"] {
        let (mut client, _order) = client_with(Asked, settings.clone());

        let request =
            format!("GET / HTTP/1.1\r\nhost: a\r\n{name}: /a\r\nconnection: close, {name}\r\n\r\n");
        write(&mut client, &request).await;

        let stated = read_all(&mut client).await;
        assert!(stated.contains(name), "{stated}");
    }
}

#[tokio::test]
async fn what_is_ambiguous_is_refused_behind_what_is_not_and_ends_the_connection() {
    let first = "POST /a HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\n\n\r\n";
    for second in [
        "GET /b HTTP/1.1\nhost: a\r\n\r\n",
        "GET /b HTTP/1.1\r\nhost: a\n\r\n",
        "GET /b HTTP/1.1\r\nhost: a\r\n\n",
        "\nGET /b HTTP/1.1\r\nhost: a\r\n\r\n",
        "POST /b HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST /b HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n0\r\n\r\n",
        "POST /b HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n0\r\nx: a\ny: b\r\n\r\n",
    ] {
        for size in [1, 7, 1000] {
            let (mut client, _order) = client(Mirror);
            let text = format!("{first}{second}GET /c HTTP/1.1\r\nhost: a\r\n\r\n");

            for piece in text.as_bytes().chunks(size) {
                // It may be closed before all of it is written.
                let _ = client.write_all(piece).await;
                tokio::task::yield_now().await;
            }

            let answer = read_all(&mut client).await;
            let statuses: Vec<_> = answer.match_indices("HTTP/1.1 ").collect();
            assert!(
                answer.contains("\r\n\r\n\n\r\nHTTP/1.1 400 "),
                "{second:?}: {answer:?}"
            );
            assert_eq!(statuses.len(), 2, "{second:?}: {answer:?}");
        }
    }
}

#[tokio::test]
async fn bodies_are_their_senders_own() {
    let (mut client, _order) = client(Mirror);
    let chunked = "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n";
    for _ in 0..2 {
        write(
            &mut client,
            "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\na\nb\n\n",
        )
        .await;
        read_to(&mut client, "\r\n\r\na\nb\n\n").await;
        write(
            &mut client,
            &format!("{chunked}2\r\n\n\n\r\n3\r\n\n\r\n\r\n0\r\nx: y\r\n\r\n"),
        )
        .await;
        read_to(&mut client, "\r\n\r\n\n\n\n\r\n").await;
    }
}

#[tokio::test]
async fn request_behind_an_offer_is_asked_for_again_on_another_connection() {
    let offer = "GET /a HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n";
    let (mut early, _order) = client(Echo);
    let (mut late, _second_order) = client(Echo);

    write(&mut early, &format!("{offer}GET /b HTTP/1.1\nhost: a\n\n")).await;
    write(&mut late, offer).await;
    let answer = read_to(&mut late, "/a").await;
    write(&mut late, "GET /b HTTP/1.1\r\nhost: a\r\n\r\n").await;
    read_to(&mut late, "/b").await;
    write(&mut late, "GET /c HTTP/1.1\nhost: a\n\n").await;

    assert!(!answer.contains("connection: close"), "{answer:?}");
    assert!(read_all(&mut late).await.starts_with("HTTP/1.1 400 "));
    let answer = read_all(&mut early).await;
    assert!(
        answer.contains("connection: close\r\n") && answer.ends_with("/a"),
        "{answer:?}"
    );
}

#[tokio::test]
async fn nobody_looks_into_a_tunnel() {
    let notes = Notes::default();
    let url = {
        let notes = Arc::clone(&notes);
        origin(move |mut stream, _| {
            let notes = Arc::clone(&notes);
            async move {
                read_to(&mut stream, "\r\n\r\n").await;
                write(&mut stream, SWITCH).await;
                let words = read_all(&mut stream).await;
                notes.lock().unwrap().push(words);
            }
        })
        .await
    };
    for early in ["", "\n early \n\n"] {
        let (mut client, _order) = client(Proxy(upstream(&url)));

        write(&mut client, &format!("{OPENING}{early}")).await;
        read_to(&mut client, "\r\n\r\n").await;
        for _ in 0..2 {
            write(&mut client, "\nGET /b HTTP/1.1\n\n").await;
        }
        client.shutdown().await.unwrap();
        read_all(&mut client).await;

        let seen = notes.lock().unwrap().pop().unwrap();
        assert_eq!(
            seen,
            format!("{early}{}", "\nGET /b HTTP/1.1\n\n".repeat(2))
        );
    }
}
