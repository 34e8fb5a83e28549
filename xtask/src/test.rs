//! `cargo xtask test`

use crate::step::{self, Report};
use crate::{Error, fuzz, tools};

/// Runs everything that must hold. A step that fails does not keep the others from being run.
///
/// # Errors
/// When a tool is missing, or a step failed.
pub(crate) fn test() -> Result<(), Error> {
    tools::require(tools::FOR_TESTS)?;
    let mut report = Report::default();
    for (directory, features) in WORKSPACES {
        format(directory, &mut report);
        report.step(&format!("lints of {directory}"), || {
            lint(directory, features)
        });
    }
    // Not linted: for that it would take a hundred crates that the project has no other use for.
    format("tests/peers", &mut report);
    let tests = [
        "test",
        "--locked",
        "--workspace",
        "--all-features",
        "--no-fail-fast",
    ];
    report.step("tests", || step::run(".", "cargo", &tests));
    report.step("tests of examples/third-party", || {
        step::run("examples/third-party", "cargo", &["test", "--locked"])
    });
    fuzz::smoke(&mut report)?;
    dependencies(&mut report);
    report.finish()
}

/// From the root and into its `target`, whatever the workspace builds with and where: what they have in common is
/// checked once.
fn lint(directory: &str, features: &[&str]) -> Result<(), Error> {
    let manifest = format!("--manifest-path={directory}/Cargo.toml");
    let clippy = [
        "clippy",
        "--locked",
        "--workspace",
        "--all-targets",
        "--target-dir=target",
        &manifest,
    ];
    let arguments = [&clippy[..], features, &["--", "-D", "warnings"]].concat();
    step::run(".", "cargo", &arguments)
}

fn format(directory: &str, report: &mut Report) {
    report.step(&format!("format of {directory}"), || {
        step::run(directory, "cargo", &["fmt", "--all", "--check"])
    });
}

/// What `deny.toml` says of dependencies, as far as this machine can tell.
fn dependencies(report: &mut Report) {
    if !tools::has_cargo("deny") {
        return report.skip("dependencies", "cargo-deny is not installed");
    }
    report.step("licences and sources of dependencies", || {
        step::run(
            ".",
            "cargo",
            &["deny", "check", "bans", "licenses", "sources"],
        )
    });
    match step::run(".", "cargo", &["deny", "fetch", "db"]) {
        Ok(()) => report.step("advisories about dependencies", || {
            step::run(".", "cargo", &["deny", "check", "advisories"])
        }),
        Err(_) => report.skip(
            "advisories about dependencies",
            "their database is out of reach",
        ),
    }
}

/// Ours, the third party's, the plugins that go wrong and the fuzz targets; each has its own lock file.
const WORKSPACES: [(&str, &[&str]); 4] = [
    (".", &["--all-features"]),
    ("examples/third-party", &[]),
    ("tests/fixtures", &[]),
    ("tests/fuzz", &[]),
];
