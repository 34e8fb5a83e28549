//! Instructions, counted by Valgrind's Callgrind.

use std::fs;
use std::process::Command;

use super::super::backend::Backend;
use super::super::gateway::{self, Sessions};
use super::{Counts, serve};
use crate::Error;

/// What one run takes, in user mode: the gateway's, its libraries', and those of the system's allocator.
///
/// # Errors
/// When the run fails, or Callgrind cannot be understood.
pub(super) fn count(sessions: Sessions, backend: &Backend, rounds: usize) -> Result<Counts, Error> {
    let file = backend.directory().join("callgrind.out");
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--tool=callgrind", "--quiet"]);
    valgrind.arg(format!("--callgrind-out-file={}", file.display()));
    valgrind.arg(gateway::program(backend.directory()));
    serve(valgrind, sessions, (backend, rounds))?;
    let instructions = parse(&fs::read_to_string(file)?).ok_or("Callgrind says nothing")?;
    Ok(Counts::from([(INSTRUCTIONS.to_owned(), instructions)]))
}

fn parse(text: &str) -> Option<f64> {
    let totals = text
        .lines()
        .find_map(|line| line.strip_prefix("totals: "))?;
    totals.trim().parse().ok()
}

pub(super) const INSTRUCTIONS: &str = "instructions";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_are_found_among_functions() {
        let text = "events: Ir\n\nfn=(1) totals\n12 40\n\ntotals: 1234\n";

        assert_eq!(parse(text), Some(1234.0));
    }
}
