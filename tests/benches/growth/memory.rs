//! What a session takes besides what is in it.

use std::env;
use std::process::Command;

use crate::kind::{Kind, MEMBERS, STRANGERS, USERS, VISITORS};
use crate::population::Population;

/// Prints a table. What is in a session is counted as the JSON text that somebody handed over.
///
/// Each kind has a process of its own: in one that has given memory back, growth would not show.
pub(crate) fn report() {
    println!("| {COUNT} | grown by, each | own account | JSON | grown beyond JSON |");
    println!("|---|---|---|---|---|");
    let program = env::current_exe().expect("the path of this program");
    for number in 0..KINDS.len() {
        let mut row = Command::new(&program);
        let status = row.arg(format!("{ROW}{number}")).status();
        assert!(status.expect("this program runs").success());
    }
    println!();
}

/// In a process that was started for one row, prints it.
pub(crate) fn row(word: &str) -> Option<()> {
    let kind: &Kind = KINDS.get(word.strip_prefix(ROW)?.parse::<usize>().ok()?)?;
    let population = Population::of(COUNT, kind);
    let (bytes, json) = (population.bytes, (kind.attributes)(0).to_string().len());
    let (account, beyond) = (population.rows.bytes() / COUNT, bytes.saturating_sub(json));
    println!(
        "| {} | {bytes} B | {account} B | {json} B | {beyond} B |",
        kind.name
    );
    Some(())
}

const COUNT: usize = 200_000;
const ROW: &str = "--row=";
const KINDS: [Kind; 4] = [VISITORS, MEMBERS, STRANGERS, USERS];
