//! Whoever fails, the client learns whose fault it was.

use super::*;

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
async fn the_time_for_an_answer_does_not_begin_before_the_request() {
    let notes = Notes::default();
    let upstream = upstream(&hesitating(&notes, OK, Duration::from_secs(40)).await);

    assert_eq!(body_of(get(&upstream).await.unwrap()).await, "ok");
    tokio::time::sleep(Duration::from_secs(30)).await;
    assert_eq!(body_of(get(&upstream).await.unwrap()).await, "ok");

    assert_eq!(*notes.lock().unwrap(), ["0", "0"]);
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
async fn a_switch_nobody_asked_for_is_a_502() {
    let url =
        answering("HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n")
            .await;

    let error = get(&upstream(&url)).await.unwrap_err();

    assert_eq!(rescue_status(&error), StatusCode::BAD_GATEWAY);
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
