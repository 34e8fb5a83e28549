//! System calls, counted by strace.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

use super::super::backend::Backend;
use super::super::gateway::{self, Sessions};
use super::{Counts, serve};
use crate::Error;

/// What one run takes, those of all threads.
///
/// # Errors
/// When the run fails, or strace cannot be understood.
pub(super) fn count(sessions: Sessions, backend: &Backend, rounds: usize) -> Result<Counts, Error> {
    let file = backend.directory().join(format!("strace-{rounds}"));
    let mut strace = Command::new("strace");
    // As a grandchild, so that the process that is stopped at the end is the gateway.
    strace.args([
        "--daemonize",
        "--follow-forks",
        "--summary-only",
        "--output",
    ]);
    strace.arg(&file).arg(gateway::program(backend.directory()));
    serve(strace, sessions, (backend, rounds))?;
    let counts = parse(&summary(&file)?);
    fs::remove_file(file)?;
    Ok(counts)
}

/// What strace writes when the gateway is gone, a moment later.
fn summary(file: &Path) -> Result<String, Error> {
    for _ in 0..100 {
        let text = fs::read_to_string(file)?;
        if text.trim_end().ends_with(" total") {
            return Ok(text);
        }
        thread::sleep(Duration::from_millis(50));
    }
    Err("strace says nothing".into())
}

/// Lines of share, seconds, microseconds per call, calls, errors if there are any, and a name.
fn parse(summary: &str) -> Counts {
    let count = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let calls = words.get(3)?.parse().ok()?;
        Some((words.last()?.to_string(), calls))
    };
    let counts = summary.lines().filter_map(count);
    counts.filter(|(name, _)| name != "total").collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_told_from_times_and_errors() {
        let text = "\
% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 60.00    0.000600           1       500        20 read
 40.00    0.000400           1       400           writev
------ ----------- ----------- --------- --------- ----------------
100.00    0.001000           1       900        20 total
";

        let counts = parse(text);

        let expected =
            [("read", 500.0), ("writev", 400.0)].map(|(name, count)| (name.to_owned(), count));
        assert_eq!(counts, Counts::from(expected));
    }
}
