//! What passes between client and upstream, and in which form.

use std::net::TcpStream as Socket;
use std::os::fd::AsFd;
use std::pin::pin;
use std::sync::Mutex;

use tokio::net::UnixStream;
use tokio::sync::watch;

use super::*;

#[tokio::test]
async fn both_directions_are_streamed() {
    let url = origin(|mut stream, _| async move {
        read_to(&mut stream, "\r\nping\r\n").await;
        write(
            &mut stream,
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\npong\r\n",
        )
        .await;
        read_to(&mut stream, "0\r\n\r\n").await;
        write(&mut stream, "0\r\n\r\n").await;
    })
    .await;
    let (mut client, _order) = client(Proxy(upstream(&url)));

    write(
        &mut client,
        "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n4\r\nping\r\n",
    )
    .await;
    read_to(&mut client, "4\r\npong\r\n").await;
    write(&mut client, "0\r\n\r\n").await;

    assert_eq!(read_to(&mut client, "0\r\n\r\n").await, "0\r\n\r\n");
}

#[tokio::test]
async fn headers_are_clean_and_trailers_pass() {
    let answer = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntrailer: x-sum\r\nkeep-alive: 5\r\n\
                  connection: x-hop\r\nx-hop: 1\r\n\r\n2\r\nok\r\n0\r\nx-sum: 1\r\n\r\n";
    let (url, notes) = noting("\r\n\r\n", answer).await;
    let (mut client, _order) = client(Proxy(upstream(&format!("{url}/base"))));

    let request = "GET /x?y HTTP/1.1\r\nhost: a.org\r\nconnection: x-identity\r\nx-identity: 1\r\n\
                   x-forwarded-for: 9.9.9.9\r\nte: trailers\r\n\r\n";
    write(&mut client, request).await;
    let answer = read_to(&mut client, "x-sum: 1\r\n\r\n").await;

    let head = notes.lock().unwrap()[0].to_lowercase();
    assert!(
        head.starts_with("get /base/x?y http/1.1\r\nhost: a.org\r\n"),
        "{head}"
    );
    assert!(head.contains("x-forwarded-for: 192.0.2.1\r\n"), "{head}");
    assert!(head.contains("te: trailers\r\n"), "{head}");
    assert!(
        !head.contains("identity") && !head.contains("9.9.9.9"),
        "{head}"
    );
    assert!(
        !answer.contains("keep-alive") && !answer.contains("hop"),
        "{answer}"
    );
}

#[tokio::test]
async fn a_body_in_chunks_reaches_the_upstream_with_its_trailers_whatever_the_method() {
    for method in ["GET", "POST"] {
        let (url, notes) = noting("x-sum: 1\r\n\r\n", OK).await;
        let (mut client, _order) = client(Proxy(upstream(&url)));

        let head = format!("{method} / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n");
        write(&mut client, &head).await;
        write(&mut client, "4\r\nping\r\n0\r\nx-sum: 1\r\n\r\n").await;
        read_to(&mut client, "ok").await;

        let seen = notes.lock().unwrap()[0].clone();
        let end = "\r\ntransfer-encoding: chunked\r\n\r\n4\r\nping\r\n0\r\nx-sum: 1\r\n\r\n";
        assert!(seen.ends_with(end), "{seen}");
    }
}

#[tokio::test]
async fn a_contradicted_length_does_not_reach_the_client() {
    let url = answering(
        "HTTP/1.1 200 OK\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    )
    .await;
    let (mut client, _order) = client(Proxy(upstream(&url)));

    write(&mut client, "GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;

    let answer = read_to(&mut client, "0\r\n\r\n").await;
    assert!(
        answer.contains("5\r\nhello\r\n") && !answer.contains("content-length"),
        "{answer}"
    );
}

#[tokio::test]
async fn an_upgrade_becomes_a_tunnel() {
    let url = origin(|mut stream, _| async move {
        let head = read_to(&mut stream, "\r\n\r\n").await.to_lowercase();
        assert!(
            head.contains("upgrade: websocket\r\n") && head.contains("connection: upgrade\r\n")
        );
        write(&mut stream, &format!("{SWITCH}first")).await;
        let asked = read_to(&mut stream, "?").await;
        write(&mut stream, &asked.replace('?', "!")).await;
    })
    .await;
    let (mut client, _order) = client(Proxy(upstream(&url)));

    write(&mut client, OPENING).await;
    let answer = read_to(&mut client, "first").await.to_lowercase();
    write(&mut client, "hello?").await;

    assert!(answer.starts_with("http/1.1 101 "), "{answer}");
    assert!(
        answer.contains("upgrade: websocket\r\n") && answer.contains("connection: upgrade\r\n"),
        "{answer}"
    );
    assert_eq!(read_all(&mut client).await, "hello!");
}

// Behind a tunnel to anybody else, a client could send requests past every middleware.
#[tokio::test]
async fn a_tunnel_opens_only_for_who_has_understood() {
    let switch = "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\n";
    let accept = "sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";
    for answer in [
        format!("{switch}\r\n"),
        format!("{switch}upgrade: websocket\r\n\r\n"),
        format!("{switch}upgrade: h2c\r\n{accept}\r\n"),
        format!("{switch}{accept}\r\n"),
        SWITCH.replace("s3pP", "S3pP"),
    ] {
        let url = origin(move |mut stream, _| {
            let answer = answer.clone();
            async move {
                read_to(&mut stream, "\r\n\r\n").await;
                write(&mut stream, &answer).await;
                assert_eq!(read_all(&mut stream).await, "");
            }
        })
        .await;
        let (mut client, _order) = client(Proxy(upstream(&url)));

        write(&mut client, OPENING).await;

        let answer = read_to(&mut client, "\r\n\r\n").await;
        assert!(answer.starts_with("HTTP/1.1 502 "), "{answer}");
    }
}

#[tokio::test]
async fn no_other_protocol_is_asked_for() {
    let (url, notes) = noting("\r\n\r\n", "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await;
    let (mut client, _order) = client(Proxy(upstream(&url)));
    let request = "GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: h2c\r\nhttp2-settings: AAMA\r\n\r\n";

    write(&mut client, request).await;
    read_to(&mut client, "ok").await;

    let seen = notes.lock().unwrap().concat();
    assert!(
        !seen.contains("upgrade") && !seen.contains("http2-settings"),
        "{seen}"
    );
}

#[tokio::test]
async fn a_refused_upgrade_is_an_ordinary_answer() {
    let url = answering("HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\n\r\nno").await;
    let (mut client, _order) = client(Proxy(upstream(&url)));

    for _ in 0..2 {
        write(&mut client, OPENING).await;
        assert!(
            read_to(&mut client, "no")
                .await
                .starts_with("HTTP/1.1 403 ")
        );
    }
}

#[tokio::test]
async fn a_replaced_body_announces_its_own_length() {
    let (url, notes) = noting("longer", OK).await;
    let mut request = request(Method::POST, Body::from("longer"));
    let headers = request.headers_mut();
    headers.insert("content-length", "1".parse().unwrap());

    upstream(&url).send(request).await.unwrap();

    assert!(notes.lock().unwrap()[0].contains("content-length: 6\r\n"));
}

#[tokio::test]
async fn an_old_upstream_is_answered_for_in_http_1_1() {
    let url = origin(|mut stream: TcpStream, _| async move {
        read_to(&mut stream, "\r\n\r\n").await;
        write(&mut stream, "HTTP/1.0 200 OK\r\n\r\nold").await;
    })
    .await;
    let (mut client, _order) = client(Proxy(upstream(&url)));

    write(&mut client, "GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;

    let answer = read_to(&mut client, "0\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(
        answer.contains("transfer-encoding: chunked\r\n"),
        "{answer}"
    );
}

#[tokio::test]
async fn an_old_client_that_names_no_host_is_given_one() {
    let (url, notes) = noting("\r\n\r\n", OK).await;
    let (mut client, _order) = client(Proxy(upstream(&url)));

    write(&mut client, "GET / HTTP/1.0\r\n\r\n").await;

    assert!(read_all(&mut client).await.ends_with("\r\n\r\nok"));
    let host = url.replace("http://", "host: ");
    assert!(notes.lock().unwrap()[0].contains(&format!("{host}\r\n")));
}

#[tokio::test]
async fn the_length_of_what_head_leaves_out_is_kept() {
    let url = answering("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n").await;
    let (mut client, _order) = client(Proxy(upstream(&url)));

    for _ in 0..2 {
        write(&mut client, "HEAD / HTTP/1.1\r\nhost: a\r\n\r\n").await;
        let head = read_to(&mut client, "\r\n\r\n").await;
        assert!(head.contains("content-length: 5\r\n"), "{head}");
    }
}

#[tokio::test]
async fn an_upstream_may_be_a_unix_socket() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("origin.sock");
    let listener = tokio::net::UnixListener::bind(&path).unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        read_to(&mut stream, "\r\n\r\n").await;
        write(&mut stream, OK).await;
    });

    let response = get(&upstream(&format!("unix:{}", path.display())))
        .await
        .unwrap();

    assert_eq!(body_of(response).await, "ok");
}

#[tokio::test]
async fn a_tunnel_keeps_its_place_until_it_is_closed() {
    let url = origin(|mut stream, _| async move {
        let head = read_to(&mut stream, "\r\n\r\n").await;
        if !head.contains("upgrade: websocket\r\n") {
            return write(&mut stream, OK).await;
        }
        write(&mut stream, &format!("{SWITCH}hi")).await;
        read_all(&mut stream).await;
    })
    .await;
    let config = serde_json::json!({ "maxRequests": 1, "timeouts": { "connect": "20ms" } });
    let service = Arc::new(crate::testing::service(&url, config));
    let beside = Upstream::new(Arc::clone(&service), Tracker::detached());
    let proxy = Proxy(Upstream::new(service, Tracker::detached()));
    let (mut client, _order) = client(proxy);
    write(&mut client, OPENING).await;
    read_to(&mut client, "hi").await;

    let error = get(&beside).await.unwrap_err();
    drop(client);
    while get(&beside).await.is_err() {}

    assert!(matches!(error, UpstreamError::Busy), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn a_tunnel_that_one_side_has_left_lives_as_long_as_the_other_speaks() {
    let (mut client, beside, _order) = left(9).await;

    read_to(&mut client, ".........").await;
    tokio::time::sleep(Duration::from_secs(61)).await;

    assert_eq!(body_of(get(&beside).await.unwrap()).await, "ok");
}

#[tokio::test(start_paused = true)]
async fn a_tunnel_that_one_side_has_left_ends_though_the_other_speaks_for_ever() {
    let (mut client, beside, _order) = left(100).await;

    let words = read_all(&mut client).await;

    assert!((9..100).contains(&words.len()), "{words}");
    assert_eq!(body_of(get(&beside).await.unwrap()).await, "ok");
}

/// The client's end of a tunnel that it has closed for its part, and the only service, which says so many words more, one in
/// 20 s.
async fn left(words: usize) -> (UnixStream, Upstream, watch::Sender<bool>) {
    let url = origin(move |mut stream, _| async move {
        let head = read_to(&mut stream, "\r\n\r\n").await;
        if !head.contains("upgrade: websocket\r\n") {
            return write(&mut stream, OK).await;
        }
        write(&mut stream, &format!("{SWITCH}hi")).await;
        read_all(&mut stream).await;
        for _ in 0..words {
            tokio::time::sleep(Duration::from_secs(20)).await;
            // The tunnel may have ended.
            let _ = stream.write_all(b".").await;
        }
        std::future::pending::<()>().await;
    })
    .await;
    let config = serde_json::json!({ "maxRequests": 1 });
    let service = Arc::new(crate::testing::service(&url, config));
    let beside = Upstream::new(Arc::clone(&service), Tracker::detached());
    let (mut client, order) = client(Proxy(Upstream::new(service, Tracker::detached())));
    write(&mut client, OPENING).await;
    read_to(&mut client, "\r\n\r\nhi").await;
    client.shutdown().await.unwrap();
    (client, beside, order)
}

#[tokio::test]
async fn request_is_sent_when_all_others_of_its_turn_are_ready() {
    let accepted = Arc::new(Mutex::new(None));
    let note = Arc::clone(&accepted);
    let url = origin(move |stream, _| {
        let socket = stream.as_fd().try_clone_to_owned().unwrap();
        *note.lock().unwrap() = Some(Socket::from(socket));
        answer_each(stream, OK)
    })
    .await;
    let upstream = upstream(&url);
    assert_eq!(body_of(get(&upstream).await.unwrap()).await, "ok");
    let accepted = accepted.lock().unwrap().take().unwrap();
    // What is sent to this machine is there at once, and nobody takes it: nothing waits in here.
    let has_come = || accepted.peek(&mut [0]).is_ok();

    let mut sending = pin!(get(&upstream));
    assert!(sending.as_mut().now_or_never().is_none());
    assert!(!has_come());
    assert!(sending.as_mut().now_or_never().is_none());
    assert!(has_come());

    assert_eq!(body_of(sending.await.unwrap()).await, "ok");
}
