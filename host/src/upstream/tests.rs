use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use http::{Method, StatusCode};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::Instant;

use super::*;
use crate::testing::{
    Notes, OK, Proxy, answering, client, client_with, origin, read_all, read_to, settings,
    upstream, write,
};

#[tokio::test]
async fn one_connection_carries_many_requests() {
    let connections = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&connections);
    let url = origin(move |mut stream, _| {
        seen.fetch_add(1, Ordering::Relaxed);
        async move {
            loop {
                read_to(&mut stream, "\r\n\r\n").await;
                write(&mut stream, OK).await;
            }
        }
    })
    .await;
    let upstream = upstream(&url);

    for _ in 0..5 {
        assert_eq!(body_of(get(&upstream).await.unwrap()).await, "ok");
    }

    assert_eq!(connections.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_response_without_a_body_gives_its_connection_back() {
    let notes = Notes::default();
    let url = numbering(&notes, "HTTP/1.1 204 No Content\r\n\r\n").await;
    let upstream = upstream(&url);

    get(&upstream).await.unwrap();
    settle().await;
    get(&upstream).await.unwrap();

    assert_eq!(*notes.lock().unwrap(), ["0", "0"]);
}

#[tokio::test]
async fn a_response_that_is_not_read_to_its_end_closes_its_connection() {
    let notes = Notes::default();
    let url = numbering(&notes, "HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\npart").await;
    let upstream = upstream(&url);

    drop(get(&upstream).await.unwrap());
    drop(get(&upstream).await.unwrap());

    assert_eq!(*notes.lock().unwrap(), ["0", "1"]);
}

#[tokio::test]
async fn a_stale_connection_costs_a_get_nothing_and_a_post_a_502() {
    // Every first connection dies exactly when its second request arrives.
    let notes = Notes::default();
    let seen = Arc::clone(&notes);
    let url = origin(move |mut stream, number| {
        let seen = Arc::clone(&seen);
        async move {
            for request in 0.. {
                let head = read_to(&mut stream, "\r\n\r\n").await;
                seen.lock()
                    .unwrap()
                    .push(format!("{number} {}", &head[..4]));
                if number == 0 && request == 1 {
                    return;
                }
                write(&mut stream, OK).await;
            }
        }
    })
    .await;

    let pool = upstream(&url);
    body_of(get(&pool).await.unwrap()).await;
    settle().await;
    let second = get(&pool).await.unwrap();

    assert_eq!(second.status(), StatusCode::OK);
    assert_eq!(*notes.lock().unwrap(), ["0 GET ", "0 GET ", "1 GET "]);
}

#[tokio::test]
async fn a_post_that_may_have_been_seen_is_not_sent_again() {
    let notes = Notes::default();
    let seen = Arc::clone(&notes);
    let url = origin(move |mut stream, _| {
        let seen = Arc::clone(&seen);
        async move {
            read_to(&mut stream, "\r\n\r\n").await;
            write(&mut stream, OK).await;
            let head = read_to(&mut stream, "\r\n\r\n").await;
            seen.lock().unwrap().push(head[..4].to_owned());
        }
    })
    .await;
    let upstream = upstream(&url);
    body_of(get(&upstream).await.unwrap()).await;
    settle().await;

    let error = upstream
        .send(parts(Method::POST), Body::Empty)
        .await
        .unwrap_err();

    assert!(matches!(error, UpstreamError::Failed(_)), "{error:?}");
    assert_eq!(*notes.lock().unwrap(), ["POST"]);
}

#[tokio::test]
async fn an_answer_that_is_not_http_is_not_asked_for_twice() {
    let notes = Notes::default();
    let seen = Arc::clone(&notes);
    let url = origin(move |mut stream, _| {
        let seen = Arc::clone(&seen);
        async move {
            read_to(&mut stream, "\r\n\r\n").await;
            write(&mut stream, OK).await;
            read_to(&mut stream, "\r\n\r\n").await;
            seen.lock().unwrap().push("asked".to_owned());
            write(&mut stream, "220 smtp ready\r\n\r\n").await;
        }
    })
    .await;
    let upstream = upstream(&url);
    body_of(get(&upstream).await.unwrap()).await;
    settle().await;

    assert!(matches!(
        get(&upstream).await,
        Err(UpstreamError::Failed(_))
    ));

    assert_eq!(notes.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_port_without_a_listener_is_a_connect_error() {
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();

    let error = get(&upstream(&format!("http://{free}"))).await.unwrap_err();

    assert!(matches!(error, UpstreamError::Connect(_)), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn an_upstream_that_does_not_answer_times_out() {
    let url = answering("").await;
    let began = Instant::now();

    let error = get(&upstream(&url)).await.unwrap_err();

    assert!(matches!(error, UpstreamError::Timeout), "{error:?}");
    assert_eq!(began.elapsed().as_secs(), 60);
}

#[tokio::test(start_paused = true)]
async fn the_time_for_an_answer_begins_at_the_end_of_the_upload() {
    let url = origin(|mut stream, _| async move {
        read_to(&mut stream, "0\r\n\r\n").await;
        tokio::time::sleep(Duration::from_secs(50)).await;
        write(&mut stream, OK).await;
    })
    .await;
    let (mut client, _order) = client(Proxy(upstream(&url)));

    write(
        &mut client,
        "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n",
    )
    .await;
    for _ in 0..4 {
        tokio::time::sleep(Duration::from_secs(40)).await;
        write(&mut client, "1\r\na\r\n").await;
    }
    write(&mut client, "0\r\n\r\n").await;

    assert!(
        read_to(&mut client, "ok")
            .await
            .starts_with("HTTP/1.1 200 OK\r\n")
    );
}

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
    let notes = Notes::default();
    let seen = Arc::clone(&notes);
    let url = origin(move |mut stream, _| {
        let seen = Arc::clone(&seen);
        async move {
            let head = read_to(&mut stream, "\r\n\r\n").await;
            seen.lock().unwrap().push(head);
            let answer = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntrailer: x-sum\r\nkeep-alive: 5\r\n\
                          connection: x-hop\r\nx-hop: 1\r\n\r\n2\r\nok\r\n0\r\nx-sum: 1\r\n\r\n";
            write(&mut stream, answer).await;
        }
    })
    .await;
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
async fn a_cut_response_cuts_the_client() {
    let url = origin(|mut stream: TcpStream, _| async move {
        read_to(&mut stream, "\r\n\r\n").await;
        write(
            &mut stream,
            "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\npart",
        )
        .await;
    })
    .await;
    let (mut client, _order) = client(Proxy(upstream(&url)));

    write(&mut client, "GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;

    assert!(read_all(&mut client).await.ends_with("\r\n\r\npart"));
}

#[tokio::test]
async fn an_upgrade_becomes_a_tunnel() {
    let url = origin(|mut stream, _| async move {
        let head = read_to(&mut stream, "\r\n\r\n").await.to_lowercase();
        assert!(head.contains("upgrade: websocket\r\n") && head.contains("connection: upgrade\r\n"));
        let switch = "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\nfirst";
        write(&mut stream, switch).await;
        let asked = read_to(&mut stream, "?").await;
        write(&mut stream, &asked.replace('?', "!")).await;
    })
    .await;
    let (mut client, _order) = client(Proxy(upstream(&url)));

    let request = "GET / HTTP/1.1\r\nhost: a\r\nconnection: keep-alive, Upgrade\r\nupgrade: websocket\r\n\r\n";
    write(&mut client, request).await;
    let answer = read_to(&mut client, "first").await.to_lowercase();
    write(&mut client, "hello?").await;

    assert!(answer.starts_with("http/1.1 101 "), "{answer}");
    assert!(
        answer.contains("upgrade: websocket\r\n") && answer.contains("connection: upgrade\r\n"),
        "{answer}"
    );
    assert_eq!(read_all(&mut client).await, "hello!");
}

#[tokio::test]
async fn a_refused_upgrade_is_an_ordinary_answer() {
    let url = answering("HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\n\r\nno").await;
    let (mut client, _order) = client(Proxy(upstream(&url)));
    let request = "GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n";

    for _ in 0..2 {
        write(&mut client, request).await;
        assert!(
            read_to(&mut client, "no")
                .await
                .starts_with("HTTP/1.1 403 ")
        );
    }
}

#[tokio::test]
async fn a_switch_nobody_asked_for_is_a_502() {
    let url =
        answering("HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n")
            .await;

    let error = get(&upstream(&url)).await.unwrap_err();

    assert_eq!(rescue_status(&error), StatusCode::BAD_GATEWAY);
}

#[tokio::test]
async fn a_replaced_body_announces_its_own_length() {
    let notes = Notes::default();
    let seen = Arc::clone(&notes);
    let url = origin(move |mut stream, _| {
        let seen = Arc::clone(&seen);
        async move {
            let request = read_to(&mut stream, "longer").await;
            seen.lock().unwrap().push(request);
            write(&mut stream, OK).await;
        }
    })
    .await;
    let mut head = parts(Method::POST);
    head.headers.insert("content-length", "1".parse().unwrap());

    upstream(&url)
        .send(head, Body::from("longer"))
        .await
        .unwrap();

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
    let notes = Notes::default();
    let seen = Arc::clone(&notes);
    let url = origin(move |mut stream, _| {
        let seen = Arc::clone(&seen);
        async move {
            let head = read_to(&mut stream, "\r\n\r\n").await;
            seen.lock().unwrap().push(head);
            write(&mut stream, OK).await;
        }
    })
    .await;
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
async fn a_body_that_grows_too_large_on_its_way_is_413() {
    let url = swallowing().await;
    let mut settings = settings();
    settings.limits.body_bytes = abi::config::ByteSize::of_bytes(4);
    let (mut client, _order) = client_with(Proxy(upstream(&url)), settings);

    write(
        &mut client,
        "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n",
    )
    .await;

    assert!(
        read_to(&mut client, "\r\n\r\n")
            .await
            .starts_with("HTTP/1.1 413 ")
    );
}

#[tokio::test]
async fn a_malformed_chunk_on_its_way_is_400() {
    let (mut client, _order) = client(Proxy(upstream(&swallowing().await)));

    write(
        &mut client,
        "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\nzz\r\n",
    )
    .await;

    assert!(
        read_to(&mut client, "\r\n\r\n")
            .await
            .starts_with("HTTP/1.1 400 ")
    );
}

#[tokio::test(start_paused = true)]
async fn a_client_that_stalls_on_its_way_is_408() {
    let (mut client, _order) = client(Proxy(upstream(&swallowing().await)));

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
async fn an_upstream_that_stalls_in_its_answer_cuts_the_client() {
    let url = answering("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\npart").await;
    let (mut client, _order) = client(Proxy(upstream(&url)));
    let began = Instant::now();

    write(&mut client, "GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;

    assert!(read_all(&mut client).await.ends_with("\r\n\r\npart"));
    assert_eq!(began.elapsed().as_secs(), 60);
}

#[tokio::test(start_paused = true)]
async fn an_upstream_that_does_not_take_the_request_is_504() {
    let url = origin(|stream: TcpStream, _| async move {
        let () = std::future::pending().await;
        drop(stream);
    })
    .await;
    let (client, _order) = client(Proxy(upstream(&url)));
    let (mut reader, mut writer) = client.into_split();

    tokio::spawn(async move {
        write(
            &mut writer,
            "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 67108864\r\n\r\n",
        )
        .await;
        let _ = writer.write_all(&vec![b'a'; 64 << 20]).await;
        std::future::pending::<()>().await;
    });

    assert!(
        read_to(&mut reader, "\r\n\r\n")
            .await
            .starts_with("HTTP/1.1 504 ")
    );
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

/// Reads whatever comes and never answers.
async fn swallowing() -> String {
    origin(|mut stream, _| async move {
        read_all(&mut stream).await;
    })
    .await
}

/// Answers every request and writes down on which connection it came.
async fn numbering(notes: &Notes, answer: &'static str) -> String {
    let notes = Arc::clone(notes);
    origin(move |mut stream, number| {
        let notes = Arc::clone(&notes);
        async move {
            loop {
                read_to(&mut stream, "\r\n\r\n").await;
                notes.lock().unwrap().push(number.to_string());
                write(&mut stream, answer).await;
            }
        }
    })
    .await
}

/// Lets the tasks of the connections see what has happened.
async fn settle() {
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
}

async fn get(upstream: &Upstream) -> Result<Response<Body>, UpstreamError> {
    upstream.send(parts(Method::GET), Body::Empty).await
}

fn parts(method: Method) -> Parts {
    let request = Request::builder()
        .method(method)
        .uri("/")
        .header("host", "a")
        .body(());
    request.unwrap().into_parts().0
}

async fn body_of(response: Response<Body>) -> String {
    let bytes = response.into_body().buffer(1024).await.unwrap();
    settle().await;
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn rescue_status(error: &UpstreamError) -> StatusCode {
    crate::rescue::upstream(error).status()
}
