//! The access log of a real server. A process of its own, because a process has one log.
#![expect(clippy::unwrap_used, reason = "a failure here is a failed test")]

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use abi::config::ByteSize;
use gateway::body::Body;
use gateway::config::{Address, Limits, Networks, Timeouts};
use gateway::metrics::{Metrics, RouteCounters, Traffic};
use gateway::server::{Answer, Peer, Server, Service, Settings};
use http::{Request, Response};

#[test]
fn one_line_per_request_says_neither_query_nor_cookie() {
    let metrics = Arc::new(Metrics::default());

    let (answer, log) = ask(
        &metrics,
        "GET /a?token=hunter2 HTTP/1.1\r\nhost: a\r\ncookie: id=hunter2\r\nconnection: close\r\n\r\n",
    );

    assert!(answer.ends_with("hello"), "{answer}");
    let access = access(&log);
    assert_eq!(access.len(), 1, "{log}");
    assert!(
        access[0].contains(r#"method="GET" path="/a" status=200 bytes=5 us="#),
        "{log}"
    );
    assert!(
        access[0].ends_with(r#"route="/:name" peer=127.0.0.1"#),
        "{log}"
    );
    assert!(!log.contains("hunter2"), "{log}");
    let shown = metrics.render();
    assert!(shown.contains(r#"gateway_requests_total{route="/:name",status="2xx"} 1"#));
    assert!(shown.contains("gateway_refused_requests_total 0\n"));
}

#[test]
fn what_is_refused_has_a_line_with_the_reason_and_nothing_of_what_is_no_request() {
    let cases = [
        (
            "GET /hunter2 HTTP/1.1\nhost: a\r\n\r\n",
            "access: status=400",
            "line-end",
        ),
        ("hunter2\r\n\r\n", "access: status=400", "syntax"),
        (
            "GET /b/../c?hunter2 HTTP/1.1\r\nhost: a\r\n\r\n",
            r#"access: method="GET" path="/b/../c" status=400"#,
            "dot-segments",
        ),
        (
            "POST /b HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\n",
            r#"access: method="POST" path="/b" status=413"#,
            "body-too-large",
        ),
    ];
    for (request, beginning, reason) in cases {
        let metrics = Arc::new(Metrics::default());

        let (_, log) = ask(&metrics, request);

        let access = access(&log);
        let told = format!("{beginning} reason={reason:?} bytes=");
        assert!(access.len() == 1 && access[0].contains(&told), "{log}");
        assert!(access[0].ends_with(r#"route="" peer=127.0.0.1"#), "{log}");
        assert!(!log.contains("hunter2"), "{log}");
        let shown = metrics.render();
        assert!(
            shown.contains("gateway_refused_requests_total 1\n"),
            "{shown}"
        );
    }
}

struct Hello(Arc<RouteCounters>);

impl Service for Hello {
    async fn handle(&self, _: &Peer, _: &mut Request<Body>) -> Answer {
        Answer {
            request: None,
            response: Response::new(Body::from("hello")),
            route: Some(Arc::clone(&self.0)),
        }
    }
}

/// The answer of a server to a request that is alone, and what is in the log then.
fn ask(metrics: &Arc<Metrics>, request: &str) -> (String, String) {
    static LOG: LazyLock<Mutex<Lines>> = LazyLock::new(|| {
        let lines = Lines::default();
        let writer = lines.clone();
        tracing_subscriber::fmt()
            .with_writer(move || writer.clone())
            .with_ansi(false)
            .init();
        Mutex::new(lines)
    });
    let log = LOG.lock().unwrap_or_else(PoisonError::into_inner);
    let server = serve(Arc::clone(metrics));
    let Address::Tcp(address) = &server.addresses()[0] else {
        panic!("not tcp")
    };
    let mut client = TcpStream::connect(address).unwrap();
    client.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    drop(client);
    server.stop();
    server.join();
    let lines = std::mem::take(&mut *log.0.lock().unwrap());
    (answer, String::from_utf8(lines).unwrap())
}

fn access(log: &str) -> Vec<&str> {
    let lines = log.lines();
    lines.filter(|line| line.contains(" access: ")).collect()
}

fn serve(metrics: Arc<Metrics>) -> Server {
    let settings = Settings {
        traffic: Traffic::new(&metrics),
        addresses: vec!["127.0.0.1:0".parse().unwrap()],
        tls: None,
        trusted_proxies: Networks::default(),
        proxy_protocol: false,
        socket_mode: None,
        threads: 1,
        limits: Limits {
            body_bytes: ByteSize::of_bytes(8),
            ..Limits::default()
        },
        timeouts: Timeouts::default(),
        grace: Duration::from_secs(30),
        tracing: gateway::trace::Tracing::default(),
    };
    Server::start(settings, move |_| {
        Hello(Arc::new(RouteCounters::new(&metrics, "/:name")))
    })
    .unwrap()
}

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
