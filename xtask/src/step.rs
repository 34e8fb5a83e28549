//! Commands that are run one after the other, with a line about each.

use std::ffi::OsStr;
use std::io::{self, IsTerminal};
use std::process::Command;
use std::time::Instant;

use crate::{Error, root};

/// Announces what comes next.
pub(crate) fn announce(text: &str) {
    eprintln!("{}", paint("1;36", &format!("==> {text}")));
}

/// Runs a program in a directory of the repository.
///
/// # Errors
/// When it cannot be run, or fails.
pub(crate) fn run(directory: &str, program: &str, arguments: &[&str]) -> Result<(), Error> {
    finish(directory, Command::new(program).args(arguments))
}

/// As [`run`], on the way to something else: what it says is progress, and not a part of the answer.
pub(crate) fn prepare(directory: &str, program: &str, arguments: &[&str]) -> Result<(), Error> {
    let mut command = Command::new(program);
    finish(directory, command.args(arguments).stdout(io::stderr()))
}

fn finish(directory: &str, command: &mut Command) -> Result<(), Error> {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let line = words
        .map(OsStr::to_string_lossy)
        .collect::<Vec<_>>()
        .join(" ");
    match directory {
        "." => announce(&line),
        elsewhere => announce(&format!("{line}  ({elsewhere})")),
    }
    let status = command.current_dir(root().join(directory)).status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{line}: {status}").into()),
        Err(error) => Err(format!("{line}: it cannot be run: {error}").into()),
    }
}

/// Steps that are all taken, so that one run shows everything that is wrong.
#[derive(Default)]
pub(crate) struct Report {
    lines: Vec<String>,
    failures: usize,
}

impl Report {
    /// Takes a step and writes down how it went.
    pub(crate) fn step(&mut self, name: &str, step: impl FnOnce() -> Result<(), Error>) {
        let began = Instant::now();
        let done = step();
        let seconds = began.elapsed().as_secs();
        self.lines.push(match done {
            Ok(()) => format!("{}  {name} ({seconds} s)", paint("32", "passed")),
            Err(error) => {
                self.failures += 1;
                format!("{}  {name}: {error}", paint("31", "failed"))
            }
        });
    }

    /// Notes what was left out, and why.
    pub(crate) fn skip(&mut self, name: &str, reason: &str) {
        self.lines
            .push(format!("{}  {name}: {reason}", paint("33", "absent")));
    }

    /// Prints all that was written down.
    ///
    /// # Errors
    /// When a step failed.
    pub(crate) fn finish(self) -> Result<(), Error> {
        eprintln!("\n{}", self.lines.join("\n"));
        match self.failures {
            0 => Ok(()),
            1 => Err("1 step failed".into()),
            count => Err(format!("{count} steps failed").into()),
        }
    }
}

fn paint(color: &str, text: &str) -> String {
    let is_plain = !io::stderr().is_terminal() || std::env::var_os("NO_COLOR").is_some();
    if is_plain {
        text.to_owned()
    } else {
        format!("\x1b[{color}m{text}\x1b[0m")
    }
}
