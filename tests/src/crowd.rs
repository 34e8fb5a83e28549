//! A crowd that asks all the time on kept connections, and counts what it is not answered.

use std::io::{self, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use crate::{Message, PATIENCE};

/// People who each ask again as soon as they are answered, on one connection for as long as the gateway keeps it. Who
/// is told `Connection: close` opens another; whoever is cut off without having been told counts it as a failure.
#[derive(Debug)]
pub struct Crowd {
    people: Vec<JoinHandle<()>>,
    shared: Arc<Shared>,
}

/// What a crowd saw.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Answers with status 200.
    pub answered: usize,
    /// Everything else, in words.
    pub failed: Vec<String>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    grew: Condvar,
}

#[derive(Debug, Default)]
struct State {
    tally: Tally,
    is_over: bool,
}

impl Crowd {
    /// Lets so many people begin to ask for `path`, with this `Cookie`.
    pub fn start(people: usize, gateway: SocketAddr, path: &str, cookie: &str) -> Self {
        let shared = Arc::new(Shared::default());
        let request = format!("GET {path} HTTP/1.1\r\nHost: {gateway}\r\nCookie: {cookie}\r\n\r\n");
        let people = (0..people).map(|_| {
            let (shared, request) = (Arc::clone(&shared), request.clone());
            thread::spawn(move || shared.work(gateway, &request))
        });
        Self {
            people: people.collect(),
            shared,
        }
    }

    /// Waits until so many more requests were answered.
    ///
    /// # Panics
    /// When they are not.
    #[track_caller]
    pub fn until_answered(&self, more: usize) {
        let state = self.shared.state();
        let enough = state.tally.answered + more;
        let too_few = |state: &mut State| state.tally.answered < enough;
        let waited = self
            .shared
            .grew
            .wait_timeout_while(state, PATIENCE, too_few);
        let (state, time) = waited.unwrap_or_else(PoisonError::into_inner);
        assert!(
            !time.timed_out(),
            "the crowd is stuck: {:?}",
            state.tally.failed
        );
    }

    /// Lets everybody finish.
    ///
    /// # Panics
    /// When one of them did.
    #[track_caller]
    pub fn stop(self) -> Tally {
        self.shared.state().is_over = true;
        for person in self.people {
            person.join().expect("a person who finishes");
        }
        self.shared.state().tally.clone()
    }
}

impl Tally {
    /// Expects that nobody was let down.
    ///
    /// # Panics
    /// With what went wrong.
    #[track_caller]
    pub fn assert_complete(&self) {
        let some: Vec<_> = self.failed.iter().take(10).collect();
        let (failed, answered) = (self.failed.len(), self.answered);
        assert!(failed == 0, "{failed} failed of {answered}: {some:#?}");
    }
}

impl Shared {
    fn work(&self, gateway: SocketAddr, request: &str) {
        let mut line = None;
        while !self.state().is_over {
            let outcome = ask(&mut line, gateway, request);
            let mut state = self.state();
            match outcome {
                Ok(200) => state.tally.answered += 1,
                Ok(status) => state.tally.failed.push(format!("status {status}")),
                Err(error) => {
                    line = None;
                    state.tally.failed.push(error.to_string());
                }
            }
            drop(state);
            self.grew.notify_all();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn ask(
    line: &mut Option<BufReader<TcpStream>>,
    gateway: SocketAddr,
    request: &str,
) -> io::Result<u16> {
    let mut kept = match line.take() {
        Some(kept) => kept,
        None => open(gateway)?,
    };
    kept.get_mut().write_all(request.as_bytes())?;
    let answer = Message::read_response(&mut kept, "GET")?;
    if answer.header("connection").as_deref() != Some("close") {
        *line = Some(kept);
    }
    Ok(answer.status())
}

fn open(gateway: SocketAddr) -> io::Result<BufReader<TcpStream>> {
    let stream = TcpStream::connect(gateway)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_nodelay(true)?;
    Ok(BufReader::new(stream))
}
