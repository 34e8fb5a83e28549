//! The access log of a real server. A process of its own, because a process has one log.
#![expect(clippy::unwrap_used, reason = "a failure here is a failed test")]

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gateway::body::Body;
use gateway::config::{Address, Limits, Networks, Timeouts};
use gateway::metrics::{Metrics, RouteCounters};
use gateway::server::{Answer, Peer, Server, Service, Settings};
use http::{Request, Response};

#[test]
fn one_line_per_request_says_neither_query_nor_cookie() {
    let lines = Lines::default();
    let writer = lines.clone();
    tracing_subscriber::fmt()
        .with_writer(move || writer.clone())
        .with_ansi(false)
        .init();
    let metrics = Arc::new(Metrics::default());
    let server = serve(Arc::clone(&metrics));

    let answer = ask(
        &server,
        "GET /a?token=hunter2 HTTP/1.1\r\nhost: a\r\ncookie: id=hunter2\r\nconnection: close\r\n\r\n",
    );
    server.stop();
    server.join();

    assert!(answer.ends_with("hello"), "{answer}");
    let log = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    let access: Vec<&str> = log
        .lines()
        .filter(|line| line.contains(" access: "))
        .collect();
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
    let counted = r#"gateway_requests_total{route="/:name",status="2xx"} 1"#;
    assert!(metrics.render().contains(counted));
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

fn serve(metrics: Arc<Metrics>) -> Server {
    let settings = Settings {
        traffic: gateway::metrics::Traffic::default(),
        addresses: vec!["127.0.0.1:0".parse().unwrap()],
        tls: None,
        trusted_proxies: Networks::default(),
        proxy_protocol: false,
        socket_mode: None,
        threads: 1,
        limits: Limits::default(),
        timeouts: Timeouts::default(),
        grace: Duration::from_secs(30),
        tracing: gateway::trace::Tracing::default(),
    };
    Server::start(settings, move |_| {
        Hello(Arc::new(RouteCounters::new(&metrics, "/:name")))
    })
    .unwrap()
}

fn ask(server: &Server, request: &str) -> String {
    let Address::Tcp(address) = &server.addresses()[0] else {
        panic!("not tcp")
    };
    let mut client = TcpStream::connect(address).unwrap();
    client.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    answer
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
