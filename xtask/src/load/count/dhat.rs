//! Allocations, counted by Valgrind's DHAT.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::super::backend::Backend;
use super::super::gateway::Sessions;
use super::{Counts, serve};
use crate::artifacts::Artifacts;
use crate::{Error, layout};

/// Builds a gateway whose allocations can be seen.
///
/// # Errors
/// When it does not build, or the disk does not take it.
pub(super) fn lay_out(directory: &Path) -> Result<(), Error> {
    let options = ["--release", "--package=gateway", "--no-default-features"];
    let artifacts = Artifacts::build(".", &options)?;
    layout::install(artifacts.find("bin")?, &directory.join(PROGRAM))
}

/// What one run takes. What grows in place is one allocation.
///
/// # Errors
/// When the run fails, or DHAT cannot be understood.
pub(super) fn count(sessions: Sessions, backend: &Backend, rounds: usize) -> Result<Counts, Error> {
    let file = backend.directory().join("dhat.json");
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--tool=dhat", "--quiet"]);
    valgrind.arg(format!("--dhat-out-file={}", file.display()));
    valgrind.arg(backend.directory().join(PROGRAM));
    serve(valgrind, sessions, (backend, rounds))?;
    parse(&fs::read_to_string(file)?)
}

fn parse(text: &str) -> Result<Counts, Error> {
    let profile: Value = serde_json::from_str(text)?;
    let points = profile["pps"].as_array().ok_or("DHAT says nothing")?;
    let sum = |key: &str| -> f64 { points.iter().filter_map(|point| point[key].as_f64()).sum() };
    Ok([(ALLOCATIONS, sum("tbk")), (BYTES, sum("tb"))]
        .map(|(name, figure)| (name.to_owned(), figure))
        .into())
}

const PROGRAM: &str = "gateway-without-allocator";

pub(super) const ALLOCATIONS: &str = "allocations";
pub(super) const BYTES: &str = "bytes";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_of_all_places_are_added_up() {
        let text = r#"{"pps":[{"tb":64,"tbk":2},{"tb":8,"tbk":1}]}"#;

        let counts = parse(text).unwrap();

        assert_eq!((counts[ALLOCATIONS], counts[BYTES]), (3.0, 72.0));
    }
}
