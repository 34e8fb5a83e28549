//! What is shown of the connections and requests of a service.

use super::*;
use crate::metrics::Metrics;
use crate::testing::service;

#[tokio::test]
async fn connections_are_counted_by_how_requests_got_them() {
    let url = answering(OK).await;
    let (upstream, metrics) = shown(&url);

    for _ in 0..3 {
        body_of(get(&upstream).await.unwrap()).await;
        settle().await;
    }

    assert_eq!(connections(&metrics), [1, 2, 0]);
}

#[tokio::test]
async fn a_connection_that_cannot_be_opened_is_counted_once() {
    let nobody = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", nobody.local_addr().unwrap());
    drop(nobody);
    let (upstream, metrics) = shown(&url);

    get(&upstream).await.unwrap_err();

    assert_eq!(connections(&metrics), [0, 0, 1]);
    assert_eq!(value(&metrics, REQUESTS), 0);
}

#[tokio::test]
async fn a_request_is_with_the_service_until_its_answer_has_been_read_or_dropped() {
    let answer = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n";
    let url = answering(answer).await;
    let (upstream, metrics) = shown(&url);

    let first = get(&upstream).await.unwrap();
    let second = get(&upstream).await.unwrap();
    let both = value(&metrics, REQUESTS);
    body_of(first).await;
    let one = value(&metrics, REQUESTS);
    drop(second);

    assert_eq!((both, one, value(&metrics, REQUESTS)), (2, 1, 0));
}

#[tokio::test]
async fn an_answer_that_came_as_a_whole_has_been_read() {
    let (upstream, metrics) = shown(&answering(OK).await);

    let answer = get(&upstream).await.unwrap();
    let other = get(&upstream).await.unwrap();

    assert_eq!(value(&metrics, REQUESTS), 0);
    assert_eq!(connections(&metrics), [1, 1, 0]);
    assert_eq!(
        (body_of(answer).await, body_of(other).await),
        ("ok".into(), "ok".into())
    );
}

fn shown(url: &str) -> (Upstream, Metrics) {
    let metrics = Metrics::default();
    let origin = service(url, serde_json::json!({})).shown("A", &metrics);
    (
        Upstream::new(Arc::new(origin), Tracker::detached()),
        metrics,
    )
}

/// Opened, reused, failed.
fn connections(metrics: &Metrics) -> [u64; 3] {
    ["opened", "reused", "failed"]
        .map(|outcome| value(metrics, &format!("outcome=\"{outcome}\"}} ")))
}

fn value(metrics: &Metrics, series: &str) -> u64 {
    let text = metrics.render();
    let line = text
        .lines()
        .find(|line| line.contains(series) && !line.starts_with('#'));
    let (_, value) = line.unwrap().rsplit_once(' ').unwrap();
    value.parse().unwrap()
}

const REQUESTS: &str = "gateway_upstream_requests_in_flight{";
