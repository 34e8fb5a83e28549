//! The sums of what is shipped.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::{Error, layout};

/// What they are in.
pub(crate) const FILE: &str = "SHA256SUMS";

/// Writes the sums of all files of a layout beside them, in the form of `sha256sum`, which checks it with `--check`.
///
/// # Errors
/// When a file cannot be read, or the sums cannot be written.
pub(crate) fn write(directory: &Path) -> Result<PathBuf, Error> {
    let mut sums = String::new();
    for file in layout::files(directory)? {
        for byte in Sha256::digest(fs::read(directory.join(&file))?) {
            write!(sums, "{byte:02x}")?;
        }
        writeln!(sums, "  {}", file.display())?;
    }
    let file = directory.join(FILE);
    fs::write(&file, sums)?;
    Ok(file)
}
