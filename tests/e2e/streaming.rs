//! Bodies pass as they come, and upgraded connections stay open.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use e2e::{Gateway, Message, OPENING, PATIENCE, SWITCH, Site, Upstream};

use crate::anna::{self, identity, is_anna, log_in};

#[test]
fn response_arrives_before_the_upstream_has_finished_it() {
    let upstream = Upstream::start();
    upstream.by_hand("/", |_, mut line| {
        let _ = line
            .get_mut()
            .write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n");
        // Goes on only when the client has read that and hung up, or said so.
        let mut word = [0; 4];
        let _ = line.read(&mut word);
    });
    let gateway = Site::new(&upstream).run();
    let mut line = open(&gateway, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");

    let head = Message::read_head(&mut line).unwrap().unwrap();
    let mut chunk = [0; 8];
    line.read_exact(&mut chunk).unwrap();

    assert_eq!(head.status(), 200);
    assert_eq!(&chunk, b"5\r\nfirst");
}

#[test]
fn request_arrives_before_the_client_has_finished_it() {
    let upstream = Upstream::start();
    upstream.by_hand("/", |_, mut line| {
        let mut chunk = [0; 8];
        let read = line.read_exact(&mut chunk);
        let status = if read.is_ok() && &chunk == b"5\r\nfirst" {
            200
        } else {
            500
        };
        let answer =
            format!("HTTP/1.1 {status} Early\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        let _ = line.get_mut().write_all(answer.as_bytes());
    });
    let gateway = Site::new(&upstream).run();

    let mut line = open(
        &gateway,
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n",
    );
    let answer = Message::read_head(&mut line).unwrap().unwrap();

    assert_eq!(answer.status(), 200);
}

#[test]
fn large_bodies_pass_unchanged_both_ways() {
    let upstream = Upstream::start();
    let body: Vec<u8> = (0..3_000_000_u32).map(|n| (n % 251) as u8).collect();
    upstream.answer("/", e2e::Answer::status(200).body(body.clone()));
    let gateway = Site::new(&upstream).run();

    let response = gateway
        .browser()
        .send(e2e::Request::new("POST", "/").body(body.clone()));

    assert!(response.body == body, "{} bytes", response.body.len());
    assert!(
        upstream.last().body == body,
        "{} bytes",
        upstream.last().body.len()
    );
}

#[test]
fn session_is_known_on_a_websocket() {
    let upstream = anna::upstream();
    upstream.by_hand("/ws", |head, line| {
        if identity(&head) == is_anna() {
            shout(line);
        }
    });
    let gateway = Site::new(&upstream).run();
    let id = log_in(&gateway).cookie("session_id").unwrap();

    let mut line = open(&gateway, &upgrade(&format!("Cookie: session_id={id}\r\n")));
    let head = Message::read_head(&mut line).unwrap().unwrap();
    line.get_mut().write_all(b"hello\nagain\n").unwrap();
    let mut answers = [String::new(), String::new()];
    for answer in &mut answers {
        line.read_line(answer).unwrap();
    }

    assert_eq!(head.status(), 101);
    assert_eq!(head.header("upgrade").as_deref(), Some("websocket"));
    assert_eq!(answers, ["HELLO\n", "AGAIN\n"]);
}

#[test]
fn forged_identity_is_removed_from_an_upgrade_too() {
    let upstream = Upstream::start();
    upstream.by_hand("/ws", |_, line| shout(line));
    let gateway = Site::new(&upstream).run();

    let mut line = open(&gateway, &upgrade("X-User-Id: mallory\r\n"));
    Message::read_head(&mut line).unwrap();

    assert_eq!(identity(&upstream.last()), (None, None));
}

#[test]
fn response_that_breaks_off_is_not_passed_as_whole() {
    let upstream = Upstream::start();
    upstream.by_hand("/", |_, mut line| {
        let _ = line
            .get_mut()
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
    });
    let gateway = Site::new(&upstream).run();

    let mut line = open(&gateway, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");

    assert!(Message::read_response(&mut line, "GET").is_err());
}

/// Answers an upgrade and then every line in capitals.
fn shout(mut line: BufReader<TcpStream>) {
    let _ = line.get_mut().write_all(SWITCH.as_bytes());
    let mut word = String::new();
    while line.read_line(&mut word).is_ok_and(|read| read > 0) {
        let _ = line.get_mut().write_all(word.to_uppercase().as_bytes());
        word.clear();
    }
}

fn upgrade(headers: &str) -> String {
    format!("GET /ws HTTP/1.1\r\nHost: a\r\n{OPENING}{headers}\r\n")
}

fn open(gateway: &Gateway, bytes: &str) -> BufReader<TcpStream> {
    let mut stream = TcpStream::connect(gateway.address()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(bytes.as_bytes()).unwrap();
    BufReader::new(stream)
}
