//! Who asks.

use std::io::{Read, Write};
use std::net::TcpStream;

use super::super::contender::Contender;
use crate::Error;

/// Connections that ask for the same page.
pub(super) struct Clients {
    connections: Vec<TcpStream>,
    request: String,
}

impl Clients {
    /// As many as the load generator has.
    pub(super) const COUNT: usize = 64;

    /// Connects.
    ///
    /// # Errors
    /// When nobody listens.
    pub(super) fn of(contender: &Contender) -> Result<Self, Error> {
        let address = contender.address();
        let headers = contender.headers().join("\r\n");
        let connections = (0..Self::COUNT).map(|_| TcpStream::connect(address));
        Ok(Self {
            connections: connections.collect::<Result<_, _>>()?,
            request: format!("GET /page HTTP/1.1\r\nHost: {address}\r\n{headers}\r\n\r\n"),
        })
    }

    /// All ask, then all listen.
    ///
    /// # Errors
    /// When an answer is not 200.
    pub(super) fn ask(&mut self, rounds: usize) -> Result<(), Error> {
        for _ in 0..rounds {
            for connection in &mut self.connections {
                connection.write_all(self.request.as_bytes())?;
            }
            for connection in &mut self.connections {
                listen(connection)?;
            }
        }
        Ok(())
    }
}

/// Reads one response, whose length is said in its header.
fn listen(connection: &mut TcpStream) -> Result<(), Error> {
    let mut response = Vec::new();
    let mut buffer = [0; 4096];
    while left(&response)? > 0 {
        match connection.read(&mut buffer)? {
            0 => return Err("the connection was closed within a response".into()),
            count => response.extend_from_slice(&buffer[..count]),
        }
    }
    Ok(())
}

/// How much of a response is missing; something, as long as its header is not complete.
fn left(response: &[u8]) -> Result<usize, Error> {
    let text = String::from_utf8_lossy(response);
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return Ok(1);
    };
    if !head.starts_with("HTTP/1.1 200 ") {
        return Err(format!("a wrong answer:\n{head}").into());
    }
    let length = head
        .lines()
        .find_map(length_in)
        .ok_or("no Content-Length")?;
    Ok(length.saturating_sub(body.len()))
}

fn length_in(line: &str) -> Option<usize> {
    let (name, value) = line.split_once(": ")?;
    let is_length = name.eq_ignore_ascii_case("content-length");
    is_length.then(|| value.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_is_whole_when_its_body_is() {
        let response = b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nab";

        assert_eq!(left(&response[..20]).unwrap(), 1);
        assert_eq!(left(response).unwrap(), 1);
        assert_eq!(left(&[response, &b"c"[..]].concat()).unwrap(), 0);
        left(b"HTTP/1.1 403 Forbidden\r\n\r\n").unwrap_err();
    }
}
