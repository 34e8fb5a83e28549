//! An upstream between real sockets.

mod circles;
mod counting;
mod failing;
mod http2;
mod passing;
mod pooling;
mod secure;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use http::{Method, StatusCode};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::Instant;

use super::*;
use crate::server::{Answer, Peer, Service};
use crate::testing::{
    Notes, OK, OPENING, Proxy, SWITCH, answer_each, answering, client, client_with, noting, origin,
    read_all, read_to, settings, upstream, upstream_with, write,
};

/// Forwards everything to a service that a test asks as well.
struct Lent(Arc<Upstream>);

impl Service for Lent {
    async fn handle(&self, _: &Peer, request: &mut Request<Body>) -> Answer {
        let sent = self.0.send(std::mem::take(request)).await;
        let answer = sent.unwrap_or_else(|error| crate::rescue::upstream(&error));
        answer.into()
    }
}

/// Reads whatever comes and never answers.
async fn swallowing() -> String {
    origin(|mut stream, _| async move {
        read_all(&mut stream).await;
    })
    .await
}

/// Answers every request and writes down on which connection it came.
async fn numbering(notes: &Notes, answer: &'static str) -> String {
    hesitating(notes, answer, Duration::ZERO).await
}

/// The same, after a while for each.
async fn hesitating(notes: &Notes, answer: &'static str, pause: Duration) -> String {
    let notes = Arc::clone(notes);
    origin(move |mut stream, number| {
        let notes = Arc::clone(&notes);
        async move {
            loop {
                read_to(&mut stream, "\r\n\r\n").await;
                notes.lock().unwrap().push(number.to_string());
                tokio::time::sleep(pause).await;
                write(&mut stream, answer).await;
            }
        }
    })
    .await
}

/// Lets the tasks of the connections see what has happened.
async fn settle() {
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
}

async fn get(upstream: &Upstream) -> Result<Response<Body>, UpstreamError> {
    upstream.send(request(Method::GET, Body::Empty)).await
}

fn request(method: Method, body: Body) -> Request<Body> {
    let request = Request::builder()
        .method(method)
        .uri("/")
        .header("host", "a");
    request.body(body).unwrap()
}

async fn body_of(response: Response<Body>) -> String {
    let bytes = response.into_body().buffer(1024).await.unwrap();
    settle().await;
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn rescue_status(error: &UpstreamError) -> StatusCode {
    crate::rescue::upstream(error).status()
}
