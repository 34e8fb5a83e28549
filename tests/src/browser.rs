//! A client with a cookie jar.

use std::collections::BTreeMap;
use std::io::{self, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};

use crate::{Message, PATIENCE};

/// Keeps cookies as a browser does and opens a connection for each request.
#[derive(Clone, Debug)]
pub struct Browser {
    address: SocketAddr,
    jar: BTreeMap<String, String>,
}

/// A request to be sent as it is: nothing is checked, so that tests can be rude.
#[derive(Clone, Debug)]
pub struct Request {
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Browser {
    /// A browser with an empty jar.
    pub fn new(address: SocketAddr) -> Self {
        Self {
            address,
            jar: BTreeMap::new(),
        }
    }

    /// Asks for a page.
    #[track_caller]
    pub fn get(&mut self, target: &str) -> Message {
        self.send(Request::new("GET", target))
    }

    /// Sends a request with the cookies of the jar, unless it brings its own, and keeps those of the response.
    ///
    /// # Panics
    /// When there is no whole response.
    #[track_caller]
    pub fn send(&mut self, request: Request) -> Message {
        self.try_send(request)
            .unwrap_or_else(|error| panic!("no response from {}: {error}", self.address))
    }

    /// [`send`](Self::send) for somebody who can do without a response.
    ///
    /// # Errors
    /// When there is no whole response.
    pub fn try_send(&mut self, request: Request) -> io::Result<Message> {
        let method = request.method.clone();
        let bytes = request.render(&self.cookies());
        let response = exchange(self.address, &bytes, &method)?;
        self.keep(&response);
        Ok(response)
    }

    /// The value of a cookie.
    pub fn cookie(&self, name: &str) -> Option<String> {
        self.jar.get(name).cloned()
    }

    /// Puts a cookie into the jar.
    pub fn put_cookie(&mut self, name: &str, value: &str) {
        self.jar.insert(name.to_owned(), value.to_owned());
    }

    /// The same jar for another address: a second gateway, or the first one after a restart.
    #[must_use]
    pub fn at(&self, address: SocketAddr) -> Self {
        Self {
            address,
            jar: self.jar.clone(),
        }
    }

    fn cookies(&self) -> String {
        let pairs = self
            .jar
            .iter()
            .map(|(name, value)| format!("{name}={value}"));
        pairs.collect::<Vec<_>>().join("; ")
    }

    fn keep(&mut self, response: &Message) {
        for line in response.values("set-cookie") {
            let pair = line.split(';').next().unwrap_or_default();
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let is_over = line.to_ascii_lowercase().contains("max-age=0");
            if is_over {
                self.jar.remove(name);
            } else {
                self.jar.insert(name.to_owned(), value.to_owned());
            }
        }
    }
}

impl Request {
    /// A request without headers of its own.
    pub fn new(method: &str, target: &str) -> Self {
        Self {
            method: method.to_owned(),
            target: target.to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    /// A GET.
    pub fn get(target: &str) -> Self {
        Self::new("GET", target)
    }

    /// A POST.
    pub fn post(target: &str, content_type: &str, body: &str) -> Self {
        Self::new("POST", target)
            .header("Content-Type", content_type)
            .body(body)
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sets the body and announces its length.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        let length = self.body.len().to_string();
        self.header("Content-Length", &length)
    }

    fn render(self, cookies: &str) -> Vec<u8> {
        let has = |name: &str| {
            self.headers
                .iter()
                .any(|(known, _)| known.eq_ignore_ascii_case(name))
        };
        let mut text = format!("{} {} HTTP/1.1\r\n", self.method, self.target);
        if !has("host") {
            text.push_str("Host: gateway.test\r\n");
        }
        if !cookies.is_empty() && !has("cookie") {
            text.push_str(&format!("Cookie: {cookies}\r\n"));
        }
        for (name, value) in &self.headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text.push_str("\r\n");
        [text.into_bytes(), self.body].concat()
    }
}

/// Sends bytes as they are and returns everything that comes back until the connection is closed.
///
/// # Panics
/// When the gateway cannot be reached or does not close in time.
#[track_caller]
pub fn converse(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream =
        connect(address).unwrap_or_else(|error| panic!("cannot connect to {address}: {error}"));
    // A refusal may come before everything is sent.
    let _ = stream.write_all(bytes);
    let mut answer = Vec::new();
    let ended = stream.read_to_end(&mut answer);
    let answer = String::from_utf8_lossy(&answer).into_owned();
    match ended {
        Ok(_) => answer,
        // The rest of what was sent is thrown away with the connection.
        Err(error) if error.kind() == io::ErrorKind::ConnectionReset => answer,
        Err(error) => panic!("{error} after {answer:?}"),
    }
}

fn exchange(address: SocketAddr, bytes: &[u8], method: &str) -> io::Result<Message> {
    let mut stream = connect(address)?;
    stream.write_all(bytes)?;
    Message::read_response(&mut BufReader::new(stream), method)
}

fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(stream)
}
