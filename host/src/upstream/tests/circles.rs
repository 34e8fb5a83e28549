//! Upstreams that are, on some way, the gateway itself.

use serde_json::json;
use tokio::net::TcpListener;

use super::*;
use crate::server::serve_for_test;
use crate::stream::Stream;

#[tokio::test]
async fn a_request_that_comes_back_again_and_again_is_refused() {
    for protocol in ["http1", "http2"] {
        let (url, passages) = circle(protocol).await;

        let answer = get(&upstream(&url)).await.unwrap();

        assert_eq!(answer.status(), 508, "{protocol}");
        // The first of eight is that of the test.
        assert_eq!(passages.load(Ordering::Relaxed), 7, "{protocol}");
    }
}

#[tokio::test]
async fn what_others_say_of_a_way_goes_along() {
    let (url, notes) = noting("\r\n\r\n", OK).await;
    let mut request = request(Method::GET, Body::Empty);
    let other = "cdn.test; a=b".parse().unwrap();
    request.headers_mut().insert("cdn-loop", other);

    upstream(&url).send(request).await.unwrap();

    let head = notes.lock().unwrap()[0].clone();
    assert!(
        head.contains("cdn-loop: cdn.test; a=b\r\ncdn-loop: gateway-"),
        "{head}"
    );
}

/// Forwards everything to itself by a name of its own, and counts.
async fn circle(protocol: &'static str) -> (String, Arc<AtomicUsize>) {
    let passages = Arc::new(AtomicUsize::new(0));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let itself = Circle {
        upstream: Arc::new(upstream_with(&url, json!({ "protocol": protocol }))),
        passages: Arc::clone(&passages),
    };
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let (order, stopping) = tokio::sync::watch::channel(false);
            let service = itself.clone();
            tokio::spawn(async move {
                serve_for_test(Stream::Tcp(stream), service, settings(), stopping).await;
                drop(order);
            });
        }
    });
    (url, passages)
}

#[derive(Clone)]
struct Circle {
    upstream: Arc<Upstream>,
    passages: Arc<AtomicUsize>,
}

impl Service for Circle {
    async fn handle(&self, _: &Peer, request: &mut Request<Body>) -> Answer {
        // Without an end it would go on until there are no descriptors.
        if self.passages.fetch_add(1, Ordering::Relaxed) > 50 {
            return Response::new(Body::Empty).into();
        }
        let sent = self.upstream.send(std::mem::take(request)).await;
        let answer = sent.unwrap_or_else(|error| crate::rescue::upstream(&error));
        answer.into()
    }
}
