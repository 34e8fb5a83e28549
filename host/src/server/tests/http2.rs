//! What a gateway does beyond the letter of RFC 9113: deadlines, floods, and the end.

use bytes::Bytes;
use http::{HeaderMap, Request};

use super::wire::*;
use super::*;

#[tokio::test]
async fn short_requests_of_http_1_do_not_wait_for_a_preface() {
    for request in [
        "GET /p HTTP/1.0\r\n\r\n",
        "PUT /p HTTP/1.0\r\n\r\n",
        "PRI /p HTTP/1.0\r\n\r\n",
    ] {
        let (mut client, _order) = client(Echo);

        write(&mut client, request).await;

        assert!(read_all(&mut client).await.ends_with("/p"), "{request}");
    }
}

#[tokio::test]
async fn a_preface_in_pieces_is_one() {
    let mut wire = Wire::silent(Echo, settings());
    for byte in HTTP_2_PREFACE {
        wire.send(&[*byte]).await;
        tokio::task::yield_now().await;
    }
    wire.send(&[frame(SETTINGS, 0, 0, &[]), get(1)].concat())
        .await;

    assert_eq!(wire.until(DATA).await.payload, b"/a");
}

#[tokio::test]
async fn requests_share_a_connection_and_bodies_and_trailers_pass_both_ways() {
    let (mut sender, _driver) = h2_client(Trailing).await;
    let mut answers = Vec::new();
    for _ in 0..10 {
        let request = Request::post("http://a.test/").body(()).unwrap();
        let (answer, mut body) = sender.send_request(request, false).unwrap();
        body.send_data(Bytes::from_static(b"hello"), false).unwrap();
        let mut trailers = HeaderMap::new();
        trailers.insert("x-sum", "5".parse().unwrap());
        trailers.insert("x-forwarded-for", "9.9.9.9".parse().unwrap());
        body.send_trailers(trailers).unwrap();
        answers.push(answer);
    }
    for answer in answers {
        let mut body = answer.await.unwrap().into_body();
        let mut data = Vec::new();
        while let Some(part) = body.data().await {
            data.extend_from_slice(&part.unwrap());
        }
        let trailers = body.trailers().await.unwrap().unwrap();
        assert_eq!(
            (data.as_slice(), trailers["x-sum"].as_bytes()),
            (&b"hello"[..], &b"5"[..])
        );
        assert!(!trailers.contains_key("x-forwarded-for"));
    }
}

#[tokio::test]
async fn pseudo_headers_behind_a_body_go_nowhere() {
    let mut wire = Wire::open(Trailing).await;
    let trailers = block(&[(":path", "/b"), ("x-sum", "1")]);

    wire.send(&post(1, &[])).await;
    wire.send(&frame(HEADERS, END_STREAM | END_HEADERS, 1, &trailers))
        .await;

    let (frames, stands) = wire.settle(1).await;
    let text = |frame: &Frame| String::from_utf8_lossy(&frame.payload).into_owned();
    assert!(
        stands && frames.iter().all(|frame| !text(frame).contains("/b")),
        "{frames:?}"
    );
}

#[tokio::test]
async fn hygiene_is_the_same_as_on_http_1() {
    let (mut sender, _driver) = h2_client(Echo).await;
    for (target, host, status) in [
        ("http://a.test/%2e%2e/etc", None, 400),
        ("http://user@a.test/", None, 400),
        ("http://a.test/", Some("b.test"), 400),
        ("http://a.test/a", Some("a.test"), 200),
    ] {
        let mut request = Request::get(target).body(()).unwrap();
        if let Some(host) = host {
            request.headers_mut().insert("host", host.parse().unwrap());
        }
        let (answer, _) = sender.send_request(request, true).unwrap();

        assert_eq!(answer.await.unwrap().status(), status, "{target} {host:?}");
    }
    let connect = Request::builder()
        .method("CONNECT")
        .uri("a.test:443")
        .body(())
        .unwrap();
    let (answer, _) = sender.send_request(connect, true).unwrap();
    assert_eq!(answer.await.unwrap().status(), 405);
}

#[tokio::test]
async fn headers_above_the_limit_are_431_together_or_by_number() {
    let (mut sender, _driver) = h2_client(Echo).await;
    let mut large = Request::get("http://a.test/").body(()).unwrap();
    large
        .headers_mut()
        .insert("x", "a".repeat(17 * 1024).parse().unwrap());
    let mut many = Request::get("http://a.test/").body(()).unwrap();
    for number in 0..101 {
        let name: http::HeaderName = format!("x-{number}").parse().unwrap();
        many.headers_mut().insert(name, "1".parse().unwrap());
    }
    for request in [large, many] {
        let (answer, _) = sender.send_request(request, true).unwrap();

        assert_eq!(answer.await.unwrap().status(), 431);
    }
}

#[tokio::test(start_paused = true)]
async fn a_stalled_upload_is_408_and_costs_nobody_else() {
    let mut wire = Wire::open(Echo).await;
    wire.send(&post(1, &[("content-length", "5")])).await;
    wire.send(&frame(DATA, 0, 1, b"hel")).await;

    let answer = wire.until(HEADERS).await;
    wire.send(&get(3)).await;

    // 0x08: a literal that names the status by its index; the value is Huffman-coded, and starts with a length.
    assert_eq!(answer.stream, 1);
    assert_ne!(answer.payload[0], 0x88);
    assert_eq!(wire.until(HEADERS).await.payload[0], 0x88);
}

#[tokio::test(start_paused = true)]
async fn a_dripped_block_of_headers_is_cut_even_while_others_run() {
    let mut wire = Wire::open(Forever).await;
    wire.send(&get(1)).await;
    let began = Instant::now();

    wire.send(&frame(HEADERS, END_STREAM, 3, &block(&GET)))
        .await;
    while wire
        .stream
        .write_all(&frame(CONTINUATION, 0, 3, &block(&[("x", "1")])))
        .await
        .is_ok()
    {
        sleep(Duration::from_secs(2)).await;
    }

    assert!(
        (10..=14).contains(&began.elapsed().as_secs()),
        "{:?}",
        began.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn a_block_in_time_does_not_end_what_runs() {
    let mut wire = Wire::open(Echo).await;
    wire.send(&frame(HEADERS, END_STREAM, 1, &block(&GET)))
        .await;
    sleep(Duration::from_secs(9)).await;
    wire.send(&frame(CONTINUATION, END_HEADERS, 1, &[])).await;
    assert_eq!(wire.until(DATA).await.payload, b"/a");

    sleep(Duration::from_secs(20)).await;
    wire.send(&get(3)).await;

    assert_eq!(wire.until(DATA).await.payload, b"/a");
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_is_told_and_closed_whatever_it_pings() {
    let mut wire = Wire::open(Echo).await;
    let began = Instant::now();
    let mut seen = Vec::new();
    for _ in 0..30 {
        let (frames, stands) = wire.settle(3).await;
        seen.extend(frames);
        if !stands {
            break;
        }
        sleep(Duration::from_secs(5)).await;
    }

    let away: Vec<u32> = seen
        .iter()
        .filter(|frame| frame.kind == GOAWAY)
        .map(Frame::code)
        .collect();
    assert!(
        !away.is_empty() && away.iter().all(|code| *code == 0),
        "{seen:?}"
    );
    assert!(
        (75..=85).contains(&began.elapsed().as_secs()),
        "{:?}",
        began.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn a_response_that_nobody_takes_is_reset_and_the_others_flow() {
    struct Large;
    impl Service for Large {
        async fn handle(&self, _: &Peer, _: &mut Request<Body>) -> Answer {
            Response::new(Body::from("a".repeat(1 << 20))).into()
        }
    }
    let (stream, _order) = client(Large);
    // Room for both on the connection: only the stream's own window is the matter.
    let mut builder = h2::client::Builder::new();
    builder.initial_connection_window_size(1 << 22);
    let (mut sender, driver) = builder.handshake::<_, Bytes>(stream).await.unwrap();
    tokio::spawn(driver);
    let ask = |sender: &mut h2::client::SendRequest<Bytes>| {
        let request = Request::get("http://a.test/").body(()).unwrap();
        sender.send_request(request, true).unwrap().0
    };
    let stalled = ask(&mut sender).await.unwrap().into_body();
    let began = Instant::now();
    let mut taken = 0;
    let mut flowing = ask(&mut sender).await.unwrap().into_body();
    while let Some(part) = flowing.data().await {
        let size = part.unwrap().len();
        taken += size;
        flowing.flow_control().release_capacity(size).unwrap();
        sleep(Duration::from_secs(2)).await;
    }
    assert_eq!(taken, 1 << 20);
    assert!(began.elapsed().as_secs() > 80, "{:?}", began.elapsed());

    let mut stalled = stalled;
    let mut got = 0;
    let error = loop {
        match stalled.data().await.unwrap() {
            Ok(part) => got += part.len(),
            Err(error) => break error,
        }
    };
    assert!(error.is_reset(), "{error}");
    assert!(got < 1 << 20);
}

#[tokio::test(start_paused = true)]
async fn floods_end_the_connection() {
    let one = 1_u32.to_be_bytes();
    for (name, bytes) in [
        ("PING", frame(PING, 0, 0, &[0; 8])),
        ("SETTINGS", frame(SETTINGS, 0, 0, &[])),
        ("PRIORITY", frame(PRIORITY, 0, 1, &[0, 0, 0, 3, 9])),
        ("WINDOW_UPDATE", frame(WINDOW_UPDATE, 0, 0, &one)),
        ("unknown", frame(99, 0, 0, &[])),
    ] {
        let mut wire = Wire::open(Echo).await;
        let flood = bytes.repeat(2_000);

        let (mut reading, mut writing) = wire.stream.split();
        let write = async {
            let _ = writing.write_all(&flood).await;
        };
        let mut sink = Vec::new();
        let read = async {
            let _ = tokio::io::AsyncReadExt::read_to_end(&mut reading, &mut sink).await;
        };
        tokio::join!(write, read);
        assert!(
            wire.order.is_closed() || wire.next().await.is_none(),
            "{name}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn empty_parts_of_headers_and_bodies_are_floods_too() {
    let start = frame(HEADERS, END_STREAM, 1, &block(&GET));
    let body = [post(1, &[]), frame(DATA, 0, 1, &[]).repeat(3_000)].concat();
    for flood in [
        [start, frame(CONTINUATION, 0, 1, &[]).repeat(3_000)].concat(),
        body,
    ] {
        let mut wire = Wire::open(Echo).await;
        wire.send(&flood).await;

        wire.rest().await;

        assert!(wire.order.is_closed());
    }
}

#[tokio::test(start_paused = true)]
async fn requests_that_are_taken_back_at_once_end_the_connection() {
    let began = Instant::now();
    let asked = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let mut wire = Wire::open(Counting(Arc::clone(&asked))).await;
    for number in 0..5_000 {
        let stream = 2 * number + 1;
        let cancel = frame(RST_STREAM, 0, stream, &8_u32.to_be_bytes());
        wire.send(&[get(stream), cancel].concat()).await;
    }

    wire.rest().await;

    assert_eq!(began.elapsed().as_secs(), 0);
    let asked = asked.load(std::sync::atomic::Ordering::Relaxed);
    assert!(asked <= 300, "{asked} requests reached the service");
}

#[tokio::test(start_paused = true)]
async fn what_responses_have_earned_may_be_spent() {
    let mut wire = Wire::open(Echo).await;
    for number in 0..1_500 {
        let stream = 2 * number + 1;
        wire.send(
            &[
                get(stream),
                frame(WINDOW_UPDATE, 0, 0, &2_u32.to_be_bytes()),
            ]
            .concat(),
        )
        .await;
        wire.until(DATA).await;
    }

    assert!(wire.settle(1).await.1);
}

#[tokio::test]
async fn a_hundred_streams_run_and_more_are_refused() {
    let mut wire = Wire::open(Forever).await;
    let ours = wire.until(SETTINGS).await;
    assert!(
        ours.payload
            .chunks(6)
            .any(|setting| setting == [0, 3, 0, 0, 0, 100]),
        "{ours:?}"
    );
    assert_eq!(wire.until(SETTINGS).await.flags, ACK);
    wire.send(&frame(SETTINGS, ACK, 0, &[])).await;

    for number in 0..101 {
        wire.send(&get(2 * number + 1)).await;
    }

    let refused = wire.until(RST_STREAM).await;
    // REFUSED_STREAM.
    assert_eq!((refused.stream, refused.code()), (201, 7));
}

#[tokio::test]
async fn the_order_to_stop_is_passed_on_and_what_runs_ends_well() {
    let release = Arc::new(Notify::new());
    let mut wire = Wire::open(Held(Arc::clone(&release))).await;
    wire.send(&get(1)).await;
    wire.settle(1).await;

    wire.order.send_replace(true);
    assert_eq!(wire.until(GOAWAY).await.code(), 0);
    // It may still ask what was under way; then the ping is answered and the last word is said.
    let ping = wire.until(PING).await;
    wire.send(&frame(PING, ACK, 0, &ping.payload)).await;
    release.notify_one();

    let rest = wire.rest().await;
    let kinds: Vec<u8> = rest.iter().map(|frame| frame.kind).collect();
    assert!(
        kinds.contains(&HEADERS) && kinds.contains(&DATA),
        "{rest:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_silent_client_does_not_hold_up_the_end() {
    let began = Instant::now();
    let mut wire = Wire::open(Echo).await;
    wire.settle(1).await;

    wire.order.send_replace(true);
    wire.rest().await;

    assert_eq!(began.elapsed().as_secs(), 5);
}

/// Sends back what it gets, trailers included.
struct Trailing;

impl Service for Trailing {
    async fn handle(&self, _: &Peer, request: &mut Request<Body>) -> Answer {
        Response::new(std::mem::take(request.body_mut())).into()
    }
}

/// Never answers.
struct Forever;

impl Service for Forever {
    async fn handle(&self, _: &Peer, _: &mut Request<Body>) -> Answer {
        std::future::pending().await
    }
}

/// Counts and never answers.
struct Counting(Arc<std::sync::atomic::AtomicUsize>);

impl Service for Counting {
    async fn handle(&self, _: &Peer, _: &mut Request<Body>) -> Answer {
        self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        std::future::pending().await
    }
}

/// Answers when told so.
struct Held(Arc<Notify>);

impl Service for Held {
    async fn handle(&self, _: &Peer, _: &mut Request<Body>) -> Answer {
        self.0.notified().await;
        Response::new(Body::from("done")).into()
    }
}

pub(super) async fn h2_client(
    service: impl Service,
) -> (h2::client::SendRequest<Bytes>, watch::Sender<bool>) {
    let (stream, order) = client(service);
    let (sender, driver) = h2::client::handshake(stream).await.unwrap();
    tokio::spawn(async move {
        let _ = driver.await;
    });
    (sender, order)
}
