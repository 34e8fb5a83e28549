//! Upstreams that speak HTTP/2.

use bytes::Bytes;
use h2::server::{Connection, SendResponse};
use h2::{Reason, RecvStream};
use tokio::io::AsyncReadExt;

use super::*;

type Server = Connection<TcpStream, Bytes>;
type Respond = SendResponse<Bytes>;

#[tokio::test]
async fn requests_at_a_time_share_a_connection() {
    let notes = Notes::default();
    let url = waiting_for(&notes, 3, 100).await;
    let upstream = upstream(&url);

    let all = futures_util::future::join_all((0..3).map(|_| get(&upstream))).await;

    for answer in all {
        assert_eq!(body_of(answer.unwrap()).await, "ok");
    }
    assert_eq!(*notes.lock().unwrap(), ["0", "0", "0"]);
}

#[tokio::test]
async fn another_connection_takes_what_the_first_may_not() {
    let notes = Notes::default();
    let url = waiting_for(&notes, 2, 1).await;
    let upstream = upstream(&url);
    // The limit is known once the upstream has said it.
    body_of(get(&upstream).await.unwrap()).await;
    notes.lock().unwrap().clear();

    let both = futures_util::future::join_all((0..2).map(|_| get(&upstream))).await;

    assert!(both.iter().all(Result::is_ok), "{both:?}");
    assert_eq!(*notes.lock().unwrap(), ["0", "1"]);
}

#[tokio::test]
async fn answers_that_nobody_reads_do_not_hold_up_the_others_of_their_connection() {
    let large = Bytes::from(vec![b'x'; 4 << 20]);
    let url = serving(move |number, request, mut respond| {
        let is_large = request.method() == Method::PUT;
        let body = if is_large { large.clone() } else { "ok".into() };
        async move {
            assert_eq!(number, 0, "there is room on the first connection");
            let mut stream = respond.send_response(Response::new(()), false).unwrap();
            stream.send_data(body, true).unwrap();
        }
    })
    .await;
    let upstream = upstream(&url);
    let mut unread = Vec::new();
    for _ in 1..multiplex::MAX_STREAMS {
        let sent = upstream.send(request(Method::PUT, Body::Empty)).await;
        unread.push(sent.unwrap());
    }

    assert_eq!(body_of(get(&upstream).await.unwrap()).await, "ok");
}

#[tokio::test]
async fn the_target_names_scheme_and_host_and_trailers_pass() {
    let notes = Notes::default();
    let seen = Arc::clone(&notes);
    let url = serving(move |_, request, mut respond| {
        let seen = Arc::clone(&seen);
        async move {
            let (head, mut body) = request.into_parts();
            while let Some(data) = body.data().await {
                let _ = body.flow_control().release_capacity(data.unwrap().len());
            }
            let trailers = body.trailers().await.unwrap().unwrap();
            seen.lock().unwrap().push(format!("{head:?} {trailers:?}"));
            let announced = Response::builder().header("trailer", "x-sum").body(());
            let mut body = respond.send_response(announced.unwrap(), false).unwrap();
            body.send_data("ok".into(), false).unwrap();
            body.send_trailers(trailers).unwrap();
        }
    })
    .await;
    let (mut client, _order) = client(Proxy(upstream(&format!("{url}/base"))));

    let request = "POST /x?y HTTP/1.1\r\nhost: a.org\r\nte: trailers\r\ntransfer-encoding: chunked\r\n\r\n\
                   2\r\nhi\r\n0\r\nx-sum: 7\r\n\r\n";
    write(&mut client, request).await;
    let answer = read_to(&mut client, "x-sum: 7\r\n\r\n").await;

    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    let seen = notes.lock().unwrap()[0].clone();
    assert!(seen.contains("uri: http://a.org/base/x?y"), "{seen}");
    assert!(
        seen.contains("\"te\": \"trailers\"") && !seen.contains("\"host\""),
        "{seen}"
    );
    assert!(seen.ends_with("{\"x-sum\": \"7\"}"), "{seen}");
}

#[tokio::test]
async fn what_a_leaving_upstream_has_not_touched_is_sent_again_whatever_it_is() {
    let notes = Notes::default();
    let url = leaving(&notes, 1).await;
    let upstream = upstream(&url);
    get(&upstream).await.unwrap();

    let posted = upstream.send(request(Method::POST, Body::from("a"))).await;

    assert_eq!(posted.unwrap().status(), StatusCode::OK);
    assert_eq!(*notes.lock().unwrap(), ["0", "0", "1"]);
}

#[tokio::test]
async fn a_post_that_a_leaving_upstream_has_taken_on_is_not_sent_again() {
    let notes = Notes::default();
    let url = leaving(&notes, 3).await;
    let upstream = upstream(&url);
    get(&upstream).await.unwrap();

    let posted = upstream.send(request(Method::POST, Body::from("a"))).await;

    assert!(
        matches!(posted, Err(UpstreamError::Failed(_))),
        "{posted:?}"
    );
    assert_eq!(*notes.lock().unwrap(), ["0", "0"]);
}

#[tokio::test]
async fn a_refused_request_is_sent_again_whatever_it_is() {
    let tries = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&tries);
    let url = serving(move |_, _, mut respond| {
        let number = seen.fetch_add(1, Ordering::Relaxed);
        async move {
            match number {
                1 => respond.send_reset(Reason::REFUSED_STREAM),
                _ => answer(&mut respond),
            }
        }
    })
    .await;
    let upstream = upstream(&url);
    body_of(get(&upstream).await.unwrap()).await;

    let posted = upstream.send(request(Method::POST, Body::from("a"))).await;

    assert_eq!(body_of(posted.unwrap()).await, "ok");
    assert_eq!(tries.load(Ordering::Relaxed), 3);
}

#[tokio::test]
async fn a_post_that_was_reset_is_not_sent_again() {
    let tries = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&tries);
    let url = serving(move |_, request, mut respond| {
        let is_post = request.method() == Method::POST;
        seen.fetch_add(usize::from(is_post), Ordering::Relaxed);
        async move {
            match is_post {
                true => respond.send_reset(Reason::INTERNAL_ERROR),
                false => answer(&mut respond),
            }
        }
    })
    .await;
    let upstream = upstream(&url);
    body_of(get(&upstream).await.unwrap()).await;

    let posted = upstream.send(request(Method::POST, Body::from("a"))).await;

    assert!(
        matches!(posted, Err(UpstreamError::Failed(_))),
        "{posted:?}"
    );
    assert_eq!(tries.load(Ordering::Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn an_upstream_that_has_gone_without_a_word_is_noticed_before_the_answer_is_due() {
    let url = http2(|mut server: Server, number| async move {
        if number == 0 {
            let (_, mut respond) = server.accept().await.unwrap().unwrap();
            answer(&mut respond);
            // From here on nobody reads: pings are not answered.
            let _ = timeout(Duration::from_millis(1), server.accept()).await;
            std::future::pending::<()>().await;
        }
        serve(server, |_, mut respond| async move { answer(&mut respond) }).await;
    })
    .await;
    let upstream = upstream(&url);
    body_of(get(&upstream).await.unwrap()).await;
    tokio::time::sleep(Duration::from_millis(5)).await;
    let began = Instant::now();

    let second = get(&upstream).await.unwrap();

    assert_eq!(body_of(second).await, "ok");
    assert!(
        began.elapsed() < Duration::from_secs(30),
        "{:?}",
        began.elapsed()
    );
}

#[tokio::test]
async fn a_bad_upload_is_its_clients_fault_and_leaves_the_connection_to_others() {
    let mut settings = settings();
    settings.limits.body_bytes = abi::config::ByteSize::of_bytes(4);
    for (upload, status) in [("5\r\nhello\r\n", 413), ("zz\r\n", 400)] {
        let (notes, upstream) = reading().await;
        let (mut client, _order) = client_with(Lent(Arc::clone(&upstream)), settings.clone());

        write(&mut client, &format!("{CHUNKED}1\r\na\r\n")).await;
        begun(&notes).await;
        write(&mut client, upload).await;
        let answer = read_to(&mut client, "\r\n\r\n").await;

        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{answer}"
        );
        body_of(get(&upstream).await.unwrap()).await;
        assert_eq!(*notes.lock().unwrap(), ["0 POST", "0 GET"]);
    }
}

#[tokio::test(start_paused = true)]
async fn an_upload_that_stalls_is_408_and_leaves_the_connection_to_others() {
    let (notes, upstream) = reading().await;
    let mut settings = settings();
    settings.timeouts.idle = abi::config::ConfigDuration::of_secs(5);
    let (mut client, _order) = client_with(Lent(Arc::clone(&upstream)), settings);

    write(&mut client, &format!("{CHUNKED}1\r\na\r\n")).await;
    let answer = read_to(&mut client, "\r\n\r\n").await;

    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    body_of(get(&upstream).await.unwrap()).await;
    assert_eq!(*notes.lock().unwrap(), ["0 POST", "0 GET"]);
}

#[tokio::test]
async fn a_client_that_leaves_within_its_upload_leaves_the_connection_to_others() {
    let (notes, upstream) = reading().await;
    let (mut client, _order) = client(Lent(Arc::clone(&upstream)));

    write(&mut client, &format!("{CHUNKED}1\r\na\r\n")).await;
    begun(&notes).await;
    client.shutdown().await.unwrap();
    read_all(&mut client).await;

    body_of(get(&upstream).await.unwrap()).await;
    assert_eq!(*notes.lock().unwrap(), ["0 POST", "0 GET"]);
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_nobody_needs_is_closed_without_another_request() {
    let (closed, mut is_closed) = tokio::sync::mpsc::unbounded_channel();
    let url = http2(move |server, _| {
        let closed = closed.clone();
        async move {
            serve(server, |_, mut respond| async move { answer(&mut respond) }).await;
            closed.send(()).unwrap();
        }
    })
    .await;
    let upstream = upstream(&url);

    body_of(get(&upstream).await.unwrap()).await;

    is_closed.recv().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_connection_is_idle_from_the_end_of_its_last_answer_on() {
    let notes = Notes::default();
    let seen = Arc::clone(&notes);
    let url = serving(move |number, _, mut respond| {
        seen.lock().unwrap().push(number.to_string());
        async move {
            let mut body = respond.send_response(Response::new(()), false).unwrap();
            tokio::time::sleep(Duration::from_secs(3)).await;
            body.send_data("ok".into(), true).unwrap();
        }
    })
    .await;
    let upstream = upstream_with(&url, serde_json::json!({ "idle": { "timeout": "2s" } }));

    for _ in 0..2 {
        assert_eq!(body_of(get(&upstream).await.unwrap()).await, "ok");
    }

    assert_eq!(*notes.lock().unwrap(), ["0", "0"]);
}

#[tokio::test]
async fn an_upgrade_goes_to_an_upstream_of_http_2_in_http_1() {
    let url = origin(|mut stream, _| async move {
        let head = read_to(&mut stream, "\r\n\r\n").await;
        assert!(head.starts_with("GET / HTTP/1.1\r\n"), "{head}");
        write(&mut stream, &format!("{SWITCH}hi")).await;
        read_all(&mut stream).await;
    })
    .await;
    let url = url.replace("http:", "h2c:");
    let (mut client, _order) = client(Proxy(upstream(&url)));

    write(&mut client, OPENING).await;

    assert!(
        read_to(&mut client, "hi")
            .await
            .starts_with("HTTP/1.1 101 ")
    );
}

const CHUNKED: &str = "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n";

/// Reads requests to their end and answers them; writes down on which connection they came.
async fn reading() -> (Notes, Arc<Upstream>) {
    let notes = Notes::default();
    let seen = Arc::clone(&notes);
    let url = serving(move |number, request, mut respond| {
        let (head, mut body) = request.into_parts();
        seen.lock()
            .unwrap()
            .push(format!("{number} {}", head.method));
        async move {
            while let Some(Ok(_)) = body.data().await {}
            if body.is_end_stream() {
                answer(&mut respond);
            }
        }
    })
    .await;
    (notes, Arc::new(upstream(&url)))
}

async fn begun(notes: &Notes) {
    while notes.lock().unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
}

/// Answers once `count` requests are there, on any connection, and writes down on which one each came.
async fn waiting_for(notes: &Notes, count: usize, limit: u32) -> String {
    let notes = Arc::clone(notes);
    let barrier = Arc::new(tokio::sync::Barrier::new(count));
    let is_first = Arc::new(AtomicBool::new(limit == 1));
    origin(move |stream, number| {
        let (notes, barrier, is_first) = (
            Arc::clone(&notes),
            Arc::clone(&barrier),
            Arc::clone(&is_first),
        );
        async move {
            let mut builder = h2::server::Builder::new();
            let server = builder
                .max_concurrent_streams(limit)
                .handshake(stream)
                .await;
            serve(server.unwrap(), move |_, mut respond| {
                notes.lock().unwrap().push(number.to_string());
                let (barrier, is_alone) = (
                    Arc::clone(&barrier),
                    is_first.swap(false, Ordering::Relaxed),
                );
                async move {
                    if !is_alone {
                        barrier.wait().await;
                    }
                    answer(&mut respond);
                }
            })
            .await;
        }
    })
    .await
    .replace("http:", "h2c:")
}

/// Answers one request on each connection; at the second it leaves, and says which was the last that it took on.
async fn leaving(notes: &Notes, last: u8) -> String {
    let notes = Arc::clone(notes);
    let url = origin(move |mut stream, number| {
        let notes = Arc::clone(&notes);
        async move {
            read_to(&mut stream, "SM\r\n\r\n").await;
            stream.write_all(&frame(4, 0, 0, &[])).await.unwrap();
            read_to_headers(&mut stream).await;
            notes.lock().unwrap().push(number.to_string());
            // The first of HPACK's names for `:status: 200`, and the end of the stream.
            stream.write_all(&frame(1, 5, 1, &[0x88])).await.unwrap();
            read_to_headers(&mut stream).await;
            notes.lock().unwrap().push(number.to_string());
            let goaway = frame(7, 0, 0, &[0, 0, 0, last, 0, 0, 0, 0]);
            stream.write_all(&goaway).await.unwrap();
        }
    });
    url.await.replace("http:", "h2c:")
}

/// RFC 9113 4.1.
fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
    let head = [0, 0, payload.len() as u8, kind, flags, 0, 0, 0, stream];
    [&head, payload].concat()
}

async fn read_to_headers(stream: &mut TcpStream) {
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head).await.unwrap();
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        stream
            .read_exact(&mut vec![0; length as usize])
            .await
            .unwrap();
        if head[3] == 1 {
            return;
        }
    }
}

/// Runs `script` for every connection, with its number.
async fn http2<F: Future<Output = ()> + Send + 'static>(
    script: impl Fn(Server, usize) -> F + Clone + Send + Sync + 'static,
) -> String {
    let origin = origin(move |stream, number| {
        let script = script.clone();
        async move { script(h2::server::handshake(stream).await.unwrap(), number).await }
    });
    origin.await.replace("http:", "h2c:")
}

/// Runs `script` for every request, with the number of its connection.
async fn serving<F: Future<Output = ()> + Send + 'static>(
    script: impl Fn(usize, Request<RecvStream>, Respond) -> F + Clone + Send + Sync + 'static,
) -> String {
    http2(move |server, number| {
        let script = script.clone();
        serve(server, move |request, respond| {
            script(number, request, respond)
        })
    })
    .await
}

async fn serve<F: Future<Output = ()> + Send + 'static>(
    mut server: Server,
    script: impl Fn(Request<RecvStream>, Respond) -> F,
) {
    while let Some(Ok((request, respond))) = server.accept().await {
        tokio::spawn(script(request, respond));
    }
}

fn answer(respond: &mut Respond) {
    let mut body = respond.send_response(Response::new(()), false).unwrap();
    body.send_data("ok".into(), true).unwrap();
}
