//! Instructions and allocations, counted by Valgrind's Callgrind.

use std::collections::HashMap;
use std::fs;
use std::process::Command;

use super::super::backend::Backend;
use super::super::gateway::{self, Sessions};
use super::{Counts, serve};
use crate::Error;

/// What one run takes, in user mode: the gateway's, its libraries', and those of the allocators. An allocation is a call
/// of one that Rust makes; what grows in place is one more.
///
/// # Errors
/// When the run fails, or Callgrind cannot be understood.
pub(super) fn count(sessions: Sessions, backend: &Backend, rounds: usize) -> Result<Counts, Error> {
    let file = backend.directory().join("callgrind.out");
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--tool=callgrind", "--quiet"]);
    valgrind.arg(format!("--callgrind-out-file={}", file.display()));
    valgrind.arg(gateway::program(backend));
    serve(valgrind, sessions, (backend, rounds))?;
    let text = fs::read_to_string(file)?;
    let instructions = instructions(&text).ok_or("Callgrind says nothing")?;
    Ok(Counts::from([
        (INSTRUCTIONS.to_owned(), instructions),
        (ALLOCATIONS.to_owned(), allocations(&text)),
    ]))
}

fn instructions(text: &str) -> Option<f64> {
    let totals = text
        .lines()
        .find_map(|line| line.strip_prefix("totals: "))?;
    totals.trim().parse().ok()
}

/// A function has its name beside its number where it is met first, be it as the caller or as the one that is called.
fn allocations(text: &str) -> f64 {
    let mut names = HashMap::new();
    let mut called = None;
    let mut calls = 0.0;
    for line in text.lines() {
        if let Some(function) = line.strip_prefix("cfn=") {
            called = named(function, &mut names);
        } else if let Some(function) = line.strip_prefix("fn=") {
            named(function, &mut names);
        } else if let Some(rest) = line.strip_prefix("calls=")
            && called.is_some_and(|name| ALLOCATORS.contains(&name))
        {
            let count = rest.split_whitespace().next();
            calls += count.and_then(|count| count.parse().ok()).unwrap_or(0.0);
        }
    }
    calls
}

/// Reads `(number) name` or `(number)`.
fn named<'a>(function: &'a str, names: &mut HashMap<&'a str, &'a str>) -> Option<&'a str> {
    match function.split_once(' ') {
        Some((number, name)) => {
            names.insert(number, name);
            Some(name)
        }
        None => names.get(function).copied(),
    }
}

// What Rust's allocations are to mimalloc.
const ALLOCATORS: [&str; 3] = [
    "mi_malloc_aligned",
    "mi_zalloc_aligned",
    "mi_realloc_aligned",
];

pub(super) const INSTRUCTIONS: &str = "instructions";
pub(super) const ALLOCATIONS: &str = "allocations";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_are_found_among_functions() {
        let text = "events: Ir\n\nfn=(1) totals\n12 40\n\ntotals: 1234\n";

        assert_eq!(instructions(text), Some(1234.0));
    }

    #[test]
    fn calls_of_an_allocator_are_added_up_by_its_number_too() {
        let text = "fn=(1) serve\ncfn=(2) mi_malloc_aligned\ncalls=3 0\n5 90\ncfn=(4) mi_free\ncalls=9 0\n6 30\n\
             fn=(3) answer\ncfn=(2)\ncalls=4 0\n7 120\n";

        assert_eq!(allocations(text), 7.0);
    }
}
