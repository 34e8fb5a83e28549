//! `cargo xtask dist`

use std::fs;
use std::path::PathBuf;

use crate::artifacts::Artifacts;
use crate::{Error, anywhere, checksums, layout, root, signature, step, tools};

/// Lays out what is shipped in `dist/`, from nothing.
///
/// # Errors
/// When an option is wrong, something does not build, or the disk does not take it.
pub(crate) fn dist(words: &[&str]) -> Result<(), Error> {
    let key = key(words)?;
    let directory = root().join("dist");
    if directory.exists() {
        fs::remove_dir_all(&directory)?;
    }
    layout::install_example("quickstart", &build()?, &directory)?;
    for file in ["gateway", "plugins/session.so"] {
        anywhere::inspect(&directory.join(file))?;
    }
    let sums = checksums::write(&directory)?;
    if let Some(key) = key {
        signature::sign(&directory.join(checksums::FILE), &key)?;
    }
    step::announce("dist/ holds");
    eprint!("{}", fs::read_to_string(sums)?);
    Ok(())
}

/// Of what is locked, without a trace of the directory it is built in.
fn build() -> Result<Artifacts, Error> {
    tools::require(tools::FOR_BUILD)?;
    let flags = ("CARGO_ENCODED_RUSTFLAGS", anywhere::flags()?);
    let options = [&["--locked", "--profile=dist"][..], &layout::PACKAGES].concat();
    Artifacts::build_in(".", &options, &[flags])
}

/// The key to sign with, if any. Looked for before the build, which takes minutes.
fn key(words: &[&str]) -> Result<Option<PathBuf>, Error> {
    match words {
        [] => Ok(None),
        ["--sign", key] => {
            let found = fs::canonicalize(key);
            Ok(Some(found.map_err(|cause| format!("{key}: {cause}"))?))
        }
        _ => Err("usage: cargo xtask dist [--sign KEY]".into()),
    }
}
