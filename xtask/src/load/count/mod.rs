//! What the gateway does for one request, counted and not timed: the same figures on a machine that is busy.
//!
//! The gateway runs under Callgrind, which counts instructions, under DHAT, which counts allocations, and under
//! `strace`. 64 connections send a request each and wait for the answers of all, again and again, as a load generator
//! does that is faster than the gateway. Each figure is the difference between two runs, one longer than the other: what
//! is done once, at the start or for a connection, is in none of them.
//!
//! DHAT sees the system's allocator and no other: what it runs is built without the gateway's own, and asks for the same.

mod callgrind;
mod clients;
mod dhat;
mod strace;

use std::collections::BTreeMap;
use std::process::Command;

use self::clients::Clients;
use super::backend::Backend;
use super::gateway::{self, Sessions};
use crate::{Error, layout, step, tools};

/// Counts, and prints a table in Markdown.
///
/// # Errors
/// When something is missing, does not start, or answers anything but 200.
pub(crate) fn count() -> Result<(), Error> {
    tools::require(tools::FOR_LOAD)?;
    tools::require(tools::FOR_COUNT)?;
    let directory = tempfile::tempdir()?;
    dhat::lay_out(directory.path())?;
    layout::lay_out(directory.path(), "release")?;
    let backend = Backend::start(directory.path())?;
    let rows = Sessions::ALL.map(|sessions| row(sessions, &backend));
    println!("{HEAD}");
    for row in rows {
        println!("{}", row?);
    }
    Ok(())
}

fn row(sessions: Sessions, backend: &Backend) -> Result<String, Error> {
    let name = gateway::name(sessions);
    step::announce(name);
    let instructions = per_request(|rounds| callgrind::count(sessions, backend, rounds))?;
    let memory = per_request(|rounds| dhat::count(sessions, backend, rounds))?;
    let calls = per_request(|rounds| strace::count(sessions, backend, rounds))?;
    let most = calls.iter().filter(|(_, count)| **count >= RARE);
    let most = most.map(|(call, count)| format!("{call} {count:.2}"));
    Ok(format!(
        "| {name} | {:.0} | {:.1} | {:.0} | {:.2} | {} |",
        instructions[callgrind::INSTRUCTIONS],
        memory[dhat::ALLOCATIONS],
        memory[dhat::BYTES],
        calls.values().sum::<f64>(),
        most.collect::<Vec<_>>().join(", "),
    ))
}

/// What was counted in one run, by its name.
type Counts = BTreeMap<String, f64>;

/// What one more request costs.
fn per_request(run: impl Fn(usize) -> Result<Counts, Error>) -> Result<Counts, Error> {
    let (short, long) = (run(SHORT)?, run(LONG)?);
    let requests = ((LONG - SHORT) * Clients::COUNT) as f64;
    let grown = long.into_iter().map(|(name, count)| {
        let before = short.get(&name).copied().unwrap_or_default();
        (name, (count - before) / requests)
    });
    Ok(grown.collect())
}

/// Runs a gateway that `program` starts until everybody has been answered `rounds` times.
fn serve(
    program: Command,
    sessions: Sessions,
    (backend, rounds): (&Backend, usize),
) -> Result<(), Error> {
    let gateway = gateway::start(program, sessions, backend)?;
    Clients::of(&gateway)?.ask(rounds)
}

// In rounds of all connections. The first is long enough for everything that happens once.
const SHORT: usize = 10;
const LONG: usize = 60;

// Done once in a while, and not for a request.
const RARE: f64 = 0.005;

const HEAD: &str = "\
| per request | instructions | allocations | bytes | system calls | of them |\n\
|---|---|---|---|---|---|";
