//! A directory that runs: `gateway`, `plugins/session.so`, `config/`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::artifacts::Artifacts;
use crate::{Error, root, tools};

/// Builds gateway and plugin with a profile and lays them out below `directory`, with the quickstart as configuration.
///
/// # Errors
/// When something does not build, or the disk does not take it.
pub(crate) fn lay_out(directory: &Path, profile: &str) -> Result<(), Error> {
    lay_out_example("quickstart", directory, profile)
}

/// The same with another of `examples/` as configuration.
///
/// # Errors
/// As for [`lay_out`], and when there is no such example.
pub(crate) fn lay_out_example(name: &str, directory: &Path, profile: &str) -> Result<(), Error> {
    tools::require(tools::FOR_BUILD)?;
    let options = [&["--profile", profile][..], &PACKAGES].concat();
    let artifacts = Artifacts::build(".", &options)?;
    install_example(name, &artifacts, directory)
}

/// What was built, with one of `examples/` as configuration.
///
/// # Errors
/// When there is no such example, or the disk does not take it.
pub(crate) fn install_example(
    name: &str,
    artifacts: &Artifacts,
    directory: &Path,
) -> Result<(), Error> {
    let example = root().join("examples").join(name);
    let files = fs::read_dir(&example).map_err(|cause| format!("examples/{name}: {cause}"))?;
    install(artifacts.find("bin")?, &directory.join("gateway"))?;
    install(
        artifacts.find("cdylib")?,
        &directory.join("plugins/session.so"),
    )?;
    for entry in files {
        let file = entry?.path();
        let name = file.file_name().unwrap_or_default();
        if file.is_file() && name != "README.md" {
            install(&file, &directory.join("config").join(name))?;
        }
    }
    Ok(())
}

/// Copies a layout that is there.
///
/// # Errors
/// When it is not, or the disk does not take it.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<(), Error> {
    let files = files(from).map_err(|cause| format!("{}: {cause}", from.display()))?;
    for file in files {
        install(&from.join(&file), &to.join(&file))?;
    }
    Ok(())
}

/// Every file of a layout, relative to it, in order.
///
/// # Errors
/// When a directory cannot be read.
pub(crate) fn files(directory: &Path) -> Result<Vec<PathBuf>, Error> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        let name = PathBuf::from(path.file_name().unwrap_or_default());
        if path.is_dir() {
            files.extend(self::files(&path)?.into_iter().map(|file| name.join(file)));
        } else {
            files.push(name);
        }
    }
    files.sort();
    Ok(files)
}

/// Where cargo puts things.
///
/// # Errors
/// When cargo does not say.
pub(crate) fn target_directory() -> Result<PathBuf, Error> {
    let mut cargo = Command::new("cargo");
    cargo
        .args(["metadata", "--format-version=1", "--no-deps"])
        .current_dir(root());
    let metadata: Value = serde_json::from_slice(&cargo.output()?.stdout)?;
    let directory = metadata["target_directory"]
        .as_str()
        .ok_or("cargo metadata names no target directory")?;
    Ok(PathBuf::from(directory))
}

/// What a layout has to be built of.
pub(crate) const PACKAGES: [&str; 2] = ["--package=gateway", "--package=plugin"];

/// Copies and renames: a gateway that is running has the old file mapped, and overwriting it would end that gateway.
pub(crate) fn install(from: &Path, to: &Path) -> Result<(), Error> {
    let directory = to.parent().ok_or("a file needs a directory")?;
    fs::create_dir_all(directory)?;
    let draft = directory.join(".draft");
    fs::copy(from, &draft)?;
    fs::rename(&draft, to)?;
    Ok(())
}
