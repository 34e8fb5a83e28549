//! Many clients at once, and what is left of them in memory.

use std::fs;
use std::io::{BufReader, Write};
use std::net::TcpStream;

use e2e::{Gateway, Message, Site, until};

#[test]
fn memory_of_a_burst_is_given_back_when_its_connections_rest_and_when_they_are_gone() {
    let gateway = Site::bare()
        .action("Echo: { use: gateway.actions.EchoAction }")
        .route("path: /, action: Echo")
        .run();
    // What is made once for all is there after a few.
    drop(burst(&gateway, 10));
    let before = anonymous(&gateway);

    // Awake it is 17 KiB for each. The system's allocator gives back less than is asked for here, both times.
    let resting = burst(&gateway, CLIENTS);
    falls_to(&gateway, before + CLIENTS * 6);
    drop(resting);

    falls_to(&gateway, before + CLIENTS * 2);
}

/// So many connections that have been answered once. All of them have asked before the first one reads.
fn burst(gateway: &Gateway, clients: usize) -> Vec<BufReader<TcpStream>> {
    let open = |_| BufReader::new(TcpStream::connect(gateway.address()).unwrap());
    let mut lines: Vec<_> = (0..clients).map(open).collect();
    for line in &mut lines {
        let ask = line
            .get_mut()
            .write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        ask.unwrap();
    }
    for line in &mut lines {
        assert_eq!(Message::read_response(line, "GET").unwrap().status(), 200);
    }
    lines
}

/// Waits until no more KiB are in use.
#[track_caller]
fn falls_to(gateway: &Gateway, enough: usize) {
    let what = format!("no more than {enough} KiB are in use");
    until(&what, || anonymous(gateway) <= enough);
}

/// The memory of a process in KiB, without what is mapped from files.
fn anonymous(gateway: &Gateway) -> usize {
    let status = fs::read_to_string(format!("/proc/{}/status", gateway.process())).unwrap();
    let mut lines = status.lines();
    let line = lines.find(|line| line.starts_with("RssAnon:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// With their sockets not more files than a process may usually have.
const CLIENTS: usize = 800;
