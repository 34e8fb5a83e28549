//! How a session begins.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use super::page;
use crate::Error;

/// Asks for `/login` with the attributes of the session, and answers with the cookie: `name=value`.
///
/// # Errors
/// When no cookie comes.
pub(super) fn log_in(address: SocketAddr) -> Result<String, Error> {
    let session = page::session();
    let mut stream = TcpStream::connect(address)?;
    write!(
        stream,
        "POST /login HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{session}",
        session.len()
    )?;
    let mut response = String::new();
    stream.read_to_string(&mut response)?;
    let cookie = response.lines().find_map(cookie_in);
    cookie
        .map(str::to_owned)
        .ok_or_else(|| format!("the login set no cookie:\n{response}").into())
}

/// The cookie that a line of a head sets: `name=value`.
pub(super) fn cookie_in(line: &str) -> Option<&str> {
    let (name, value) = line.split_once(": ")?;
    let is_cookie = name.eq_ignore_ascii_case("set-cookie");
    is_cookie.then(|| value.split(';').next())?
}
