//! Whether a storage could be opened, found out without opening it: another gateway may be using it.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _};
use std::path::Path;
use std::time::Duration;

use abi::Maybe;
use abi::config::Faults;
use abi::storage::{Expected, Key, Loaded, Row, Storage, Unavailable, Written};

use super::FileConfig;
use super::fault::OpenError;
use super::place::FILE;

/// A storage that was looked at. Nothing is made, nothing is locked, and it keeps nothing.
#[derive(Debug)]
pub(in crate::storage) struct Unopened;

impl Unopened {
    /// Looks at what is there.
    ///
    /// # Errors
    /// When opening would fail. What is wrong in the middle of a file is found only by who opens it.
    pub(in crate::storage) fn look(config: &FileConfig) -> Result<Self, Faults> {
        match config.path.as_os_str().is_empty() {
            true => try_room(&std::env::temp_dir()).map_err(OpenError::Temporary)?,
            false => directory(&config.path)?,
        }
        Ok(Self)
    }
}

fn directory(path: &Path) -> Result<(), OpenError> {
    if !path.exists() {
        let parent = path.ancestors().find(|parent| parent.exists());
        let made = try_room(parent.unwrap_or(path));
        return made.map_err(|error| OpenError::Directory(path.to_owned(), error));
    }
    if !path.is_dir() {
        return Err(OpenError::NotDirectory(path.to_owned()));
    }
    let file = path.join(FILE);
    let inaccessible = |error| OpenError::Inaccessible(file.clone(), error);
    try_room(path).map_err(inaccessible)?;
    match OpenOptions::new().read(true).write(true).open(&file) {
        Ok(opened) if is_ours(&opened).map_err(inaccessible)? => Ok(()),
        Ok(_) => Err(OpenError::Foreign(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(inaccessible(error)),
    }
}

/// A file without a name: it is gone with its handle.
fn try_room(directory: &Path) -> io::Result<()> {
    tempfile::tempfile_in(directory).map(drop)
}

fn is_ours(file: &File) -> io::Result<bool> {
    let mut beginning = Vec::new();
    file.take(MAGIC.len() as u64).read_to_end(&mut beginning)?;
    Ok(beginning == MAGIC)
}

impl Storage for Unopened {
    fn load<'a>(&'a self, _: &'a Key) -> Maybe<'a, Loaded<Row>> {
        Loaded::Unavailable(unopened()).into()
    }

    fn write<'a>(&'a self, _: &'a Key, _: Expected, _: Row, _: Duration) -> Maybe<'a, Written> {
        Written::Unavailable(unopened()).into()
    }

    fn probe(&self) -> Maybe<'_, Result<(), Unavailable>> {
        Err(unopened()).into()
    }

    fn reset(&self) -> Maybe<'_, Result<u64, Unavailable>> {
        Err(unopened()).into()
    }
}

fn unopened() -> Unavailable {
    Unavailable::new("it was only looked at")
}

// How every file of the database begins, whatever its format.
const MAGIC: [u8; 9] = *b"redb\x1a\x0a\xa9\x0d\x0a";
