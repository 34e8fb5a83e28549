//! The second listener, for the operator: `/metrics` in the format of Prometheus.

use std::sync::Arc;

use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request, Response, StatusCode};

use crate::body::Body;
use crate::metrics::Metrics;
use crate::server::{Answer, Peer, Service};

/// Serves what the operator asks for.
#[derive(Clone, Debug)]
pub struct Admin {
    metrics: Arc<Metrics>,
}

impl Admin {
    /// Serves these counters.
    pub fn new(metrics: Arc<Metrics>) -> Self {
        Self { metrics }
    }

    fn answer(&self, method: &Method, path: &str) -> Response<Body> {
        if (method, path) != (&Method::GET, "/metrics") {
            let mut response = Response::new(Body::from("only GET /metrics is here\n"));
            *response.status_mut() = StatusCode::NOT_FOUND;
            return response;
        }
        let mut response = Response::new(Body::from(self.metrics.render()));
        response.headers_mut().insert(CONTENT_TYPE, EXPOSITION);
        response
    }
}

impl Service for Admin {
    async fn handle(&self, _: &Peer, request: &mut Request<Body>) -> Answer {
        self.answer(request.method(), request.uri().path()).into()
    }
}

const EXPOSITION: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{client, read_to, write};

    #[tokio::test]
    async fn metrics_are_served_and_nothing_else() {
        let metrics = Arc::new(Metrics::default());
        metrics.counter("a_total", "A.", &[]);
        let (mut client, _order) = client(Admin::new(metrics));

        write(&mut client, "GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
        let other = read_to(&mut client, "\r\n\r\n").await;
        write(&mut client, "GET /metrics HTTP/1.1\r\nhost: a\r\n\r\n").await;
        let metrics = read_to(&mut client, "a_total 0\n").await;

        assert!(
            metrics.contains("content-type: text/plain; version=0.0.4\r\n"),
            "{metrics}"
        );
        assert!(other.starts_with("HTTP/1.1 404 "), "{other}");
    }
}
