//! `cargo xtask drill`

use std::fs;
use std::process::Command;

use crate::{Error, layout, root, step, tools};

/// Runs the drills of `tests/e2e/drills` one after the other, at full length, and prints what was seen in Markdown.
///
/// # Errors
/// When a tool is missing, or a drill shows what must not be.
pub(crate) fn drill() -> Result<(), Error> {
    tools::require(tools::FOR_TESTS)?;
    let report = layout::target_directory()?.join("drill.md");
    fs::write(&report, HEAD)?;
    step::announce("cargo test --package e2e --test e2e drills::");
    let status = Command::new("cargo")
        .args(["test", "--locked", "--package=e2e", "--test=e2e", "--"])
        .args(["drills::", "--test-threads=1"])
        .env("DRILL_REPORT", &report)
        .current_dir(root())
        .status()?;
    // Sentences last: a table must not be interrupted.
    let seen = fs::read_to_string(&report)?;
    let (table, sentences): (Vec<&str>, Vec<&str>) =
        seen.lines().partition(|line| line.starts_with('|'));
    println!("{}\n\n{}", table.join("\n"), sentences.join("\n"));
    match status.success() {
        true => Ok(()),
        false => Err("a drill showed what must not be".into()),
    }
}

const HEAD: &str = "\
| drill | answers | refused | slowest ms | all served again after ms |
|---|---|---|---|---|
";
