//! How long a write waits while everything that is stored runs out.

use std::time::{Duration, Instant};

use crate::kind::VISITORS;
use crate::population::{LIFE, Population};

/// Prints a table: the writes that follow, before and after the end of a million sessions.
pub(crate) fn report() {
    let population = Population::of(SESSIONS, &VISITORS);
    println!(
        "| writes beside a million sessions | median | 99.99 % | longest | storage at the end |"
    );
    println!("|---|---|---|---|---|");
    write(&population, "that live");
    population.clock.advance(LIFE);
    write(&population, "that have run out");
    println!();
}

fn write(population: &Population, which: &str) {
    let mut taken: Vec<Duration> = (0..WRITES)
        .map(|number| create(population, number))
        .collect();
    taken.sort_unstable();
    let at = |share: f64| taken[(share * (WRITES - 1) as f64) as usize];
    let mib = population.rows.bytes() >> 20;
    println!(
        "| {which} | {:?} | {:?} | {:?} | {mib} MiB |",
        at(0.5),
        at(0.9999),
        at(1.0)
    );
}

fn create(population: &Population, number: usize) -> Duration {
    let began = Instant::now();
    population.create(&(VISITORS.attributes)(number));
    began.elapsed()
}

const SESSIONS: usize = 1_000_000;
const WRITES: usize = 200_000;
