//! Connections are kept, and a request is sent twice only where that is harmless.

use super::*;

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
