//! `cargo xtask bench`

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
    load::load()
}
