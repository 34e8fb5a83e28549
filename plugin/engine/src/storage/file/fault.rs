//! What goes wrong with a file, in words.

use std::error::Error;
use std::io;
use std::path::PathBuf;

use abi::config::Faults;
use abi::storage::Unavailable;

/// Why the file cannot be used at all.
#[derive(Debug, thiserror::Error)]
pub(super) enum OpenError {
    /// The content was ours once.
    #[error("`{file}` is damaged; restore it, or remove it to begin without sessions", file = .0.display())]
    Damaged(PathBuf, #[source] redb::Error),
    /// The directory is not there and cannot be made.
    #[error("cannot make the directory `{directory}`", directory = .0.display())]
    Directory(PathBuf, #[source] io::Error),
    /// The content is not ours.
    #[error("`{file}` is no file of this storage and was left as it is", file = .0.display())]
    Foreign(PathBuf),
    /// The system does not let us.
    #[error("cannot read and write `{file}`", file = .0.display())]
    Inaccessible(PathBuf, #[source] io::Error),
    /// Somebody holds the lock.
    #[error("`{file}` is in use by another gateway", file = .0.display())]
    InUse(PathBuf),
    /// A later release changed the format.
    #[error("`{file}` has format {format}, and this release knows only {known}", file = .file.display())]
    Newer {
        file: PathBuf,
        format: u64,
        known: u64,
    },
    /// A file stands where the directory should be.
    #[error("`{path}` is not a directory; the storage makes its file in one of its own", path = .0.display())]
    NotDirectory(PathBuf),
    /// There is no place for a temporary directory.
    #[error("cannot make a temporary directory")]
    Temporary(#[source] io::Error),
}

impl From<OpenError> for Faults {
    fn from(error: OpenError) -> Self {
        Self::at("path", chain(&error))
    }
}

impl From<OpenError> for Unavailable {
    fn from(error: OpenError) -> Self {
        Self::new(chain(&error))
    }
}

/// Why an operation failed. The texts of the database name no key and no payload.
pub(super) fn unavailable(error: &redb::Error) -> Unavailable {
    match error {
        redb::Error::Io(cause) => Unavailable::new(format!("the file cannot be used: {cause}")),
        redb::Error::PreviousIo => {
            Unavailable::new("the file cannot be used since an earlier failure")
        }
        // What a panic leaves behind.
        redb::Error::LockPoisoned(_) => Unavailable::new(DAMAGED),
        other => Unavailable::new(format!("{DAMAGED}: {other}")),
    }
}

/// Pages contradict each other.
pub(super) const DAMAGED: &str = "the file is damaged";

/// An error with its causes.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}
