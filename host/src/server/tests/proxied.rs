//! Behind a load balancer that speaks the PROXY protocol. The tests' connections come from 192.0.2.1.

use abi::config::Faults;

use super::wire::{DATA, SETTINGS, Wire, frame, get};
use super::*;

#[tokio::test]
async fn the_client_is_the_one_in_the_header() {
    for (header, client) in [
        (
            "PROXY TCP4 203.0.113.7 10.0.0.1 4711 443\r\n",
            "203.0.113.7",
        ),
        ("PROXY TCP6 2001:db8::7 fd00::1 4711 443\r\n", "2001:db8::7"),
        ("PROXY UNKNOWN\r\n", "192.0.2.1"),
    ] {
        let (mut client_side, _order) = client_with(WhoAsks, behind(&["192.0.2.0/24"]));

        let request = format!("{header}GET / HTTP/1.1\r\nhost: a\r\n\r\n");
        write(&mut client_side, &request).await;

        read_to(&mut client_side, &format!("\r\n\r\n{client} {client}")).await;
    }
}

#[tokio::test]
async fn another_proxy_behind_the_load_balancer_is_believed_in_its_turn() {
    let request = "PROXY TCP4 10.0.0.2 10.0.0.1 4711 443\r\nGET / HTTP/1.1\r\nhost: a\r\nx-forwarded-for: 203.0.113.7\r\n\r\n";
    for (trusted, answer) in [
        (
            &["192.0.2.0/24", "10.0.0.0/8"][..],
            "203.0.113.7 203.0.113.7, 10.0.0.2",
        ),
        (&["192.0.2.0/24"], "10.0.0.2 10.0.0.2"),
    ] {
        let (mut client_side, _order) = client_with(WhoAsks, behind(trusted));

        write(&mut client_side, request).await;

        read_to(&mut client_side, &format!("\r\n\r\n{answer}")).await;
    }
}

#[tokio::test]
async fn a_client_without_a_name_is_not_believed_as_its_load_balancer_is() {
    let second = |command: u8| [b"\r\n\r\n\0\r\nQUIT\n".as_slice(), &[command, 0, 0, 0]].concat();
    let request = b"GET / HTTP/1.1\r\nhost: a\r\nx-forwarded-for: 203.0.113.7\r\n\r\n";
    for (header, answer) in [
        (b"PROXY UNKNOWN\r\n".to_vec(), "192.0.2.1 192.0.2.1"),
        (second(PROXY), "192.0.2.1 192.0.2.1"),
        // That is the load balancer itself.
        (second(LOCAL), "203.0.113.7 203.0.113.7, 192.0.2.1"),
    ] {
        let (mut client_side, _order) = client_with(WhoAsks, behind(&["192.0.2.0/24"]));

        let bytes = [&*header, request].concat();
        client_side.write_all(&bytes).await.unwrap();

        read_to(&mut client_side, &format!("\r\n\r\n{answer}")).await;
    }
}

#[tokio::test]
async fn http_2_follows_a_header_as_well() {
    let mut wire = Wire::silent(WhoAsks, behind(&["192.0.2.0/24"]));

    wire.send(b"PROXY TCP4 203.0.113.7 10.0.0.1 4711 443\r\n")
        .await;
    wire.send(HTTP_2_PREFACE).await;
    wire.send(&[frame(SETTINGS, 0, 0, &[]), get(1)].concat())
        .await;

    assert_eq!(wire.until(DATA).await.payload, b"203.0.113.7 203.0.113.7");
}

#[tokio::test]
async fn a_sender_without_a_header_is_closed() {
    let (mut client_side, _order) = client_with(WhoAsks, behind(&["192.0.2.0/24"]));

    write(&mut client_side, "GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;

    assert_eq!(read_all(&mut client_side).await, "");
}

#[tokio::test]
async fn strangers_name_nobody() {
    let (mut client_side, _order) = client_with(WhoAsks, behind(&["10.0.0.0/8"]));

    let request = "PROXY TCP4 203.0.113.7 10.0.0.1 4711 443\r\nGET / HTTP/1.1\r\nhost: a\r\n\r\n";
    write(&mut client_side, request).await;

    assert!(
        read_all(&mut client_side)
            .await
            .starts_with("HTTP/1.1 400 ")
    );
}

#[tokio::test(start_paused = true)]
async fn a_header_that_does_not_come_is_waited_for_in_total() {
    let began = Instant::now();
    let (mut client_side, _order) = client_with(WhoAsks, behind(&["192.0.2.1"]));
    sleep(Duration::from_secs(9)).await;
    write(&mut client_side, "PROXY TCP4 ").await;

    assert_eq!(read_all(&mut client_side).await, "");

    assert_eq!(began.elapsed().as_secs(), 10);
}

// Commands of version 2.
const LOCAL: u8 = 0x20;
const PROXY: u8 = 0x21;

/// Answers with the client and what the upstream is told of it.
struct WhoAsks;

impl Service for WhoAsks {
    async fn handle(&self, peer: &Peer, request: &mut Request<Body>) -> Answer {
        let address = peer
            .address
            .map_or_else(|| "nobody".to_owned(), |address| address.to_string());
        let told = request.headers()["x-forwarded-for"].to_str().unwrap();
        Response::new(Body::from(format!("{address} {told}"))).into()
    }
}

fn behind(trusted: &[&str]) -> Settings {
    let texts: Vec<String> = trusted.iter().map(ToString::to_string).collect();
    Settings {
        trusted_proxies: Networks::parse("", &texts, &mut Faults::default()),
        proxy_protocol: true,
        ..settings()
    }
}
