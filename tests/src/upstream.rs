//! The service behind the gateway: answers as told and remembers what it was sent.

use std::collections::HashMap;
use std::io::{BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use crate::{Message, PATIENCE};

/// Listens on a port that the system chose. Ends with the process: its threads wait for connections that nobody makes.
#[derive(Clone, Debug)]
pub struct Upstream {
    address: SocketAddr,
    desk: Arc<Mutex<Desk>>,
}

/// What is sent back.
#[derive(Clone, Debug)]
pub struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

/// A connection in the hands of a test. The head of the request has been read, its body has not.
pub type Line = BufReader<TcpStream>;

#[derive(Default)]
struct Desk {
    plans: HashMap<String, Plan>,
    seen: Vec<Message>,
}

#[derive(Clone)]
enum Plan {
    Answer(Answer),
    ByHand(Arc<dyn Fn(Message, Line) + Send + Sync>),
}

impl Upstream {
    /// Starts to listen. Until told otherwise every request is answered with 200.
    ///
    /// # Panics
    /// When the system gives no port.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port for the upstream");
        let address = listener.local_addr().expect("the upstream's address");
        let upstream = Self {
            address,
            desk: Arc::default(),
        };
        let serving = upstream.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let serving = serving.clone();
                thread::spawn(move || serving.serve(stream));
            }
        });
        upstream
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers requests for a path with this from now on.
    pub fn answer(&self, path: &str, answer: Answer) {
        self.plan(path, Plan::Answer(answer));
    }

    /// Leaves requests for a path to `serve`. The connection is closed when it returns.
    pub fn by_hand(&self, path: &str, serve: impl Fn(Message, Line) + Send + Sync + 'static) {
        self.plan(path, Plan::ByHand(Arc::new(serve)));
    }

    /// The requests so far, in the order they arrived.
    pub fn seen(&self) -> Vec<Message> {
        self.desk().seen.clone()
    }

    /// The latest request.
    ///
    /// # Panics
    /// When there was none.
    #[track_caller]
    pub fn last(&self) -> Message {
        self.seen().pop().expect("the upstream was asked")
    }

    fn plan(&self, path: &str, plan: Plan) {
        self.desk().plans.insert(path.to_owned(), plan);
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn serve(&self, stream: TcpStream) {
        // Whatever goes wrong here ends the connection, and the test sees what the gateway makes of it.
        let _ = stream.set_write_timeout(Some(PATIENCE));
        let mut line = BufReader::new(stream);
        while let Ok(Some(head)) = Message::read_head(&mut line) {
            let plan = self.desk().plans.get(&head.path()).cloned();
            match plan.unwrap_or_else(|| Plan::Answer(Answer::ok())) {
                Plan::Answer(answer) => {
                    if self.reply(head, &mut line, &answer).is_err() {
                        return;
                    }
                }
                Plan::ByHand(serve) => {
                    self.desk().seen.push(head.clone());
                    return serve(head, line);
                }
            }
        }
    }

    fn reply(&self, head: Message, line: &mut Line, answer: &Answer) -> std::io::Result<()> {
        let method = head
            .start_line()
            .split(' ')
            .next()
            .unwrap_or_default()
            .to_owned();
        let request = head.with_body(line)?;
        self.desk().seen.push(request);
        line.get_mut().write_all(&answer.render(&method))
    }
}

impl std::fmt::Debug for Desk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Desk")
            .field("seen", &self.seen)
            .finish_non_exhaustive()
    }
}

impl Answer {
    /// 200 with a small body.
    pub fn ok() -> Self {
        Self::status(200).body("hello")
    }

    /// A status without a body.
    pub const fn status(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    fn render(&self, method: &str) -> Vec<u8> {
        let mut head = format!(
            "HTTP/1.1 {} Told\r\nContent-Length: {}\r\n",
            self.status,
            self.body.len()
        );
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        let body: &[u8] = if method == "HEAD" { &[] } else { &self.body };
        [head.as_bytes(), body].concat()
    }
}
