//! `cargo xtask dist`

use std::fmt::Write;
use std::fs;
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::{Error, layout, root, step};

/// Lays out what is shipped in `dist/`, from nothing.
///
/// # Errors
/// When something does not build, or the disk does not take it.
pub(crate) fn dist() -> Result<(), Error> {
    let directory = root().join("dist");
    if directory.exists() {
        fs::remove_dir_all(&directory)?;
    }
    layout::lay_out(&directory, "release")?;
    let sums = checksums(&directory)?;
    fs::write(directory.join(SUMS), &sums)?;
    step::announce("dist/ holds");
    eprint!("{sums}");
    Ok(())
}

/// In the form of `sha256sum`, which checks it with `--check`.
fn checksums(directory: &Path) -> Result<String, Error> {
    let mut sums = String::new();
    for file in layout::files(directory)? {
        for byte in Sha256::digest(fs::read(directory.join(&file))?) {
            write!(sums, "{byte:02x}")?;
        }
        writeln!(sums, "  {}", file.display())?;
    }
    Ok(sums)
}

const SUMS: &str = "SHA256SUMS";
