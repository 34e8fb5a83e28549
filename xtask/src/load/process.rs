//! Programs that are started, each on one processor.

use std::io::{BufRead, BufReader, Read};
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command};
use std::thread;
use std::time::Duration;

use crate::Error;

/// Who has which of the two processors.
#[derive(Clone, Copy)]
pub(super) enum Processor {
    /// The contender's, which has it for itself.
    Contender,
    /// The load generator's, the upstream's and Redis'.
    Others,
}

impl Processor {
    /// What starts a program there.
    pub(super) fn command(self, program: &str) -> Command {
        let number = match self {
            Self::Contender => "0",
            Self::Others => "1",
        };
        let mut command = Command::new("taskset");
        command.args(["--cpu-list", number, program]);
        // Where Debian has servers, even if the user's path lacks it.
        let path = std::env::var("PATH").unwrap_or_default();
        command.env("PATH", format!("{path}:/usr/sbin:/sbin"));
        command
    }
}

/// A program that runs. Ends with this value.
pub(super) struct Process(Child);

impl Process {
    /// Starts it.
    ///
    /// # Errors
    /// When there is no such program.
    pub(super) fn start(command: &mut Command) -> Result<Self, Error> {
        Ok(Self(command.spawn()?))
    }

    pub(super) fn id(&self) -> u32 {
        self.0.id()
    }

    /// What it writes to standard output, if that is piped.
    pub(super) fn output(&mut self) -> Option<impl Read + Send + use<>> {
        self.0.stdout.take()
    }

    /// What it writes to standard error, if that is piped.
    pub(super) fn log(&mut self) -> Option<impl Read + Send + use<>> {
        self.0.stderr.take()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // SIGTERM first: nginx has to end its worker.
        let _ = Command::new("kill").arg(self.id().to_string()).status();
        let _ = self.0.wait();
    }
}

/// The address in the first line that has the word `listening`.
///
/// # Errors
/// When there is none; with what was said instead.
pub(super) fn announced(text: Option<impl Read + Send + 'static>) -> Result<SocketAddr, Error> {
    let mut lines = BufReader::new(text.ok_or("nothing is said")?).lines();
    let mut said = String::new();
    for line in lines.by_ref().map_while(Result::ok) {
        if let Some(address) = address_in(&line) {
            // Somebody has to read on, or the program would wait for it.
            thread::spawn(move || lines.for_each(drop));
            return Ok(address);
        }
        said = said + "\n" + &line;
    }
    Err(format!("it does not listen:{said}").into())
}

fn address_in(line: &str) -> Option<SocketAddr> {
    let (_, rest) = line.split_once("listening")?;
    let mut words = rest.split(|c: char| c.is_whitespace() || c == '=' || c == '"');
    words.find_map(|word| word.parse().ok())
}

/// An address that was free a moment ago, for programs that cannot choose one themselves.
///
/// # Errors
/// When no port is free.
pub(super) fn free_address() -> Result<SocketAddr, Error> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

/// Waits for five seconds at most.
///
/// # Errors
/// When nobody can connect even then.
pub(super) fn await_listener(name: &str, connects: impl Fn() -> bool) -> Result<(), Error> {
    for _ in 0..100 {
        if connects() {
            return Ok(());
        }
        thread::sleep(Duration::from_millis(50));
    }
    Err(format!("{name} does not listen").into())
}
