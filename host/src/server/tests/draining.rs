//! Tunnels, which nobody but the two who speak can end.

use super::*;

/// A tunnel through a real server: the server, the client's end and the upstream's end.
fn tunnel(grace: Duration) -> (Server, TcpStream, TcpStream) {
    let origin = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", origin.local_addr().unwrap());
    let server = Server::start(
        Settings {
            grace,
            ..settings()
        },
        move |worker| {
            let origin = Arc::new(crate::testing::service(&url, serde_json::json!({})));
            Proxy(crate::upstream::Upstream::new(origin, worker.tracker()))
        },
    )
    .unwrap();
    let Address::Tcp(address) = server.addresses()[0].clone() else {
        panic!("not tcp")
    };
    let mut client = TcpStream::connect(address).unwrap();
    client.write_all(OPENING.as_bytes()).unwrap();
    let (mut upstream, _) = origin.accept().unwrap();
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        upstream.read_exact(&mut byte).unwrap();
        request.extend(byte);
    }
    upstream.write_all(SWITCH.as_bytes()).unwrap();
    let mut first = [0; 12];
    client.read_exact(&mut first).unwrap();
    assert_eq!(&first, b"HTTP/1.1 101");
    (server, client, upstream)
}

/// Holds up its worker with its first request.
#[derive(Clone)]
struct Slow(Arc<Mutex<mpsc::Receiver<()>>>, mpsc::Sender<()>);

impl Service for Slow {
    async fn handle(&self, _: &Peer, request: &mut Request<Body>) -> Answer {
        if request.uri().path() == "/slow" {
            self.1.send(()).unwrap();
            self.0.lock().unwrap().recv().unwrap();
        }
        Response::new(Body::from("ok")).into()
    }
}

#[test]
fn who_waits_to_be_accepted_when_it_stops_is_answered() {
    let ((go_on, is_over), (came, has_come)) = (mpsc::channel(), mpsc::channel());
    let slow = Slow(Arc::new(Mutex::new(is_over)), came);
    let server = Server::start(settings(), move |_| slow.clone()).unwrap();
    let Address::Tcp(address) = server.addresses()[0].clone() else {
        panic!("not tcp")
    };
    let ask = |path: &str| {
        let mut client = TcpStream::connect(&address).unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nhost: a\r\n\r\n");
        client.write_all(request.as_bytes()).unwrap();
        client
    };
    let _slow = ask("/slow");
    has_come.recv().unwrap();

    let waiting = [(); 10].map(|()| ask("/"));
    std::thread::scope(|scope| {
        scope.spawn(|| server.stop());
        while !*server.order.borrow() {
            std::thread::yield_now();
        }
        go_on.send(()).unwrap();
    });

    for mut client in waiting {
        let mut answer = Vec::new();
        client.read_to_end(&mut answer).unwrap();
        assert!(answer.ends_with(b"connection: close\r\n\r\nok"));
    }
    server.join();
}

#[test]
fn a_tunnel_is_cut_when_the_grace_time_is_over() {
    let (server, mut client, _upstream) = tunnel(Duration::from_millis(1));

    server.stop();
    server.join();

    let mut rest = Vec::new();
    let _ = client.read_to_end(&mut rest);
    assert!(rest.ends_with(b"\r\n\r\n"));
}

#[test]
fn a_tunnel_is_waited_for_within_the_grace_time() {
    let (server, mut client, mut upstream) = tunnel(Duration::from_secs(3600));

    server.stop();
    upstream.write_all(b"still here").unwrap();
    drop(upstream);
    let mut rest = Vec::new();
    client.read_to_end(&mut rest).unwrap();
    drop(client);
    server.join();

    assert!(rest.ends_with(b"still here"));
}
