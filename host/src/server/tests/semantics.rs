//! What holds of responses in every version of HTTP.

use http::header::CONTENT_LENGTH;
use http::{Method, StatusCode};

use super::http2::h2_client;
use super::*;
use crate::metrics::Metrics;

/// A status that comes with a body.
fn full(status: u16) -> Response<Body> {
    let response = Response::builder().status(status);
    response.body("four".into()).unwrap()
}

/// A method, the answer to it, and the length that is said.
type Case = (Method, fn() -> Response<Body>, Option<&'static str>);

const CASES: [Case; 5] = [
    (Method::HEAD, || full(200), Some("4")),
    (Method::HEAD, || full(404), Some("4")),
    (Method::HEAD, || full(204), None),
    (Method::GET, || full(204), None),
    (Method::GET, || full(304), Some("4")),
];

#[tokio::test]
async fn a_body_that_must_not_be_sent_is_not_sent_over_http_2() {
    for (method, response, length) in CASES {
        let (mut sender, _order) = h2_client(Says(response)).await;
        let request = Request::builder().method(method).uri("http://a.test/");

        let (answer, _) = sender
            .send_request(request.body(()).unwrap(), true)
            .unwrap();
        let answer = answer.await.unwrap();

        let said = answer.headers().get("content-length");
        assert_eq!(said.map(|said| said.to_str().unwrap()), length);
        assert!(answer.body().is_end_stream(), "{answer:?}");
    }
}

#[tokio::test]
async fn a_body_that_must_not_be_sent_is_not_sent_over_http_1() {
    for (method, response, length) in CASES {
        let (mut client, _order) = client(Says(response));

        let request = format!("{method} / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
        write(&mut client, &request).await;
        let answer = read_all(&mut client).await;

        let line = length.map(|length| format!("content-length: {length}\r\n"));
        let is_said = answer.contains(line.as_deref().unwrap_or("content-length"));
        assert_eq!(is_said, length.is_some(), "{answer}");
        assert!(answer.ends_with("\r\n\r\n"), "{answer}");
    }
}

#[tokio::test]
async fn a_status_that_ends_nothing_is_500_for_everybody() {
    let metrics = Metrics::default();
    let [new, old] = ["new", "old"].map(|name| Arc::new(RouteCounters::new(&metrics, name)));
    for interim in [100, 101, 103] {
        let (mut sender, _order) = h2_client(Interim(interim, Arc::clone(&new))).await;
        let request = Request::get("http://a.test/").body(()).unwrap();

        let (answer, _) = sender.send_request(request, true).unwrap();

        assert_eq!(answer.await.unwrap().status(), 500, "{interim}");
        let (mut client, _order) = client(Interim(interim, Arc::clone(&old)));
        write(
            &mut client,
            "GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n",
        )
        .await;
        assert!(
            read_all(&mut client).await.starts_with("HTTP/1.1 500 "),
            "{interim}"
        );
    }
    // On HTTP/1.1 whoever has the last byte can rely on being counted.
    let counted = metrics.render();
    assert!(
        counted.contains("gateway_requests_total{route=\"old\",status=\"5xx\"} 3"),
        "{counted}"
    );
}

#[tokio::test]
async fn the_length_that_is_said_on_http_2_is_that_of_the_body() {
    let lies: [fn() -> Response<Body>; 5] = [
        || saying(&["9"]),
        || saying(&["3"]),
        || saying(&["4", "4"]),
        || saying(&["+4"]),
        || saying(&["4"]),
    ];
    for lie in lies {
        let (mut sender, _order) = h2_client(Says(lie)).await;
        let request = Request::get("http://a.test/").body(()).unwrap();

        let (answer, _) = sender.send_request(request, true).unwrap();

        let answer = answer.await.unwrap();
        let said: Vec<_> = answer.headers().get_all(CONTENT_LENGTH).iter().collect();
        assert_eq!(said, ["4"]);
        assert_eq!(answer.into_body().data().await.unwrap().unwrap(), "four");
    }
}

fn saying(lengths: &[&str]) -> Response<Body> {
    let mut response = full(200);
    for length in lengths {
        let length = length.parse().unwrap();
        response.headers_mut().append(CONTENT_LENGTH, length);
    }
    response
}

/// Answers with a status of its own.
struct Interim(u16, Arc<RouteCounters>);

impl Service for Interim {
    async fn handle(&self, _: &Peer, _: &mut Request<Body>) -> Answer {
        let mut response = full(200);
        *response.status_mut() = StatusCode::from_u16(self.0).unwrap();
        Answer {
            route: Some(Arc::clone(&self.1)),
            ..response.into()
        }
    }
}
