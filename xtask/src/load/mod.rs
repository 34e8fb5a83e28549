//! What sessions cost under load, against nginx.
//!
//! Every contender does the same work for the same client: a request with a cookie becomes a request with `X-User-Id` and
//! `Authorization`, and an upstream answers 1 KB only if both have arrived. One contender after the other gets a few
//! seconds, in rounds, because a machine is never as fast twice; figures are compared within their round. The
//! contender has processor 0 for itself, everything else shares processor 1. Near the top the load generator is full
//! itself, so the processor time per request is the fairer figure.

mod cpu;
mod page;
mod peer;
mod table;
mod wrk;

use tempfile::TempDir;

use self::peer::{Backend, Peer, Way};
use self::table::Sample;
use crate::{Error, layout, step, tools};

/// Compares and prints a table in Markdown.
///
/// # Errors
/// When something is missing, does not start, or answers anything but 200.
pub(crate) fn load() -> Result<(), Error> {
    tools::require(tools::FOR_LOAD)?;
    let directory = tempfile::tempdir()?;
    layout::lay_out(directory.path(), "release")?;
    let backend = Backend::start(&directory)?;
    let peers = peers(&directory, &backend)?;
    let mut rounds = Vec::new();
    for round in 1..=ROUNDS {
        step::announce(&format!("round {round} of {ROUNDS}"));
        rounds.push(peers.iter().map(measure).collect::<Result<Vec<_>, _>>()?);
    }
    let names: Vec<&str> = peers.iter().map(Peer::name).collect();
    println!("{}", table::render(&names, &rounds));
    Ok(())
}

/// nginx first: everything is measured against it.
fn peers(directory: &TempDir, backend: &Backend) -> Result<Vec<Peer>, Error> {
    let ways = [Way::Nginx, Way::Plain, Way::Memory, Way::Redis];
    ways.into_iter()
        .map(|way| Peer::start(way, directory.path(), backend))
        .collect()
}

fn measure(peer: &Peer) -> Result<Sample, Error> {
    let before = cpu::seconds(peer.process())?;
    let run = wrk::run(peer.address(), peer.headers())?;
    let spent = cpu::seconds(peer.process())? - before;
    Ok(Sample {
        run,
        cpu_per_100k: spent / run.requests * 100_000.0,
    })
}

// Medians of five survive two disturbed rounds.
const ROUNDS: usize = 5;
