//! `cargo xtask bench`

use crate::load::Subject;
use crate::{Error, load, step};

/// Runs the criterion benchmarks, then the comparison under load.
///
/// # Errors
/// When one of them fails.
pub(crate) fn bench() -> Result<(), Error> {
    step::run(
        ".",
        "cargo",
        &["bench", "--locked", "--package=e2e", "--benches"],
    )?;
    load::load(Subject::Release)
}

/// Measures what more sessions cost, up to as many as are asked for.
///
/// # Errors
/// When that is no number, or the measurement fails.
pub(crate) fn growth(sessions: &str) -> Result<(), Error> {
    let sessions: usize = sessions
        .parse()
        .map_err(|_| format!("{sessions} is no number of sessions"))?;
    let cargo = ["bench", "--locked", "--package=e2e", "--bench=growth", "--"];
    step::run(
        ".",
        "cargo",
        &[&cargo[..], &[&sessions.to_string()]].concat(),
    )
}
