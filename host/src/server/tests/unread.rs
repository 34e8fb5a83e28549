//! Clients that ask and do not read.

use std::mem::MaybeUninit;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use socket2::SockRef;
use tokio::sync::watch;

use super::*;
use crate::stream::Stream;

/// Counts whom it answers, each with its path.
#[derive(Clone, Default)]
struct Counts(Arc<AtomicUsize>);

impl Service for Counts {
    async fn handle(&self, _: &Peer, request: &mut Request<Body>) -> Answer {
        self.0.fetch_add(1, Ordering::Relaxed);
        Response::new(Body::from(request.uri().path().to_owned())).into()
    }
}

#[tokio::test]
async fn short_responses_that_nobody_reads_stop_the_requests_and_arrive_in_their_order() {
    const MANY: usize = 5_000;
    let counts = Counts::default();
    let (client, _order) = client(counts.clone());
    let (mut reader, mut writer) = client.into_split();
    let requests: String = (0..MANY)
        .map(|number| format!("GET /{number}; HTTP/1.1\r\nhost: a\r\n\r\n"))
        .collect();
    let asking = tokio::spawn(async move { write(&mut writer, &requests).await });

    let answered = still(&counts).await;

    assert!((1..MANY).contains(&answered), "{answered}");
    for number in 0..MANY {
        let answer = read_to(&mut reader, ";").await;
        assert!(answer.ends_with(&format!("\r\n\r\n/{number};")), "{answer}");
    }
    asking.await.unwrap();
}

#[tokio::test]
async fn short_response_that_does_not_fit_at_once_is_sent_to_its_end() {
    let (mut near, far) = UnixStream::pair().unwrap();
    // Room for one response or two.
    SockRef::from(&far).set_send_buffer_size(1).unwrap();
    let counts = Counts::default();
    let (_order, stopping) = watch::channel(false);
    let serving = serve_for_test(Stream::Unix(far), counts.clone(), settings(), stopping);
    tokio::spawn(serving);
    let path = format!("/{};", "x".repeat(4_000));
    let request = format!("GET {path} HTTP/1.1\r\nhost: a\r\n\r\n");

    let mut asked = 0;
    let mut lengths = vec![0];
    // Until one is not there as a whole: nobody asks for anything behind it.
    while asked < 2 || lengths[asked] == asked * lengths[1] {
        write(&mut near, &request).await;
        still(&counts).await;
        lengths.push(there(&near));
        asked += 1;
    }

    for _ in 0..asked {
        let answer = read_to(&mut near, ";").await;
        assert!(answer.ends_with(&path));
    }
}

#[tokio::test]
async fn response_that_ends_a_connection_after_all_is_sent_before_its_end() {
    let (mut client, _order) = client(Says(|| Response::new(Body::from("early"))));

    // Whether the rest of the body is there shows only when it is looked for.
    let half = "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhe";
    write(&mut client, half).await;

    let answer = read_all(&mut client).await;
    assert!(answer.ends_with("\r\n\r\nearly"), "{answer}");
}

#[tokio::test]
async fn invitation_comes_behind_the_response_before_it() {
    let (mut client, _order) = client(Echo);

    write(
        &mut client,
        "GET /one HTTP/1.1\r\nhost: a\r\n\r\n\
         POST /two HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 1\r\n\r\n",
    )
    .await;

    let answers = read_to(&mut client, " 100 Continue\r\n\r\n").await;
    assert!(answers.contains("\r\n\r\n/oneHTTP/1.1 100 "), "{answers}");
    write(&mut client, "x").await;
    read_to(&mut client, "/two").await;
}

/// How many bytes can be read.
fn there(client: &UnixStream) -> usize {
    let mut room = [MaybeUninit::uninit(); 64 * 1024];
    SockRef::from(client).peek(&mut room).unwrap()
}

/// How many are answered when it stays at that.
async fn still(counts: &Counts) -> usize {
    let mut before = usize::MAX;
    loop {
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        let now = counts.0.load(Ordering::Relaxed);
        if now == before {
            return now;
        }
        before = now;
    }
}
