//! The tables of the file, inside one transaction.

use std::path::Path;

use abi::storage::Key;
use redb::{
    Database, ReadTransaction, ReadableDatabase, ReadableTable, Table, TableDefinition, TableError,
    WriteTransaction,
};

use super::fault::OpenError;
use super::row::{Change, Stored};
use crate::session::Timestamp;

/// Rows by key.
const ROWS: TableDefinition<'_, &[u8; 32], &[u8]> = TableDefinition::new("rows");
/// The keys of all rows by their end, so that a sweep finds the dead without looking at the living. A row has exactly
/// one entry here; both are written in one transaction.
const ENDS: TableDefinition<'_, (u64, &[u8; 32]), ()> = TableDefinition::new("ends");
/// The number of the format, [`FORMAT`]. Its own table, so that any release can read it from a file of any other.
const FORMATS: TableDefinition<'_, (), u64> = TableDefinition::new("format");
/// Where a probe leaves its mark. Not among the rows, so that nobody counts it.
const PROBES: TableDefinition<'_, (), u64> = TableDefinition::new("probe");

const FORMAT: u64 = 1;

/// Rows under change. Nothing of it is seen by others, or survives, before the transaction is committed.
pub(super) struct Tables<'a> {
    rows: Table<'a, &'static [u8; 32], &'static [u8]>,
    ends: Table<'a, (u64, &'static [u8; 32]), ()>,
    is_changed: bool,
}

impl<'a> Tables<'a> {
    /// Opens them for a change.
    pub(super) fn open(transaction: &'a WriteTransaction) -> Result<Self, redb::Error> {
        Ok(Self {
            rows: transaction.open_table(ROWS)?,
            ends: transaction.open_table(ENDS)?,
            is_changed: false,
        })
    }

    /// Whether there is anything to commit.
    pub(super) const fn is_changed(&self) -> bool {
        self.is_changed
    }

    /// Makes a change, if what is there is what was expected. Says whether it was made.
    pub(super) fn apply(&mut self, change: &Change, now: Timestamp) -> Result<bool, redb::Error> {
        let current = self.rows.get(change.key.as_bytes())?;
        let current = current.and_then(|value| Stored::decode(value.value()));
        if !change.fits(current.and_then(|stored| stored.version(now))) {
            return Ok(false);
        }
        self.put(&change.key, &change.stored)?;
        Ok(true)
    }

    /// Writes a row, whatever is there.
    pub(super) fn put(&mut self, key: &Key, stored: &Stored) -> Result<(), redb::Error> {
        let key = key.as_bytes();
        let value = stored.encode();
        let replaced = self.rows.insert(key, value.as_slice())?;
        if let Some(old) = replaced.and_then(|old| Stored::decode(old.value())) {
            self.ends.remove((old.end.as_millis(), key))?;
        }
        self.ends.insert((stored.end.as_millis(), key), ())?;
        self.is_changed = true;
        Ok(())
    }

    /// Removes rows whose time has run out, at most so many. Says how many.
    pub(super) fn sweep(&mut self, now: Timestamp, at_most: usize) -> Result<usize, redb::Error> {
        let due = self.due(now, at_most)?;
        for (end, key) in &due {
            self.ends.remove((*end, key))?;
            self.rows.remove(key)?;
            self.is_changed = true;
        }
        Ok(due.len())
    }

    fn due(&self, now: Timestamp, at_most: usize) -> Result<Vec<(u64, [u8; 32])>, redb::Error> {
        let entries = self.ends.range(..=(now.as_millis(), LAST_KEY))?;
        entries
            .take(at_most)
            .map(|entry| {
                let entry = entry?.0;
                let (end, key) = entry.value();
                Ok((end, *key))
            })
            .collect()
    }

    fn living(&self, now: Timestamp) -> Result<u64, redb::Error> {
        let dead = self.ends.range(..=(now.as_millis(), LAST_KEY))?.count();
        Ok(redb::ReadableTableMetadata::len(&self.ends)? - dead as u64)
    }
}

/// Reads a row, dead or alive.
pub(super) fn read(
    transaction: &ReadTransaction,
    key: &Key,
) -> Result<Option<Stored>, redb::Error> {
    let rows = transaction.open_table(ROWS)?;
    let value = rows.get(key.as_bytes())?;
    Ok(value.and_then(|value| Stored::decode(value.value())))
}

/// Removes every row and says how many were alive.
pub(super) fn clear(transaction: &WriteTransaction, now: Timestamp) -> Result<u64, redb::Error> {
    let living = Tables::open(transaction)?.living(now)?;
    transaction.delete_table(ROWS)?;
    transaction.delete_table(ENDS)?;
    Tables::open(transaction)?;
    Ok(living)
}

/// Leaves a mark, or takes it away.
pub(super) fn mark(transaction: &WriteTransaction, mark: Option<u64>) -> Result<(), redb::Error> {
    let mut probes = transaction.open_table(PROBES)?;
    match mark {
        Some(mark) => probes.insert((), mark)?,
        None => probes.remove(())?,
    };
    Ok(())
}

/// The mark, if one was left.
pub(super) fn marked(transaction: &ReadTransaction) -> Result<Option<u64>, redb::Error> {
    let probes = transaction.open_table(PROBES)?;
    Ok(probes.get(())?.map(|mark| mark.value()))
}

/// Makes the tables of a new file.
pub(super) fn create(database: &Database) -> Result<(), redb::Error> {
    let transaction = database.begin_write()?;
    Tables::open(&transaction)?;
    transaction.open_table(FORMATS)?.insert((), FORMAT)?;
    transaction.commit()?;
    Ok(())
}

/// Checks that a database is one of ours, in a format that we know.
pub(super) fn check(database: &Database, file: &Path) -> Result<(), OpenError> {
    let damaged = |error: redb::Error| OpenError::Damaged(file.to_owned(), error);
    let transaction = database
        .begin_read()
        .map_err(|error| damaged(error.into()))?;
    let formats = match transaction.open_table(FORMATS) {
        Ok(formats) => formats,
        Err(TableError::Storage(error)) => return Err(damaged(error.into())),
        Err(_) => return Err(OpenError::Foreign(file.to_owned())),
    };
    let format = formats.get(()).map_err(|error| damaged(error.into()))?;
    match format.map(|format| format.value()) {
        Some(FORMAT) => {}
        Some(format) => {
            return Err(OpenError::Newer {
                file: file.to_owned(),
                format,
                known: FORMAT,
            });
        }
        None => return Err(OpenError::Foreign(file.to_owned())),
    }
    transaction
        .open_table(ROWS)
        .map_err(|error| damaged(error.into()))?;
    transaction
        .open_table(ENDS)
        .map_err(|error| damaged(error.into()))?;
    Ok(())
}

const LAST_KEY: &[u8; 32] = &[0xff; 32];
