//! What requests do most, as a profile that the compiler lays out programs by.
//!
//! Gateway and session.so are built once with counters in them, and answer requests as the comparison under load sends
//! them, with sessions in each kind of storage and without. What the counters say is the profile of the build that ships.

use std::env::consts::EXE_SUFFIX;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::artifacts::Artifacts;
use crate::{Error, anywhere, layout, load, step, tools};

/// Takes a profile, and returns where it is. `flags` are those of the build that it is for, as
/// `CARGO_ENCODED_RUSTFLAGS` takes them, `options` those for cargo, and `variable` is one of its environment: names differ
/// between builds that differ.
///
/// # Errors
/// When something does not build or run, or what merges the counters is not there.
pub(crate) fn profile(
    flags: &str,
    options: &[&str],
    (variable, value): (&str, &str),
) -> Result<PathBuf, Error> {
    tools::require(tools::FOR_LOAD)?;
    let merger = llvm(PROFDATA)?;
    let counted = layout::target_directory()?.join("profile");
    let counters = counted.join("counters");
    if counters.exists() {
        fs::remove_dir_all(&counters)?;
    }
    let flags = format!("{flags}\x1f-Cprofile-generate={}", counters.display());
    let target = counted.display().to_string();
    let options = [options, &["--target-dir", &target]].concat();
    let environment = [
        ("CARGO_ENCODED_RUSTFLAGS", flags),
        (variable, value.to_owned()),
    ];
    let built = Artifacts::build_in(".", &options, &environment)?;
    let directory = tempfile::tempdir()?;
    layout::install_example("quickstart", &built, directory.path())?;
    step::announce("requests to learn from");
    load::train(directory.path())?;
    let profile = counted.join("session.profdata");
    merge(&merger, &counters, &profile)?;
    Ok(profile)
}

fn merge(merger: &Path, counters: &Path, profile: &Path) -> Result<(), Error> {
    let mut merging = Command::new(merger);
    merging.args(["merge", "--sparse", "--output"]).arg(profile);
    match merging.arg(counters).status()?.success() {
        true => Ok(()),
        false => Err(format!("{} failed", merger.display()).into()),
    }
}

/// Makes sure that all tools of LLVM are there that a build by a profile takes.
///
/// # Errors
/// With the command to type.
pub(crate) fn require_llvm() -> Result<(), Error> {
    llvm(PROFDATA)?;
    llvm(OBJCOPY)?;
    Ok(())
}

/// A tool of LLVM, the one that knows the formats of this compiler.
///
/// # Errors
/// When it is not there, with the command to type.
pub(crate) fn llvm(name: &str) -> Result<PathBuf, Error> {
    let sysroot = anywhere::rustc("--print=sysroot")?;
    let tools = Path::new(sysroot.trim()).join("lib/rustlib").join(host()?);
    let tool = tools.join(format!("bin/{name}{EXE_SUFFIX}"));
    match tool.is_file() {
        true => Ok(tool),
        false => Err(format!("there is no {name}: rustup component add llvm-tools").into()),
    }
}

/// What this machine is called among targets.
///
/// # Errors
/// When there is no rustc.
pub(crate) fn host() -> Result<String, Error> {
    let version = anywhere::rustc("-vV")?;
    let mut lines = version.lines();
    let host = lines.find_map(|line| line.strip_prefix("host: "));
    Ok(host.ok_or("rustc does not know its host")?.to_owned())
}

/// Merges what counters say.
const PROFDATA: &str = "llvm-profdata";
/// Strips programs.
pub(crate) const OBJCOPY: &str = "llvm-objcopy";
