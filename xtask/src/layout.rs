//! A directory that runs: `gateway`, `plugins/session.so`, `config/`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::{Error, root, step};

/// Builds gateway and plugin with a profile and lays them out below `directory`, with the quickstart as configuration.
///
/// # Errors
/// When something does not build, or the disk does not take it.
pub(crate) fn lay_out(directory: &Path, profile: &str) -> Result<(), Error> {
    let artifacts = build(profile)?;
    let find = |kind: &str| {
        let found = artifacts.iter().find(|(of, _)| of == kind);
        found
            .map(|(_, file)| file.as_path())
            .ok_or_else(|| format!("cargo built no {kind}"))
    };
    install(find("bin")?, &directory.join("gateway"))?;
    install(find("cdylib")?, &directory.join("plugins/session.so"))?;
    for entry in fs::read_dir(root().join("examples/quickstart"))? {
        let file = entry?.path();
        if file
            .extension()
            .is_some_and(|extension| extension == "yaml")
        {
            install(
                &file,
                &directory
                    .join("config")
                    .join(file.file_name().unwrap_or_default()),
            )?;
        }
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

/// What came of a build: kind of target and file.
fn build(profile: &str) -> Result<Vec<(String, PathBuf)>, Error> {
    step::announce(&format!(
        "cargo build --profile {profile} --package gateway --package plugin"
    ));
    let mut cargo = Command::new("cargo");
    cargo.args([
        "build",
        "--profile",
        profile,
        "--package=gateway",
        "--package=plugin",
    ]);
    cargo
        .arg("--message-format=json-render-diagnostics")
        .current_dir(root())
        .stderr(Stdio::inherit());
    let output = cargo.output()?;
    if !output.status.success() {
        return Err("the build failed".into());
    }
    let messages = String::from_utf8(output.stdout)?;
    Ok(messages.lines().filter_map(artifact).collect())
}

fn artifact(message: &str) -> Option<(String, PathBuf)> {
    let message: Value = serde_json::from_str(message).ok()?;
    let kind = message["target"]["kind"][0].as_str()?;
    let file = match kind {
        "bin" => message["executable"].as_str()?,
        "cdylib" => message["filenames"][0].as_str()?,
        _ => return None,
    };
    Some((kind.to_owned(), PathBuf::from(file)))
}

/// Copies and renames: a gateway that is running has the old file mapped, and overwriting it would end that gateway.
fn install(from: &Path, to: &Path) -> Result<(), Error> {
    let directory = to.parent().ok_or("a file needs a directory")?;
    fs::create_dir_all(directory)?;
    let draft = directory.join(".draft");
    fs::copy(from, &draft)?;
    fs::rename(&draft, to)?;
    Ok(())
}
