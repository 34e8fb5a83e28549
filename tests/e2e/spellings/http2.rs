//! One connection of HTTP/2 with prior knowledge, on which requests follow one another.

use bytes::Bytes;
use e2e::Gateway;
use h2::client::SendRequest;
use h2::ext::Protocol;
use http::{Method, Request};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;

use super::{EACH, Spellings};

/// Sends requests over one connection, each with fifty spellings, and says how many that were.
#[track_caller]
pub(super) fn flood(
    gateway: &Gateway,
    spellings: &mut Spellings,
    (method, path): (Method, &str),
    cookie: &str,
    requests: usize,
) -> usize {
    let runtime = Runtime::new().unwrap();
    runtime.block_on(async {
        let stream = TcpStream::connect(gateway.address()).await.unwrap();
        let (mut client, connection) = h2::client::handshake(stream).await.unwrap();
        tokio::spawn(connection);
        for _ in 0..requests {
            let request = request(&method, path, cookie, spellings.names());
            let status = ask(&mut client, request).await;
            assert!(matches!(status, 200 | 500 | 501), "{status}");
        }
    });
    requests * EACH
}

/// CONNECT is for a WebSocket (RFC 8441).
fn request(method: &Method, path: &str, cookie: &str, names: Vec<String>) -> Request<()> {
    let mut request = Request::builder()
        .method(method)
        .uri(format!("http://a.test{path}"))
        .header("cookie", cookie);
    if method == Method::CONNECT {
        request = request
            .extension(Protocol::from_static("websocket"))
            .header("sec-websocket-version", "13");
    }
    for name in names {
        request = request.header(name, "mallory");
    }
    request.body(()).unwrap()
}

/// The status, when the answer has come to its end.
async fn ask(client: &mut SendRequest<Bytes>, request: Request<()>) -> u16 {
    std::future::poll_fn(|cx| client.poll_ready(cx))
        .await
        .unwrap();
    let is_end = request.method() != Method::CONNECT;
    let (response, _sending) = client.send_request(request, is_end).unwrap();
    let (parts, mut body) = response.await.unwrap().into_parts();
    while let Some(data) = body.data().await {
        let size = data.unwrap().len();
        body.flow_control().release_capacity(size).unwrap();
    }
    parts.status.as_u16()
}
