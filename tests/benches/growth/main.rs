//! What more sessions cost: `cargo xtask bench --growth [SESSIONS]`, ten million unless given, which take 5 GB.
//!
//! Three questions, each with a table in Markdown: how much memory a session takes besides what is in it; whether a
//! request is slower among millions of sessions than among a thousand, and by more than a bare hash table would be; and
//! how long a write waits while a million sessions run out. Storage and engine are the real ones, sessions in the memory
//! of this process, by the allocator of the system.
#![forbid(unsafe_code)]

mod bare;
#[path = "../desk.rs"]
mod desk;
#[path = "../exchange.rs"]
mod exchange;
mod kind;
mod memory;
mod pause;
mod population;
mod request;
mod resident;
mod sample;
#[path = "../visit.rs"]
mod visit;

use self::kind::{MEMBERS, VISITORS};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.iter().find_map(|word| memory::row(word)).is_some() {
        return;
    }
    // Among the benchmarks of `cargo bench`, which take seconds and megabytes, there is no number.
    match words.iter().find_map(|word| word.parse().ok()) {
        Some(most) => report(most),
        None => println!("growth is measured by: cargo xtask bench --growth"),
    }
}

fn report(most: usize) {
    memory::report();
    let visitors = request::report(&VISITORS, NO_ROSTER, [1000, 100_000, most]);
    // Not given back before the members come, for the same reason.
    request::report(&MEMBERS, ROSTER, [1000, 100_000, most / 10]);
    drop(visitors);
    pause::report();
}

const NO_ROSTER: Option<usize> = None;
/// As many bytes as one with an entry has.
const ROSTER: Option<usize> = Some(32);
