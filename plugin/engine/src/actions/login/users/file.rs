//! The users file, as it is now.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use abi::config::{ConfigPath, Faults};
use tracing::{error, info, warn};

use super::list::Users;

/// A file of users that is read again when it has changed.
#[derive(Debug)]
pub(in super::super) struct UsersFile {
    path: ConfigPath,
    read: Mutex<Read>,
}

#[derive(Debug)]
struct Read {
    stamp: Stamp,
    users: Arc<Users>,
}

/// What changes when a file does: another file under the name, or other content.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Stamp {
    file: (u64, u64),
    len: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl UsersFile {
    /// Reads the file for the first time.
    ///
    /// # Errors
    /// When it cannot be read, or with every line that is wrong.
    pub(in super::super) fn open(path: &ConfigPath) -> Result<Self, Faults> {
        let read = Read::of(path)?;
        read.warn_of_nobody();
        Ok(Self {
            path: path.clone(),
            read: Mutex::new(read),
        })
    }

    /// The users that stand in the file. Blocks on the disk.
    ///
    /// A file that cannot be read, or has a line that is wrong, changes nothing: those who could log in still can. It is
    /// reported each time it has changed.
    pub(in super::super) fn users(&self) -> Arc<Users> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let stamp = Stamp::of(&self.path);
        if stamp.as_ref().is_ok_and(|stamp| *stamp == read.stamp) {
            return Arc::clone(&read.users);
        }
        match Read::of(&self.path) {
            Ok(fresh) => {
                info!(users = fresh.users.len(), "the users file was read again");
                fresh.warn_of_nobody();
                *read = fresh;
            }
            Err(faults) => {
                error!(%faults, "the users file is wrong; those it had before stay");
                if let Ok(stamp) = stamp {
                    read.stamp = stamp;
                }
            }
        }
        Arc::clone(&read.users)
    }
}

impl Read {
    fn warn_of_nobody(&self) {
        if self.users.len() == 0 {
            warn!("the users file has no users: nobody can log in");
        }
    }

    fn of(path: &Path) -> Result<Self, Faults> {
        let at =
            |message: String| Faults::at("usersFile", format!("`{}`: {message}", path.display()));
        // Before the content: what is written in between is read again.
        let stamp = Stamp::of(path).map_err(|error| at(error.to_string()))?;
        let text = fs::read_to_string(path).map_err(|error| at(error.to_string()))?;
        let users = Users::parse(&text).map_err(|errors| {
            let lines = errors.iter().map(|error| at(error.to_string()));
            lines.flatten().collect::<Faults>()
        })?;
        Ok(Self {
            stamp,
            users: Arc::new(users),
        })
    }
}

impl Stamp {
    fn of(path: &Path) -> io::Result<Self> {
        fs::metadata(path).map(|metadata| Self::new(&metadata))
    }

    fn new(metadata: &Metadata) -> Self {
        Self {
            file: (metadata.dev(), metadata.ino()),
            len: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}
