//! Tunnels and responses that go on end with the session they belong to.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::Mutex;
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use e2e::{
    Browser, Gateway, Line, Message, OPENING, PATIENCE, Redis, Request, SWITCH, Site, Upstream,
    until,
};
use tokio::task::JoinSet;

use crate::anna::{self, log_in};

#[test]
fn websocket_ends_when_its_session_is_ended_on_another_gateway() {
    let (redis, upstream) = (Redis::new(), talking());
    let [one, other] = [(); 2].map(|()| Site::new(&upstream).redis(&redis).run());
    let anna = log_in(&one);
    let bystander = log_in(&one);
    let mut line = websocket(&one, &anna);
    let mut other_line = websocket(&one, &bystander);
    assert_eq!(say(&mut line), "HELLO\n");

    anna.at(other.address()).get("/logout");

    assert_ended(&mut line);
    assert_eq!(say(&mut other_line), "HELLO\n", "somebody else's goes on");
    one.logged("session-ended");
}

#[test]
fn event_stream_is_cut_and_not_passed_as_whole() {
    let upstream = talking();
    let gateway = Site::new(&upstream).run();
    let mut anna = log_in(&gateway);
    let mut line = events(&gateway, &anna);

    anna.get("/logout");

    let mut rest = Vec::new();
    let _ = line.read_to_end(&mut rest);
    assert!(
        !rest.ends_with(b"0\r\n\r\n"),
        "{:?}",
        String::from_utf8_lossy(&rest)
    );
}

#[test]
fn stream_ends_when_the_time_of_its_session_is_up() {
    let upstream = talking();
    let gateway = Site::new(&upstream).load("cookieExpiration: 2s").run();
    let anna = log_in(&gateway);
    let mut line = websocket(&gateway, &anna);

    assert_ended(&mut line);
}

#[test]
fn stream_goes_on_while_its_session_gets_new_ids() {
    let upstream = talking();
    let renewing = "autoRenewAfter: 1s, rotationGrace: 1s";
    let gateway = Site::new(&upstream).load(renewing).run();
    let mut anna = log_in(&gateway);
    let mut line = websocket(&gateway, &anna);
    for _ in 0..3 {
        anna::until_renewed(&mut anna);
        assert_eq!(say(&mut line), "HELLO\n");
    }

    anna.get("/logout");

    assert_ended(&mut line);
}

#[test]
fn logout_whose_own_answer_takes_its_time_is_not_cut() {
    let upstream = talking();
    let ((begun, begins), (go, told)) = (channel(), channel());
    let told = Mutex::new(told);
    upstream.by_hand("/leave", move |_, mut line| {
        let head = "HTTP/1.1 200 OK\r\nX-Session-Set: destroy\r\nContent-Length: 3\r\n\r\n";
        let _ = line.get_mut().write_all(head.as_bytes());
        begun.send(()).unwrap();
        told.lock().unwrap().recv().unwrap();
        let _ = line.get_mut().write_all(b"bye");
    });
    let gateway = Site::new(&upstream).run();
    let mut anna = log_in(&gateway);

    let answer = thread::scope(|scope| {
        let leaving = scope.spawn(|| anna.get("/leave"));
        begins.recv_timeout(PATIENCE).unwrap();
        until_another_has_ended(&gateway);
        go.send(()).unwrap();
        leaving.join().unwrap()
    });

    assert_eq!(answer.text(), "bye");
}

#[test]
fn stream_of_a_visitor_without_a_session_goes_on() {
    let upstream = talking();
    let gateway = Site::new(&upstream).run();
    let mut line = websocket(&gateway, &gateway.browser());

    until_another_has_ended(&gateway);

    assert_eq!(say(&mut line), "HELLO\n");
}

#[test]
fn outage_ends_streams_on_sensitive_paths_only() {
    let (mut redis, upstream) = (Redis::new(), talking());
    let gateway = Site::new(&upstream)
        .redis(&redis)
        .load("sensitivePaths: [/sensitive]")
        .run();
    let mut anna = log_in(&gateway);
    let mut line = websocket(&gateway, &anna);
    let mut sensitive = upgraded(&gateway, &anna, "/sensitive");

    redis.kill();
    assert_ended(&mut sensitive);
    assert_eq!(say(&mut line), "HELLO\n");
    redis.start();

    // The gateway needs a moment to find it again.
    until("the outage is over", || {
        anna.send(Request::get("/logout")).status() == 200
    });
    assert_ended(&mut line);
}

#[test]
fn a_thousand_streams_of_each_kind_end_with_their_session() {
    for (kind, open) in KINDS {
        let (redis, upstream) = (Redis::new(), talking());
        let [one, other] = [(); 2].map(|()| Site::new(&upstream).redis(&redis).run());
        let anna = log_in(&one);
        let lines = (0..1000).map(|_| open(&one, &anna)).collect();

        anna.at(other.address()).get("/logout");

        let ended = until_ended(lines);
        assert_eq!(ended.len(), 1000);
        println!(
            "1000 {kind} after a logout on another gateway: {}",
            said(&ended)
        );
    }
}

#[test]
fn a_thousand_streams_of_each_kind_end_when_the_time_of_their_session_is_up() {
    for (kind, open) in KINDS {
        let (redis, upstream) = (Redis::new(), talking());
        // Each of them is a use, and lets it live on until all are open.
        let resting = "inactivity: 4s, touchInterval: 1s";
        let gateway = Site::new(&upstream).redis(&redis).load(resting).run();
        let anna = log_in(&gateway);
        let lines = (0..1000).map(|_| open(&gateway, &anna)).collect();

        let ended = until_ended(lines);

        assert_eq!(ended.len(), 1000);
        let first = ended[0];
        let ended: Vec<_> = ended.iter().map(|&time| time - first).collect();
        println!(
            "1000 {kind} of an expired session after the first of them: {}",
            said(&ended)
        );
    }
}

/// The ways to go on with a response.
const KINDS: [(&str, Open); 2] = [("WebSockets", websocket), ("event streams", events)];

type Open = fn(&Gateway, &Browser) -> Line;

/// When each of them was closed, from now on, in order.
#[track_caller]
fn until_ended(lines: Vec<Line>) -> Vec<Duration> {
    let began = Instant::now();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let ended = runtime.unwrap().block_on(async {
        let mut open = JoinSet::new();
        for line in lines.into_iter().map(BufReader::into_inner) {
            line.set_nonblocking(true).unwrap();
            let line = tokio::net::TcpStream::from_std(line).unwrap();
            open.spawn(async move {
                is_over(&line).await;
                began.elapsed()
            });
        }
        tokio::time::timeout(PATIENCE, open.join_all()).await
    });
    let mut ended = ended.expect("all of them end");
    ended.sort();
    ended
}

/// Waits for the end of a connection, in whatever way it comes.
async fn is_over(line: &tokio::net::TcpStream) {
    while line.readable().await.is_ok() {
        match line.try_read(&mut [0; 64]) {
            Ok(1..) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Ok(0) | Err(_) => return,
        }
    }
}

/// How long most and all of them took.
fn said(times: &[Duration]) -> String {
    let at = |part: usize| times[(times.len() * part / 100).min(times.len() - 1)].as_millis();
    let (half, most, all) = (at(50), at(99), at(100));
    format!("half within {half} ms, 99 % within {most} ms, all within {all} ms")
}

/// An upstream that shouts back what it hears on WebSockets, and begins event streams that it never ends.
fn talking() -> Upstream {
    let upstream = anna::upstream();
    upstream.by_hand("/ws", |_, line| shout(line));
    upstream.by_hand("/sensitive", |_, line| shout(line));
    upstream.by_hand("/events", |_, mut line| {
        let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
        let _ = line.get_mut().write_all(head.as_bytes());
        let _ = line.get_mut().write_all(b"6\r\ndata:a\r\n");
        // Until the gateway hangs up.
        let _ = line.read(&mut [0]);
    });
    upstream
}

fn shout(mut line: Line) {
    let _ = line.get_mut().write_all(SWITCH.as_bytes());
    let mut word = String::new();
    while line.read_line(&mut word).is_ok_and(|read| read > 0) {
        let _ = line.get_mut().write_all(word.to_uppercase().as_bytes());
        word.clear();
    }
}

fn say(line: &mut Line) -> String {
    line.get_mut().write_all(b"hello\n").unwrap();
    let mut answer = String::new();
    line.read_line(&mut answer).unwrap();
    answer
}

/// Expects the end of the connection. Whoever is not cut waits for longer than the harness.
#[track_caller]
fn assert_ended(line: &mut Line) {
    let mut rest = Vec::new();
    match line.read_to_end(&mut rest) {
        Ok(_) => {}
        Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
    }
}

/// Lets a stream begin and end with its session: whatever began before has been looked at by then.
#[track_caller]
fn until_another_has_ended(gateway: &Gateway) {
    let mut other = log_in(gateway);
    let mut line = websocket(gateway, &other);
    other.get("/logout");
    assert_ended(&mut line);
}

fn websocket(gateway: &Gateway, browser: &Browser) -> Line {
    upgraded(gateway, browser, "/ws")
}

/// A stream of which the first event has come.
#[track_caller]
fn events(gateway: &Gateway, browser: &Browser) -> Line {
    let mut line = open(gateway, browser, "/events", "");
    let head = Message::read_head(&mut line).unwrap().unwrap();
    let mut event = [0; 11];
    line.read_exact(&mut event).unwrap();
    assert_eq!((head.status(), &event), (200, b"6\r\ndata:a\r\n"));
    line
}

#[track_caller]
fn upgraded(gateway: &Gateway, browser: &Browser, path: &str) -> Line {
    let mut line = open(gateway, browser, path, OPENING);
    let head = Message::read_head(&mut line).unwrap().unwrap();
    assert_eq!(head.status(), 101);
    line
}

fn open(gateway: &Gateway, browser: &Browser, path: &str, headers: &str) -> Line {
    let id = browser.cookie("session_id").unwrap_or_default();
    let request =
        format!("GET {path} HTTP/1.1\r\nHost: a\r\nCookie: session_id={id}\r\n{headers}\r\n");
    let mut stream = TcpStream::connect(gateway.address()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    BufReader::new(stream)
}
