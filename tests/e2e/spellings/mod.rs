//! A hundred thousand ways to write a mapped header, over each protocol and on every way through the gateway: none
//! arrives.

mod http2;

use std::fmt::Write as _;
use std::io::{BufReader, Write as _};
use std::net::TcpStream;

use e2e::{Answer, Gateway, Message, OPENING, PATIENCE, Redis, Site, Upstream};
use http::Method;

use crate::anna::{self, identity, is_anna, log_in};

#[test]
fn none_of_a_hundred_thousand_spellings_reaches_the_upstream() {
    let upstream = anna::upstream();
    upstream.answer("/broken", Answer::status(500));
    let gateway = Site::new(&upstream)
        .route("path: /open/*, action: Forward")
        .run();
    let session = log_in(&gateway).cookie("session_id").unwrap();
    let cookie = format!("Cookie: session_id={session}\r\n");
    let mut spellings = Spellings(1);

    let mut sent = 0;
    sent += flood(&gateway, &mut spellings, "GET /", &cookie, 600);
    sent += flood(&gateway, &mut spellings, "GET /open/x", "", 500);
    sent += flood(&gateway, &mut spellings, "OPTIONS /", "", 200);
    sent += flood(&gateway, &mut spellings, "GET /broken", &cookie, 200);
    sent += flood(&gateway, &mut spellings, "GET /ws", OPENING, 200);

    assert!(sent >= 85_000, "{sent}");
    assert_clean(&upstream, 1700);
    assert_eq!(annas(&upstream), 600);
}

#[test]
fn none_of_a_hundred_thousand_spellings_reaches_the_upstream_over_http_2() {
    let upstream = anna::upstream();
    upstream.answer("/broken", Answer::status(500));
    let gateway = Site::new(&upstream)
        .route("path: /open/*, action: Forward")
        .run();
    let session = log_in(&gateway).cookie("session_id").unwrap();
    let cookie = format!("session_id={session}");
    let mut spellings = Spellings(3);
    let mut flood = |method, path, cookie, requests| {
        http2::flood(&gateway, &mut spellings, (method, path), cookie, requests)
    };

    let mut sent = 0;
    sent += flood(Method::GET, "/", &cookie, 600);
    sent += flood(Method::GET, "/open/x", "", 500);
    sent += flood(Method::OPTIONS, "/", "", 200);
    sent += flood(Method::GET, "/broken", &cookie, 200);
    sent += flood(Method::CONNECT, "/ws", &cookie, 200);

    assert!(sent >= 85_000, "{sent}");
    assert_clean(&upstream, 1700);
    assert_eq!(annas(&upstream), 600);
}

#[test]
fn no_spelling_reaches_the_upstream_in_an_outage() {
    let (mut redis, upstream) = (Redis::new(), anna::upstream());
    let gateway = Site::new(&upstream)
        .redis(&redis)
        .load("onStorageFailure: anonymous")
        .run();
    let session = log_in(&gateway).cookie("session_id").unwrap();
    redis.kill();

    let cookie = format!("session_id={session}");
    let header = format!("Cookie: {cookie}\r\n");
    let sent = flood(&gateway, &mut Spellings(2), "GET /", &header, 300);
    let get = (Method::GET, "/");
    let over_http_2 = http2::flood(&gateway, &mut Spellings(4), get, &cookie, 300);

    assert!(sent.min(over_http_2) >= 15_000, "{sent} {over_http_2}");
    assert_clean(&upstream, 600);
}

/// Sends requests over one connection, each with fifty spellings, and says how many that were.
#[track_caller]
fn flood(
    gateway: &Gateway,
    spellings: &mut Spellings,
    line: &str,
    headers: &str,
    requests: usize,
) -> usize {
    let stream = TcpStream::connect(gateway.address()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut stream = BufReader::new(stream);
    for _ in 0..requests {
        let mut request = format!("{line} HTTP/1.1\r\nHost: a\r\n{headers}");
        for name in spellings.names() {
            let _ = write!(request, "{name}: mallory\r\n");
        }
        request.push_str("\r\n");
        stream.get_mut().write_all(request.as_bytes()).unwrap();
        let answer = Message::read_response(&mut stream, "GET").unwrap();
        assert!(matches!(answer.status(), 200 | 500), "{}", answer.status());
    }
    requests * EACH
}

/// So many requests have arrived, and nothing that Mallory wrote.
#[track_caller]
fn assert_clean(upstream: &Upstream, requests: usize) {
    let seen = upstream.seen();
    let seen: Vec<_> = seen.iter().filter(|seen| seen.path() != "/login").collect();
    for request in &seen {
        let head = String::from_utf8_lossy(&request.head);
        assert!(!head.contains("mallory"), "{head}");
    }
    assert_eq!(seen.len(), requests);
}

/// How many requests the upstream has seen that were Anna's.
fn annas(upstream: &Upstream) -> usize {
    let seen = upstream.seen().into_iter();
    let of_users = seen.filter(|seen| seen.path() == "/");
    of_users.filter(|seen| identity(seen) == is_anna()).count()
}

/// Every spelling that some server could fold into a mapped name: case, and whatever is no letter or digit anywhere.
struct Spellings(u64);

impl Spellings {
    fn names(&mut self) -> Vec<String> {
        (0..EACH).map(|_| self.name()).collect()
    }

    fn name(&mut self) -> String {
        let letters = if self.chance(2) {
            "xuserid"
        } else {
            "authorization"
        };
        let mut name = String::new();
        for letter in letters.chars() {
            if self.chance(3) {
                name.push(self.separator());
            }
            let is_upper = self.chance(2);
            name.push(if is_upper {
                letter.to_ascii_uppercase()
            } else {
                letter
            });
        }
        if self.chance(3) {
            name.push(self.separator());
        }
        name
    }

    fn separator(&mut self) -> char {
        let separators = b"-_.!#$%&'*+^`|~";
        char::from(separators[self.next() as usize % separators.len()])
    }

    fn chance(&mut self, of: u64) -> bool {
        self.next().is_multiple_of(of)
    }

    /// SplitMix64.
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) >> 1
    }
}

// As many as fit beside the others below the limit of headers in a request.
const EACH: usize = 50;
