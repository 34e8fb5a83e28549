//! How many users log in.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

use crate::load::login;
use crate::{Error, step};

/// Logs in so many users, and answers with the cookies of `kept` of them or a few more, at even distances; of all if they are fewer.
///
/// # Errors
/// When a response has no cookie.
pub(super) fn users(address: SocketAddr, users: usize, kept: usize) -> Result<Vec<String>, Error> {
    let distance = (users / kept).max(1);
    let mut cookies = Vec::new();
    for begun in (0..users).step_by(SLICE) {
        let slice = SLICE.min(users - begun);
        cookies.extend(at_once(address, slice, distance)?);
        if users > SLICE {
            step::announce(&format!("{} of {users}", begun + slice));
        }
    }
    Ok(cookies)
}

fn at_once(address: SocketAddr, users: usize, distance: usize) -> Result<Vec<String>, Error> {
    thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                let share = users / CLIENTS + usize::from(client < users % CLIENTS);
                scope.spawn(move || one_after_the_other(address, share, distance))
            })
            .collect();
        let mut cookies = Vec::new();
        for client in clients {
            let theirs = client.join().map_err(|_| "a client panicked")?;
            cookies.extend(theirs.map_err(|error| format!("logging in: {error}"))?);
        }
        Ok(cookies)
    })
}

/// Asks for some at a time, which is the shortest way to many. The pages are empty: a response ends with its head.
fn one_after_the_other(
    address: SocketAddr,
    users: usize,
    distance: usize,
) -> std::io::Result<Vec<String>> {
    let stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let (mut asking, mut lines) = (stream.try_clone()?, BufReader::new(stream).lines());
    let mut cookies = Vec::new();
    for begun in (0..users).step_by(AHEAD) {
        let ahead = AHEAD.min(users - begun);
        asking.write_all(LOGIN.repeat(ahead).as_bytes())?;
        for number in begun..begun + ahead {
            let cookie = cookie(&mut lines)?;
            if number % distance == 0 {
                cookies.push(cookie);
            }
        }
    }
    Ok(cookies)
}

fn cookie(lines: &mut impl Iterator<Item = std::io::Result<String>>) -> std::io::Result<String> {
    let mut cookie = None;
    for line in lines {
        let line = line?;
        if line.is_empty() {
            break;
        }
        cookie = login::cookie_in(&line).map(str::to_owned).or(cookie);
    }
    cookie.ok_or_else(|| std::io::Error::other("a response sets no cookie"))
}

const LOGIN: &str = "GET /login HTTP/1.1\r\nHost: bench\r\n\r\n";
const CLIENTS: usize = 16;
// Less than the smallest buffers on the way hold.
const AHEAD: usize = 32;
const SLICE: usize = 1_000_000;
const PATIENCE: Duration = Duration::from_secs(30);
