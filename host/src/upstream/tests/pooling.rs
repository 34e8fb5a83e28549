//! Connections are kept, and a request is sent twice only where that is harmless.

use super::*;

#[tokio::test]
async fn one_connection_carries_many_requests() {
    let connections = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&connections);
    let url = origin(move |stream, _| {
        seen.fetch_add(1, Ordering::Relaxed);
        answer_each(stream, OK)
    })
    .await;
    let upstream = upstream(&url);

    for _ in 0..5 {
        assert_eq!(body_of(get(&upstream).await.unwrap()).await, "ok");
    }

    assert_eq!(connections.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn an_upload_of_known_length_keeps_its_connection() {
    let notes = Notes::default();
    let seen = Arc::clone(&notes);
    let url = origin(move |mut stream, number| {
        let seen = Arc::clone(&seen);
        async move {
            loop {
                read_to(&mut stream, "\r\n\r\nping").await;
                seen.lock().unwrap().push(number.to_string());
                write(&mut stream, OK).await;
            }
        }
    })
    .await;
    let (mut client, _order) = client(Proxy(upstream(&url)));

    for _ in 0..3 {
        let head = "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\n\r\n";
        write(&mut client, head).await;
        write(&mut client, "ping").await;
        read_to(&mut client, "ok").await;
    }

    assert_eq!(*notes.lock().unwrap(), ["0", "0", "0"]);
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
async fn a_response_that_announces_a_body_it_must_not_have_closes_its_connection() {
    for header in ["content-length: 5", "transfer-encoding: chunked"] {
        let answer = format!("HTTP/1.1 204 No Content\r\n{header}\r\n\r\n");
        let notes = Notes::default();
        let upstream = upstream(&numbering(&notes, answer.leak()).await);

        get(&upstream).await.unwrap();
        settle().await;
        get(&upstream).await.unwrap();

        assert_eq!(*notes.lock().unwrap(), ["0", "1"], "{header}");
    }
}

#[tokio::test]
async fn an_answer_to_head_closes_its_connection_unless_there_is_no_body_to_come() {
    for (header, connections) in [
        ("content-length: 5", ["0", "1"]),
        ("transfer-encoding: chunked", ["0", "1"]),
        ("x-length: none", ["0", "1"]),
        ("content-length: 0", ["0", "0"]),
    ] {
        let answer = format!("HTTP/1.1 200 OK\r\n{header}\r\n\r\n");
        let notes = Notes::default();
        let upstream = upstream(&numbering(&notes, answer.leak()).await);

        for _ in 0..2 {
            let head = upstream.send(request(Method::HEAD, Body::Empty)).await;
            assert_eq!(head.unwrap().status(), StatusCode::OK);
            settle().await;
        }

        assert_eq!(*notes.lock().unwrap(), connections, "{header}");
    }
}

#[tokio::test]
async fn what_comes_before_a_request_is_sent_is_no_answer_to_it() {
    let is_taken = Arc::new(tokio::sync::Notify::new());
    let taken = Arc::clone(&is_taken);
    let url = origin(move |mut stream, number| {
        let is_taken = Arc::clone(&taken);
        async move {
            read_to(&mut stream, "\r\n\r\n").await;
            write(&mut stream, OK).await;
            if number == 0 {
                is_taken.notified().await;
                write(&mut stream, &OK.replace("ok", "no")).await;
            }
            read_all(&mut stream).await;
        }
    })
    .await;
    let upstream = upstream(&url);
    body_of(get(&upstream).await.unwrap()).await;

    let mut second = std::pin::pin!(get(&upstream));
    assert!(second.as_mut().now_or_never().is_none());
    is_taken.notify_one();
    settle().await;

    assert_eq!(body_of(second.await.unwrap()).await, "ok");
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

/// Answers, but closes the connection at this method, and writes down each time that it came.
async fn closing_at(method: &'static str, last_words: &'static str) -> (String, Notes) {
    let notes = Notes::default();
    let seen = Arc::clone(&notes);
    let url = origin(move |mut stream, number| {
        let seen = Arc::clone(&seen);
        async move {
            loop {
                let head = read_to(&mut stream, "\r\n\r\n").await;
                if head.starts_with(method) {
                    seen.lock().unwrap().push(number.to_string());
                    write(&mut stream, last_words).await;
                    settle().await;
                    let reset = socket2::SockRef::from(&stream);
                    reset.set_linger(Some(Duration::ZERO)).unwrap();
                    return;
                }
                write(&mut stream, OK).await;
            }
        }
    })
    .await;
    (url, notes)
}

#[tokio::test]
async fn a_request_that_its_upstream_closes_for_is_sent_twice_at_most() {
    let (url, notes) = closing_at("DELETE", "").await;
    let upstream = upstream(&url);
    futures_util::future::join_all((0..5).map(|_| get(&upstream))).await;

    let sent = upstream.send(request(Method::DELETE, Body::Empty)).await;

    assert!(matches!(sent, Err(UpstreamError::Failed(_))), "{sent:?}");
    assert_eq!(*notes.lock().unwrap(), ["4", "5"]);
}

#[tokio::test]
async fn what_broke_off_within_its_answer_is_not_asked_for_twice() {
    for last_words in ["HTTP/1.1 200 OK\r\nx", "HTTP/1.1 100 Continue\r\n\r\n"] {
        let (url, notes) = closing_at("PUT", last_words).await;
        let upstream = upstream(&url);
        body_of(get(&upstream).await.unwrap()).await;

        let sent = upstream.send(request(Method::PUT, Body::Empty)).await;

        assert!(matches!(sent, Err(UpstreamError::Failed(_))), "{sent:?}");
        assert_eq!(*notes.lock().unwrap(), ["0"], "{last_words:?}");
    }
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
        .send(request(Method::POST, Body::Empty))
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
async fn what_comes_unasked_is_not_taken_for_the_next_answer() {
    // Both ways: with the first answer, and after it.
    for pause in [false, true] {
        let url = origin(move |mut stream, number| async move {
            read_to(&mut stream, "\r\n\r\n").await;
            write(&mut stream, OK).await;
            if number == 0 {
                if pause {
                    settle().await;
                }
                write(
                    &mut stream,
                    "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nbad",
                )
                .await;
            }
            read_all(&mut stream).await;
        })
        .await;
        let upstream = upstream(&url);

        assert_eq!(body_of(get(&upstream).await.unwrap()).await, "ok");
        settle().await;

        assert_eq!(body_of(get(&upstream).await.unwrap()).await, "ok");
    }
}

#[tokio::test]
async fn an_answer_of_contradicting_length_closes_its_connection() {
    let notes = Notes::default();
    let answer =
        "HTTP/1.1 200 OK\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n";
    let upstream = upstream(&numbering(&notes, answer).await);

    for _ in 0..2 {
        body_of(get(&upstream).await.unwrap()).await;
    }

    assert_eq!(*notes.lock().unwrap(), ["0", "1"]);
}

#[tokio::test]
async fn an_answer_before_the_end_of_an_upload_is_passed_on_and_closes_its_connection() {
    let notes = Notes::default();
    let upstream = Arc::new(upstream(&numbering(&notes, OK).await));
    let (mut client, _order) = client(Lent(Arc::clone(&upstream)));

    write(
        &mut client,
        "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\npart",
    )
    .await;
    let answer = read_to(&mut client, "ok").await;
    get(&upstream).await.unwrap();

    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    assert_eq!(*notes.lock().unwrap(), ["0", "1"]);
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_the_upstream_has_closed_is_closed_without_another_request() {
    let (closed, mut is_closed) = tokio::sync::mpsc::unbounded_channel();
    let url = origin(move |mut stream, _| {
        let closed = closed.clone();
        async move {
            read_to(&mut stream, "\r\n\r\n").await;
            write(&mut stream, OK).await;
            stream.shutdown().await.unwrap();
            read_all(&mut stream).await;
            closed.send(()).unwrap();
        }
    })
    .await;
    let upstream = upstream(&url);

    body_of(get(&upstream).await.unwrap()).await;

    is_closed.recv().await.unwrap();
}

#[tokio::test]
async fn what_cannot_be_repeated_goes_where_an_answer_came_a_moment_ago() {
    let notes = Notes::default();
    let upstream = upstream(&numbering(&notes, OK).await);
    let post = || upstream.send(request(Method::POST, Body::Empty));

    for rested in [0, 900, 1_100] {
        tokio::time::pause();
        tokio::time::advance(Duration::from_millis(rested)).await;
        tokio::time::resume();
        assert_eq!(body_of(post().await.unwrap()).await, "ok");
    }

    assert_eq!(*notes.lock().unwrap(), ["0", "0", "1"]);
}

#[tokio::test(start_paused = true)]
async fn a_connection_is_as_old_as_its_last_answer() {
    let notes = Notes::default();
    let upstream = upstream(&hesitating(&notes, OK, Duration::from_secs(2)).await);

    for _ in 0..2 {
        let sent = upstream.send(request(Method::POST, Body::Empty)).await;
        assert_eq!(body_of(sent.unwrap()).await, "ok");
    }

    assert_eq!(*notes.lock().unwrap(), ["0", "0"]);
}
