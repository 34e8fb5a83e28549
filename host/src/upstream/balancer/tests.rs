//! A balancer between real sockets.

use std::sync::atomic::AtomicBool;
use std::time::Duration;

use http::{Method, StatusCode};
use serde_json::json;
use tokio::net::TcpStream;
use tokio::time::{advance, pause, sleep};

use super::*;
use crate::actions::BalancerConfig;
use crate::metrics::Metrics;
use crate::rescue;
use crate::testing::{Notes, origin, read_all, read_to, write};
use crate::upstream::Patience;

#[tokio::test]
async fn what_was_never_sent_goes_elsewhere_whatever_it_is() {
    let notes = Notes::default();
    let live = named(&notes, "live", 200).await;
    let balancer = balancer(&[&gone(), &gone(), &live], json!({ "retries": 0 }));

    for _ in 0..6 {
        assert_eq!(post(&balancer).await.unwrap(), "live");
    }

    assert_eq!(notes.lock().unwrap().len(), 6);
}

#[tokio::test]
async fn when_all_are_gone_the_client_is_told_when_to_come_back() {
    let balancer = balancer(&[&gone(), &gone()], json!({}));

    let error = get(&balancer).await.unwrap_err();

    assert!(matches!(error, UpstreamError::NoneLeft(_)), "{error:?}");
    let answer = rescue::upstream(&error);
    assert_eq!(
        (
            answer.status().as_u16(),
            answer.headers()["retry-after"].as_bytes()
        ),
        (503, &b"1"[..])
    );
}

#[tokio::test]
async fn what_may_have_been_seen_goes_elsewhere_only_if_that_is_harmless() {
    let notes = Notes::default();
    let seen = Arc::clone(&notes);
    let dying = origin(move |mut stream, _| {
        let seen = Arc::clone(&seen);
        async move {
            read_to(&mut stream, "\r\n\r\n").await;
            seen.lock().unwrap().push("dying".to_owned());
        }
    })
    .await;
    let live = named(&notes, "live", 200).await;
    let balancer = balancer(&[&dying, &live], json!({ "maxFails": 0 }));

    assert_eq!(get(&balancer).await.unwrap(), "live");
    // The turn of the one that lives.
    assert_eq!(get(&balancer).await.unwrap(), "live");
    notes.lock().unwrap().clear();
    let posted = post(&balancer).await;

    assert!(
        matches!(posted, Err(UpstreamError::Failed(_))),
        "{posted:?}"
    );
    assert_eq!(*notes.lock().unwrap(), ["dying"]);
}

#[tokio::test]
async fn an_answer_that_counts_as_a_failure_is_asked_for_elsewhere_and_passed_on_if_there_is_no_other()
 {
    let notes = Notes::default();
    let [bad, worse] = [
        named(&notes, "bad", 503).await,
        named(&notes, "worse", 503).await,
    ];
    let good = named(&notes, "good", 200).await;
    let all = balancer(&[&bad, &worse, &good], json!({ "maxFails": 0 }));
    let both = balancer(&[&bad, &worse], json!({ "maxFails": 0 }));

    for _ in 0..3 {
        assert_eq!(get(&all).await.unwrap(), "good");
    }
    let refused = both
        .forward(request(Method::GET, Body::Empty), None)
        .await
        .unwrap();

    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(body_of(refused).await, "worse");
    notes.lock().unwrap().clear();
    let posted = post(&both).await.unwrap();
    assert_eq!(*notes.lock().unwrap(), [posted]);
}

#[tokio::test]
async fn a_request_that_was_answered_before_its_end_is_sent_again_as_a_whole() {
    let hasty = origin(|mut stream, _| async move {
        read_to(&mut stream, "\r\n\r\n").await;
        let answer = "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n";
        write(&mut stream, answer).await;
        std::future::pending::<()>().await;
    })
    .await;
    let patient = origin(|mut stream, _| async move {
        read_to(&mut stream, "end").await;
        write(
            &mut stream,
            "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nall",
        )
        .await;
    })
    .await;
    let balancer = balancer(&[&hasty, &patient], json!({ "retryStatuses": [503] }));
    // More than a socket takes at once.
    let body = "x".repeat(8 << 20) + "end";

    let answer = balancer
        .forward(request(Method::PUT, Body::from(body)), None)
        .await;

    assert_eq!(body_of(answer.unwrap()).await, "all");
}

#[tokio::test]
async fn a_request_is_sent_again_as_often_as_is_allowed() {
    let notes = Notes::default();
    let bad = [
        named(&notes, "a", 503).await,
        named(&notes, "b", 503).await,
        named(&notes, "c", 503).await,
    ];
    let urls = bad.each_ref().map(String::as_str);
    let balancer = balancer(&urls, json!({ "retries": 1, "maxFails": 0 }));

    get(&balancer).await.unwrap();

    assert_eq!(notes.lock().unwrap().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn silence_is_waited_for_once_and_then_left_alone() {
    let notes = Notes::default();
    let silent = origin(|mut stream, _| async move {
        read_all(&mut stream).await;
    })
    .await;
    let live = named(&notes, "live", 200).await;
    let config = json!({ "maxFails": 1, "failTimeout": "10s", "timeouts": { "read": "2s" } });
    let balancer = balancer(&[&silent, &live], config);
    let began = tokio::time::Instant::now();

    for _ in 0..5 {
        assert_eq!(get(&balancer).await.unwrap(), "live");
    }

    assert_eq!(began.elapsed().as_secs(), 2);
}

#[tokio::test]
async fn an_endpoint_that_is_out_is_tried_by_one_request_that_can_go_elsewhere() {
    let notes = Notes::default();
    let bad = named(&notes, "bad", 503).await;
    let good = named(&notes, "good", 200).await;
    let balancer = balancer(
        &[&bad, &good],
        json!({ "maxFails": 1, "failTimeout": "10s" }),
    );
    pause();
    get(&balancer).await.unwrap();
    notes.lock().unwrap().clear();

    advance(Duration::from_secs(11)).await;
    for _ in 0..2 {
        assert_eq!(post(&balancer).await.unwrap(), "good");
    }
    for _ in 0..2 {
        assert_eq!(get(&balancer).await.unwrap(), "good");
    }

    assert_eq!(
        *notes.lock().unwrap(),
        ["good", "good", "bad", "good", "good"]
    );
}

#[tokio::test]
async fn an_endpoint_that_only_posts_could_try_is_tried_by_one_in_the_end() {
    let notes = Notes::default();
    let flaky = named(&notes, "flaky", 503).await;
    let good = named(&notes, "good", 200).await;
    let balancer = balancer(
        &[&flaky, &good],
        json!({ "maxFails": 1, "failTimeout": "10s" }),
    );
    pause();
    post(&balancer).await.unwrap();

    advance(Duration::from_secs(21)).await;
    let answers = [
        post(&balancer).await.unwrap(),
        post(&balancer).await.unwrap(),
    ];

    assert_eq!(answers, ["flaky", "good"]);
}

#[tokio::test]
async fn the_next_configuration_knows_who_is_out_and_who_is_busy() {
    let notes = Notes::default();
    let bad = named(&notes, "bad", 503).await;
    let slow = hanging(&notes, "slow").await;
    let config = json!({ "maxFails": 1, "failTimeout": "1h", "maxRequests": 1, "timeouts": { "connect": "10ms" } });
    let before = Arc::new(balancer(&[&bad, &slow], config.clone()));
    assert_eq!(post(&before).await.unwrap(), "bad");
    let busy = Arc::clone(&before);
    let waiting = tokio::spawn(async move { post(&busy).await });
    noted(&notes, 2).await;
    let good = named(&notes, "good", 200).await;

    let next = group(&[&good, &slow, &bad], config).following(Some(&before.group));
    let next = Balancer::new(Arc::new(next), &Tracker::detached(), 0);

    for _ in 0..4 {
        assert_eq!(post(&next).await.unwrap(), "good");
    }
    waiting.abort();
}

#[tokio::test]
async fn the_least_busy_gets_the_next_request() {
    let notes = Notes::default();
    let slow = hanging(&notes, "slow").await;
    let live = named(&notes, "live", 200).await;
    let balancer = Arc::new(balancer(
        &[&slow, &live],
        json!({ "policy": "leastConnections" }),
    ));
    let busy = Arc::clone(&balancer);
    let waiting = tokio::spawn(async move { get(&busy).await });
    noted(&notes, 1).await;

    for _ in 0..4 {
        assert_eq!(get(&balancer).await.unwrap(), "live");
    }

    waiting.abort();
}

#[tokio::test]
async fn a_full_endpoint_is_passed_over_and_waited_for_when_all_are() {
    let notes = Notes::default();
    let slow = hanging(&notes, "slow").await;
    let live = named(&notes, "live", 200).await;
    let config = json!({ "maxRequests": 1, "timeouts": { "connect": "50ms" } });
    let both = Arc::new(balancer(&[&slow, &live], config.clone()));
    let busy = Arc::clone(&both);
    let waiting = tokio::spawn(async move { get(&busy).await });
    noted(&notes, 1).await;

    for _ in 0..3 {
        assert_eq!(get(&both).await.unwrap(), "live");
    }
    waiting.abort();

    let alone = Arc::new(balancer(&[&slow], config));
    let busy = Arc::clone(&alone);
    let waiting = tokio::spawn(async move { get(&busy).await });
    noted(&notes, 5).await;
    let error = get(&alone).await.unwrap_err();
    assert!(matches!(error, UpstreamError::Busy), "{error:?}");
    assert_eq!(
        rescue::upstream(&error).status(),
        StatusCode::SERVICE_UNAVAILABLE
    );
    waiting.abort();
    // The place is free as soon as the client that had it has gone.
    let next = Arc::clone(&alone);
    let next = tokio::spawn(async move { get(&next).await });
    noted(&notes, 6).await;
    next.abort();
}

#[tokio::test]
async fn a_key_stays_where_it_is_falls_over_and_comes_back() {
    let notes = Notes::default();
    let is_bad = Arc::new(AtomicBool::new(false));
    let switched = Arc::clone(&is_bad);
    let mine =
        origin(move |stream, _| serve(stream, Notes::default(), "mine", Arc::clone(&switched)))
            .await;
    let other = named(&notes, "other", 200).await;
    let balancer = balancer(
        &[&mine, &other],
        json!({ "maxFails": 1, "failTimeout": "10s" }),
    );
    let key = key_of(&balancer, 0);
    let ask = async || {
        body_of(
            balancer
                .forward(request(Method::GET, Body::Empty), Some(key))
                .await
                .unwrap(),
        )
        .await
    };
    pause();

    assert_eq!([ask().await, ask().await], ["mine", "mine"]);
    is_bad.store(true, Ordering::Relaxed);
    assert_eq!([ask().await, ask().await], ["other", "other"]);
    is_bad.store(false, Ordering::Relaxed);
    advance(Duration::from_secs(11)).await;
    assert_eq!([ask().await, ask().await], ["mine", "mine"]);
}

#[tokio::test]
async fn a_base_path_is_that_of_the_endpoint_the_request_ends_at() {
    let notes = Notes::default();
    let seen = Arc::clone(&notes);
    let echo = origin(move |mut stream, _| {
        let seen = Arc::clone(&seen);
        async move {
            let head = read_to(&mut stream, "\r\n\r\n").await;
            seen.lock().unwrap().push(head);
            write(&mut stream, "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
        }
    })
    .await;
    let balancer = balancer(&[&format!("{}/a", gone()), &format!("{echo}/b")], json!({}));

    get(&balancer).await.unwrap();

    let head = notes.lock().unwrap()[0].clone();
    assert!(
        head.starts_with("GET /b/x HTTP/1.1\r\nhost: shop.test\r\n"),
        "{head}"
    );
}

#[tokio::test]
async fn a_request_that_is_sent_again_has_come_by_once() {
    let notes = Notes::default();
    let seen = Arc::clone(&notes);
    let busy = origin(move |mut stream, _| {
        let seen = Arc::clone(&seen);
        async move {
            let head = read_to(&mut stream, "\r\n\r\n").await;
            seen.lock().unwrap().push(head);
            let answer = "HTTP/1.1 503 x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
            write(&mut stream, answer).await;
        }
    })
    .await;
    let balancer = balancer(&[&busy, &format!("{busy}/again")], json!({ "maxFails": 0 }));

    get(&balancer).await.unwrap();

    let passages = |head: &String| head.matches("cdn-loop: gateway-").count();
    let counted: Vec<_> = notes.lock().unwrap().iter().map(passages).collect();
    assert_eq!(counted, [1, 1]);
}

#[tokio::test]
async fn repetitions_beyond_the_budget_are_left_out() {
    let notes = Notes::default();
    let [bad, good] = [
        named(&notes, "bad", 503).await,
        named(&notes, "good", 200).await,
    ];
    let balancer = balancer(&[&bad, &good], json!({ "maxFails": 0, "retryBudget": 0 }));
    pause();
    while balancer.budget.spend(balancer.group.now()) {}

    let answers = [get(&balancer).await.unwrap(), get(&balancer).await.unwrap()];

    assert_eq!(answers, ["bad", "good"]);
}

fn balancer(endpoints: &[&str], config: serde_json::Value) -> Balancer {
    let group = Arc::new(group(endpoints, config));
    Balancer::new(group, &Tracker::detached(), 0)
}

fn group(endpoints: &[&str], mut config: serde_json::Value) -> Group {
    config["upstreamEndpoints"] = json!(endpoints);
    let config: BalancerConfig = serde_json::from_value(config).unwrap();
    let group = config.group("test", Patience::default(), &Metrics::default());
    group.unwrap()
}

/// A key that goes to the endpoint of this number.
fn key_of(balancer: &Balancer, number: usize) -> Key {
    let keys = (0..100_u8).map(|byte| Key::of(&[byte]));
    let mut own =
        keys.filter(|key| sticky::highest(&balancer.seats, *key, |_| true) == Some(number));
    own.next().unwrap()
}

/// Answers every request with its name, and writes it down.
async fn named(notes: &Notes, name: &'static str, status: u16) -> String {
    let is_bad = Arc::new((status == 503).into());
    let notes = Arc::clone(notes);
    origin(move |stream, _| serve(stream, Arc::clone(&notes), name, Arc::clone(&is_bad))).await
}

async fn serve(mut stream: TcpStream, notes: Notes, name: &'static str, is_bad: Arc<AtomicBool>) {
    loop {
        let head = read_to(&mut stream, "\r\n\r\n").await;
        if head.starts_with("POST") {
            read_to(&mut stream, "body").await;
        }
        notes.lock().unwrap().push(name.to_owned());
        let status = match is_bad.load(Ordering::Relaxed) {
            true => "503 Service Unavailable",
            false => "200 OK",
        };
        let length = name.len();
        let answer = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\n\r\n{name}");
        write(&mut stream, &answer).await;
    }
}

/// Takes requests, writes its name down, and says nothing.
async fn hanging(notes: &Notes, name: &'static str) -> String {
    let notes = Arc::clone(notes);
    origin(move |mut stream, _| {
        let notes = Arc::clone(&notes);
        async move {
            read_to(&mut stream, "\r\n\r\n").await;
            notes.lock().unwrap().push(name.to_owned());
            read_all(&mut stream).await;
        }
    })
    .await
}

async fn noted(notes: &Notes, count: usize) {
    while notes.lock().unwrap().len() < count {
        sleep(Duration::from_millis(1)).await;
    }
}

/// Where nobody listens.
fn gone() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

async fn get(balancer: &Balancer) -> Result<String, UpstreamError> {
    let answer = balancer
        .forward(request(Method::GET, Body::Empty), None)
        .await?;
    Ok(body_of(answer).await)
}

async fn post(balancer: &Balancer) -> Result<String, UpstreamError> {
    let answer = balancer
        .forward(request(Method::POST, Body::from("body")), None)
        .await?;
    Ok(body_of(answer).await)
}

fn request(method: Method, body: Body) -> Request<Body> {
    let request = Request::builder()
        .method(method)
        .uri("/x")
        .header("host", "shop.test");
    request.body(body).unwrap()
}

async fn body_of(response: Response<Body>) -> String {
    let bytes = response.into_body().buffer(1024).await.unwrap();
    String::from_utf8(bytes.to_vec()).unwrap()
}
