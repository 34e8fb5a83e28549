//! `Forwarded` and `X-Forwarded-*`: of a stranger nothing is believed; of a trusted proxy its own word is, whatever its
//! client wrote in front of it; and what is written for the upstream reads as it was meant.
#![no_main]
#![forbid(unsafe_code)]

use abi::config::Faults;
use gateway::config::Networks;
use gateway::forwarding::Sender;
use gateway::server::{Peer, Scheme};
use http::header::{FORWARDED, HOST};
use http::{HeaderMap, HeaderName, HeaderValue};
use libfuzzer_sys::fuzz_target;

// Lines: the first letter of each is that of its header.
fuzz_target!(|bytes: &[u8]| {
    let sent = lines(bytes);
    a_stranger_is_not_believed(&sent);
    what_is_written_is_read_again(&sent);
    for ending in Ending::ALL {
        proxy_that_adds_x_headers_is_believed(&sent, ending);
        proxy_that_adds_the_standard_header_is_believed(&sent, ending);
    }
});

fn a_stranger_is_not_believed(sent: &HeaderMap) {
    let stranger = peer("203.0.113.9");
    let [one, other] = [sent.clone(), host()].map(|mut headers| {
        let peer = Sender::new(stranger).introduce(&mut headers, &trusted());
        assert_eq!(peer, Ok(stranger));
        headers
    });
    assert_eq!(one, other);
}

/// By a gateway behind this one, that trusts it.
fn what_is_written_is_read_again(sent: &HeaderMap) {
    let mut written = sent.clone();
    let Ok(client) = Sender::new(peer(PROXY)).introduce(&mut written, &trusted()) else {
        return;
    };
    let [mut x_headers, mut standard] = [written.clone(), written.clone()];
    x_headers.remove(FORWARDED);
    for name in ["x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"] {
        standard.remove(name);
    }
    for mut headers in [written.clone(), x_headers, standard] {
        let again = Sender::new(peer(GATEWAY)).introduce(&mut headers, &trusted());
        assert_eq!(again, Ok(client));
        assert_eq!(headers[HOST], written[HOST]);
    }
}

fn proxy_that_adds_x_headers_is_believed(sent: &HeaderMap, ending: Ending) {
    let mut headers = sent.clone();
    headers.remove(FORWARDED);
    for (name, word) in [
        ("x-forwarded-for", CLIENT),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "www.test"),
    ] {
        ending.add(&mut headers, HeaderName::from_static(name), word);
    }
    let client = Sender::new(peer(PROXY)).introduce(&mut headers, &trusted());
    assert_eq!(client, Ok(about(CLIENT)));
    assert_eq!(headers[HOST], "www.test");
}

/// Or its client wrote what cannot be told from the proxy's, and is refused.
fn proxy_that_adds_the_standard_header_is_believed(sent: &HeaderMap, ending: Ending) {
    let mut headers = sent.clone();
    for name in ["x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"] {
        headers.remove(name);
    }
    ending.add(&mut headers, FORWARDED, ELEMENT);
    if let Ok(client) = Sender::new(peer(PROXY)).introduce(&mut headers, &trusted()) {
        assert_eq!(client, about(CLIENT));
        assert_eq!(headers[HOST], "www.test");
    }
}

/// How a proxy adds to a header.
#[derive(Clone, Copy)]
enum Ending {
    /// In a line of its own.
    Line,
    /// Behind a comma, in the line that is there.
    Entry,
}

impl Ending {
    const ALL: [Self; 2] = [Self::Line, Self::Entry];

    fn add(self, headers: &mut HeaderMap, name: HeaderName, word: &'static str) {
        let lines: Vec<_> = headers.get_all(&name).iter().cloned().collect();
        match (self, lines.split_last()) {
            (Self::Entry, Some((last, before))) => {
                headers.remove(&name);
                let line = [last.as_bytes(), b", ", word.as_bytes()].concat();
                let line = HeaderValue::from_bytes(&line).expect("two values are one");
                for line in before.iter().chain([&line]) {
                    headers.append(&name, line.clone());
                }
            }
            _ => {
                headers.append(&name, HeaderValue::from_static(word));
            }
        }
    }
}

fn lines(bytes: &[u8]) -> HeaderMap {
    let mut headers = host();
    for line in bytes.split(|byte| *byte == b'\n') {
        let (name, value) = match line {
            [b'f', value @ ..] => ("forwarded", value),
            [b'h', value @ ..] => ("x-forwarded-host", value),
            [b'p', value @ ..] => ("x-forwarded-proto", value),
            [b'r', value @ ..] => ("x-real-ip", value),
            value => ("x-forwarded-for", value),
        };
        if let Ok(value) = HeaderValue::from_bytes(value) {
            headers.append(name, value);
        }
    }
    headers
}

fn host() -> HeaderMap {
    HeaderMap::from_iter([(HOST, HeaderValue::from_static("a.test"))])
}

fn about(client: &str) -> Peer {
    Peer {
        address: client.parse().ok(),
        scheme: Scheme::Https,
        is_trusted: true,
    }
}

fn peer(address: &str) -> Peer {
    let address = address.parse().ok();
    Peer {
        address,
        scheme: Scheme::Http,
        is_trusted: trusted().contains(address),
    }
}

fn trusted() -> Networks {
    Networks::parse("", &["10.0.0.0/8".to_owned()], &mut Faults::default())
}

const CLIENT: &str = "2001:db8::7";
const PROXY: &str = "10.0.0.1";
const GATEWAY: &str = "10.0.0.2";
const ELEMENT: &str = "for=\"[2001:db8::7]:4711\";host=\"www.test\";proto=https";
