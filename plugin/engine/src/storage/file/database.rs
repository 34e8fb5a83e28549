//! The open file: reads on any thread, changes on one, and opening it anew after a failure.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, TryLockError};

use abi::storage::{Key, Unavailable};
use redb::{ReadableDatabase, WriteTransaction};

use super::fault::{DAMAGED, OpenError, unavailable};
use super::place::Medium;
use super::row::Stored;
use super::tables::{self, Tables};
use crate::session::{Nonce, Timestamp};

/// A database that can be opened again. After a failed write the one that is open refuses everything that is not in
/// its cache, whatever becomes of the disk: so it is closed and opened anew, which also settles whether the failed
/// transaction happened.
pub(super) struct Database {
    current: RwLock<Result<redb::Database, Unavailable>>,
    // Declared last: a temporary directory goes after the file in it was closed.
    medium: Box<dyn Medium>,
}

impl Database {
    pub(super) fn open(medium: impl Medium + 'static) -> Result<Self, OpenError> {
        Ok(Self {
            current: RwLock::new(Ok(opened(&medium, || medium.open())?)),
            medium: Box::new(medium),
        })
    }

    /// Reads a row, dead or alive. Does not wait while the file is opened anew: the caller may be a thread that serves
    /// others.
    pub(super) fn read(&self, key: &Key) -> Result<Option<Stored>, Unavailable> {
        let current = match self.current.try_read() {
            Ok(current) => current,
            Err(TryLockError::Poisoned(current)) => current.into_inner(),
            Err(TryLockError::WouldBlock) => {
                return Err(Unavailable::new("the file is being opened again"));
            }
        };
        let database = current.as_ref().map_err(Clone::clone)?;
        guarded(|| tables::read(&database.begin_read()?, key))
    }

    /// Makes changes in one transaction, which is on the disk when this returns.
    pub(super) fn change<T>(
        &self,
        work: impl FnOnce(&mut Tables<'_>) -> Result<T, redb::Error>,
    ) -> Result<T, Unavailable> {
        self.transact(|transaction| {
            let mut tables = Tables::open(&transaction)?;
            let done = work(&mut tables)?;
            let is_changed = tables.is_changed();
            drop(tables);
            if is_changed {
                transaction.commit()?;
            } else {
                transaction.abort()?;
            }
            Ok(done)
        })
    }

    /// Removes every row and says how many were alive.
    pub(super) fn clear(&self, now: Timestamp) -> Result<u64, Unavailable> {
        self.transact(|transaction| {
            let living = tables::clear(&transaction, now)?;
            transaction.commit()?;
            Ok(living)
        })
    }

    /// Writes a row of its own, reads it back and removes it.
    pub(super) fn probe(&self) -> Result<(), Unavailable> {
        let nonce = Nonce::generate().map_err(|error| Unavailable::new(error.to_string()))?;
        let mark = u64::from_be_bytes(*nonce.as_bytes().first_chunk().unwrap_or(&[0; 8]));
        self.mark(Some(mark))?;
        let read = self.marked()?;
        self.mark(None)?;
        if read != Some(mark) {
            return Err(Unavailable::new(
                "the file does not return what was written",
            ));
        }
        Ok(())
    }

    /// Closes the file and opens it again. Until that has succeeded, nothing else does.
    pub(super) fn reopen(&self) -> Result<(), Unavailable> {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        // Its lock would keep us out.
        close(&mut current);
        let medium = self.medium.as_ref();
        *current = opened(medium, || medium.reopen()).map_err(Unavailable::from);
        current.as_ref().map(drop).map_err(Clone::clone)
    }

    /// Opens the file if the last attempt to do so has failed.
    pub(super) fn open_if_closed(&self) -> Result<(), Unavailable> {
        let is_open = self.reader().is_ok();
        if is_open { Ok(()) } else { self.reopen() }
    }

    /// The file, for the log.
    pub(super) fn file(&self) -> &Path {
        self.medium.file()
    }

    /// Proves that there is room on the disk, without touching the file.
    pub(super) fn try_room(&self) -> Result<(), Unavailable> {
        self.medium
            .try_room()
            .map_err(|error| unavailable(&error.into()))
    }

    fn mark(&self, mark: Option<u64>) -> Result<(), Unavailable> {
        self.transact(|transaction| {
            tables::mark(&transaction, mark)?;
            Ok(transaction.commit()?)
        })
    }

    fn marked(&self) -> Result<Option<u64>, Unavailable> {
        let current = self.reader();
        let database = current.as_ref().map_err(Clone::clone)?;
        guarded(|| tables::marked(&database.begin_read()?))
    }

    /// Nothing is written to a file that nobody would find again: it would be acknowledged and gone with the process, and
    /// another gateway may have made one in its place.
    fn transact<T>(
        &self,
        work: impl FnOnce(WriteTransaction) -> Result<T, redb::Error>,
    ) -> Result<T, Unavailable> {
        if !self.medium.is_in_place() {
            return Err(Unavailable::new("the file was removed or replaced"));
        }
        let current = self.reader();
        let database = current.as_ref().map_err(Clone::clone)?;
        guarded(|| work(database.begin_write()?))
    }

    fn reader(&self) -> RwLockReadGuard<'_, Result<redb::Database, Unavailable>> {
        self.current.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        close(
            self.current
                .get_mut()
                .unwrap_or_else(PoisonError::into_inner),
        );
    }
}

/// Closes what is open, so that the next who opens it need not check all of it.
fn close(current: &mut Result<redb::Database, Unavailable>) {
    let closed = Err(Unavailable::new("the file is closed"));
    let database = std::mem::replace(current, closed);
    // A failure leaves the file as a crash would, and the next who opens it copes with that.
    let _ = catch_unwind(AssertUnwindSafe(|| drop(database)));
}

/// Opens what lies on a medium.
fn opened(
    medium: &dyn Medium,
    open: impl FnOnce() -> Result<redb::Database, OpenError>,
) -> Result<redb::Database, OpenError> {
    catch_unwind(AssertUnwindSafe(open)).unwrap_or_else(|_| {
        let cause = redb::Error::Corrupted("its pages contradict each other".to_owned());
        Err(OpenError::Damaged(medium.file().to_owned(), cause))
    })
}

/// The database checks its pages when it opens a file after a crash, not when it reads them, and may panic on one that
/// rotted. That is an outage like others, here, in [`opened`] and in [`close`].
fn guarded<T>(work: impl FnOnce() -> Result<T, redb::Error>) -> Result<T, Unavailable> {
    // Unwind safe: what was left in the middle is a transaction, and that is gone.
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(done) => done.map_err(|error| unavailable(&error)),
        Err(_) => Err(Unavailable::new(DAMAGED)),
    }
}
