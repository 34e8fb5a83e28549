//! A disk that can be filled and that counts.

use std::fs::File;
use std::io;
use std::ops::Bound;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use redb::backends::FileBackend;
use redb::{BackendError, Database, StorageBackend};

use super::super::fault::OpenError;
use super::super::place::{Medium, Place};

/// A real directory on which nothing can be written while it is full.
#[derive(Clone, Debug)]
pub(super) struct Disk {
    place: Arc<Place>,
    state: Arc<State>,
}

#[derive(Debug, Default)]
struct State {
    is_full: AtomicBool,
    syncs: AtomicU64,
}

#[derive(Debug)]
struct Backend {
    file: FileBackend,
    state: Arc<State>,
}

impl Disk {
    pub(super) fn at(directory: &Path) -> Self {
        Self {
            place: Arc::new(Place::find(directory).unwrap()),
            state: Arc::default(),
        }
    }

    pub(super) fn fill(&self) {
        self.state.is_full.store(true, Ordering::Relaxed);
    }

    pub(super) fn empty(&self) {
        self.state.is_full.store(false, Ordering::Relaxed);
    }

    /// How often something was waited for to be on the disk.
    pub(super) fn syncs(&self) -> u64 {
        self.state.syncs.load(Ordering::Relaxed)
    }
}

impl Medium for Disk {
    fn file(&self) -> &Path {
        self.place.file()
    }

    fn open(&self) -> Result<Database, OpenError> {
        // Makes the file, in the way that is under test elsewhere.
        drop(self.place.open()?);
        self.reopen()
    }

    fn reopen(&self) -> Result<Database, OpenError> {
        let inaccessible = |error| OpenError::Inaccessible(self.file().to_owned(), error);
        let file = File::options()
            .read(true)
            .write(true)
            .open(self.file())
            .map_err(inaccessible)?;
        let backend = Backend {
            file: FileBackend::new(file).unwrap(),
            state: Arc::clone(&self.state),
        };
        Ok(Database::builder().create_with_backend(backend).unwrap())
    }

    fn try_room(&self) -> io::Result<()> {
        self.state.room()
    }
}

impl State {
    fn room(&self) -> io::Result<()> {
        if self.is_full.load(Ordering::Relaxed) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(())
    }
}

impl StorageBackend for Backend {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.file.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.state.syncs.fetch_add(1, Ordering::Relaxed);
        self.file.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        // The first page is there already and can always be written; the rest may need room.
        if offset > 0 {
            self.state.room()?;
        }
        self.file.write(offset, data)
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.try_lock_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.unlock_range(start, end)
    }

    fn close(&self) -> io::Result<()> {
        self.file.close()
    }
}
