//! Where the file is, and how it comes to be there.
//!
//! A directory of the storage's own:
//!
//! ```text
//! sessions.redb        the rows; whoever has it open holds its lock
//! sessions.redb.new    a file that is being made; a crash may leave it, and the next start begins it anew
//! ```

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use redb::{Builder, Database, DatabaseError, RepairSession, StorageError};
use tempfile::TempDir;
use tracing::info;

use super::fault::OpenError;
use super::tables;

/// What a database lies on.
pub(super) trait Medium: Send + Sync {
    /// Where it is, for the log.
    fn file(&self) -> &Path;

    /// Opens the database, or makes a new one.
    fn open(&self) -> Result<Database, OpenError>;

    /// Opens the database that was opened before. If it is gone, so are the sessions in it: that is an outage, and must
    /// not become an empty database in which everybody is a stranger.
    fn reopen(&self) -> Result<Database, OpenError>;

    /// Whether the file that was opened last still lies where it is.
    fn is_in_place(&self) -> bool {
        true
    }

    /// Proves that something can be written, without touching the database.
    fn try_room(&self) -> io::Result<()>;
}

/// The device and the number of a file, which stay while it is renamed or removed.
type Identity = (u64, u64);

/// A directory with one file.
#[derive(Debug)]
pub(super) struct Place {
    directory: PathBuf,
    file: PathBuf,
    /// Which file was opened last, whatever lies at its path by now.
    opened: Mutex<Option<Identity>>,
    // Removed with everything in it when this is dropped.
    _temporary: Option<TempDir>,
}

impl Place {
    /// The directory at `path`, made if it is not there; a fresh temporary one when the path is empty.
    pub(super) fn find(path: &Path) -> Result<Self, OpenError> {
        if path.as_os_str().is_empty() {
            return Self::temporary();
        }
        if path.exists() && !path.is_dir() {
            return Err(OpenError::NotDirectory(path.to_owned()));
        }
        let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
        made.map_err(|error| OpenError::Directory(path.to_owned(), error))?;
        Ok(Self::in_directory(path, None))
    }

    fn temporary() -> Result<Self, OpenError> {
        let directory = tempfile::Builder::new().prefix("sessions-").tempdir();
        let directory = directory.map_err(OpenError::Temporary)?;
        info!(
            path = %directory.path().display(),
            "sessions are kept in a temporary directory and go with this gateway"
        );
        let path = directory.path().to_owned();
        Ok(Self::in_directory(&path, Some(directory)))
    }

    fn in_directory(directory: &Path, temporary: Option<TempDir>) -> Self {
        Self {
            directory: directory.to_owned(),
            file: directory.join(FILE),
            opened: Mutex::default(),
            _temporary: temporary,
        }
    }

    /// Makes the file under another name first: a crash in the middle must not leave something under the real name
    /// that nobody can open. The lock belongs to the file and goes with it through the renaming.
    fn make(&self) -> Result<Database, OpenError> {
        let draft = self.directory.join("sessions.redb.new");
        let inaccessible = |error| OpenError::Inaccessible(draft.clone(), error);
        let file = open_or_create(&draft).map_err(inaccessible)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(OpenError::InUse(self.file.clone())),
            Err(TryLockError::Error(error)) => return Err(inaccessible(error)),
        }
        if self.is_made()? {
            // Another gateway was faster, and this is what it renamed or a draft that nobody needs.
            drop(file);
            let _ = fs::remove_file(&draft);
            return self.reopen();
        }
        // Whatever a crash left in it.
        file.set_len(0).map_err(inaccessible)?;
        let damaged = |error| OpenError::Damaged(draft.clone(), error);
        let database = builder()
            .create_file(file)
            .map_err(|error| damaged(error.into()))?;
        tables::create(&database).map_err(damaged)?;
        fs::rename(&draft, &self.file).map_err(inaccessible)?;
        // The name has to be as durable as what it names.
        File::open(&self.directory)
            .and_then(|directory| directory.sync_all())
            .map_err(inaccessible)?;
        Ok(database)
    }

    fn identity(&self) -> Option<Identity> {
        let metadata = fs::metadata(&self.file).ok()?;
        Some((metadata.dev(), metadata.ino()))
    }

    fn opened(&self) -> MutexGuard<'_, Option<Identity>> {
        self.opened.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_made(&self) -> Result<bool, OpenError> {
        let exists = self.file.try_exists();
        exists.map_err(|error| OpenError::Inaccessible(self.file.clone(), error))
    }
}

impl Medium for Place {
    fn file(&self) -> &Path {
        &self.file
    }

    fn open(&self) -> Result<Database, OpenError> {
        if self.is_made()? {
            return self.reopen();
        }
        let database = self.make()?;
        *self.opened() = self.identity();
        Ok(database)
    }

    fn reopen(&self) -> Result<Database, OpenError> {
        let database = builder()
            .open(&self.file)
            .map_err(|error| classify(&self.file, error))?;
        tables::check(&database, &self.file)?;
        *self.opened() = self.identity();
        Ok(database)
    }

    fn is_in_place(&self) -> bool {
        let found = self.identity();
        found.is_some() && found == *self.opened()
    }

    fn try_room(&self) -> io::Result<()> {
        let mut file = tempfile::tempfile_in(&self.directory)?;
        file.write_all(&[0; ROOM])?;
        file.sync_all()
    }
}

fn builder() -> Builder {
    let mut builder = Database::builder();
    builder.set_cache_size(CACHE);
    builder.set_repair_callback(|repair: &mut RepairSession| {
        if repair.progress() == 0.0 {
            info!("the file of sessions was not closed by who had it last and is checked");
        }
    });
    builder
}

fn open_or_create(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
}

fn classify(file: &Path, error: DatabaseError) -> OpenError {
    let file = file.to_owned();
    match error {
        DatabaseError::DatabaseAlreadyOpen => OpenError::InUse(file),
        DatabaseError::UpgradeRequired(_) => OpenError::Foreign(file),
        DatabaseError::Storage(StorageError::Io(error)) => match error.kind() {
            // How the database says that the first bytes are not its own.
            ErrorKind::InvalidData => OpenError::Foreign(file),
            ErrorKind::UnexpectedEof => OpenError::Damaged(file, redb::Error::Io(error)),
            _ => OpenError::Inaccessible(file, error),
        },
        other => OpenError::Damaged(file, other.into()),
    }
}

/// Enough for the pages that active sessions lie on and for all pages above them. What does not fit is in the page
/// cache of the system, a microsecond further away: measured with 100,000 rows of 600 bytes, four times as much cache
/// saves a sixth of a load.
const CACHE: usize = 64 * 1024 * 1024;
/// Its name in the directory.
pub(super) const FILE: &str = "sessions.redb";
/// In bytes. More than a small commit takes, so that room for this is room for one.
const ROOM: usize = 256 * 1024;
