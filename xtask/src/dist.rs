//! `cargo xtask dist`

use std::fs;
use std::path::PathBuf;

use crate::artifacts::Artifacts;
use crate::{Error, anywhere, checksums, guide, layout, rearrange, root, signature, step, tools};

/// Lays out what is shipped in `dist/`, from nothing.
///
/// # Errors
/// When an option is wrong, something does not build, or the disk does not take it.
pub(crate) fn dist(words: &[&str]) -> Result<(), Error> {
    let wanted = wanted(words)?;
    if let Layout::Guided = wanted.layout {
        // Rustup installs them and apt does not: said before apt installs anything, and before what was built is gone.
        guide::require_llvm()?;
    }
    let directory = root().join("dist");
    if directory.exists() {
        fs::remove_dir_all(&directory)?;
    }
    let built = build(wanted.layout)?;
    layout::install_example("quickstart", &built, &directory)?;
    for file in ["gateway", "plugins/session.so"] {
        anywhere::inspect(&directory.join(file))?;
    }
    let sums = checksums::write(&directory)?;
    if let Some(key) = wanted.key {
        signature::sign(&directory.join(checksums::FILE), &key)?;
    }
    step::announce("dist/ holds");
    eprint!("{}", fs::read_to_string(sums)?);
    Ok(())
}

/// What was asked for.
struct Wanted {
    /// The key to sign with. Looked for before the build, which takes minutes.
    key: Option<PathBuf>,
    layout: Layout,
}

/// By what the compiler lays programs out.
#[derive(Clone, Copy)]
enum Layout {
    /// By what it guesses.
    Guessed,
    /// By what requests do.
    Guided,
}

/// Of what is locked, without a trace of the directory it is built in.
fn build(layout: Layout) -> Result<Artifacts, Error> {
    tools::require(tools::FOR_BUILD)?;
    let flags = anywhere::flags()?;
    let options = [&["--locked", "--profile=dist"][..], &layout::PACKAGES].concat();
    match layout {
        Layout::Guessed => Artifacts::build_in(".", &options, &[(FLAGS, flags)]),
        Layout::Guided => guided(&flags, &options),
    }
}

/// Laid out by a profile twice: by the compiler, and after the linker.
fn guided(flags: &str, options: &[&str]) -> Result<Artifacts, Error> {
    tools::require(tools::FOR_REARRANGING)?;
    let host = guide::host()?;
    let options = [options, &["--target", &host]].concat();
    // The same for the build that counts: names differ between builds that differ, and a profile goes by names.
    let flags = flags.to_owned() + rearrange::FLAGS;
    let profile = guide::profile(&flags, &options, rearrange::ENVIRONMENT)?;
    let flags = format!("{flags}\x1f-Cprofile-use={}", profile.display());
    let (name, value) = rearrange::ENVIRONMENT;
    let environment = [(FLAGS, flags), (name, value.to_owned())];
    rearrange::rearrange(&Artifacts::build_in(".", &options, &environment)?)
}

const FLAGS: &str = "CARGO_ENCODED_RUSTFLAGS";

fn wanted(words: &[&str]) -> Result<Wanted, Error> {
    let (layout, words) = match words {
        ["--guided", words @ ..] => (Layout::Guided, words),
        words => (Layout::Guessed, words),
    };
    let key = match words {
        [] => None,
        ["--sign", key] => {
            let found = fs::canonicalize(key);
            Some(found.map_err(|cause| format!("{key}: {cause}"))?)
        }
        _ => return Err("usage: cargo xtask dist [--guided] [--sign KEY]".into()),
    };
    Ok(Wanted { key, layout })
}
