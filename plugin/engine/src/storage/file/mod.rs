//! Rows in a file of this machine: kept over restarts and crashes, and open to one gateway at a time.
//!
//! Reads happen on the thread that asks, in microseconds. Changes are made by one thread, which commits whatever waits
//! when it gets to it in one transaction (`writer.rs`). A comparison is made inside that transaction, or, with
//! `durability: everySecond`, on the rows that are about to be committed (`overlay.rs`).
//!
//! A transaction is on the disk as a whole or not at all. After a crash, opening reads the whole file once: about two
//! seconds for each gigabyte that the system has in its cache.

mod config;
mod database;
mod fault;
mod look;
mod overlay;
mod place;
mod queue;
mod row;
mod tables;
mod writer;

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use abi::Maybe;
use abi::config::Faults;
use abi::storage::{Expected, Key, Loaded, Row, Storage, Unavailable, Written};

use self::database::Database;
use self::overlay::Overlay;
use self::place::{Medium, Place};
use self::queue::Queue;
use self::row::{Change, Stored};
use self::writer::{Pace, Writer};
use crate::clock::Clock;
use crate::runtime::{self, Thread};

pub use config::{Durability, FileConfig};
pub(super) use look::Unopened;

/// Keeps rows in a file. Dropping it waits until everything that was acknowledged is on the disk.
pub struct FileStorage {
    database: Arc<Database>,
    queue: Arc<Queue>,
    /// With `everySecond`: where rows are until they are in the file.
    overlay: Option<Arc<Overlay>>,
    clock: Arc<dyn Clock>,
    _writer: Thread,
}

impl FileStorage {
    /// Opens the file, or makes it.
    ///
    /// # Errors
    /// When there is no such directory and none can be made, when the file cannot be used, is no file of ours, or is
    /// in use by somebody else.
    pub fn open(config: &FileConfig, clock: Arc<dyn Clock>) -> Result<Self, Faults> {
        let place = Place::find(&config.path)?;
        Self::on(place, config.durability, clock, Pace::default())
    }

    fn on(
        medium: impl Medium + 'static,
        durability: Durability,
        clock: Arc<dyn Clock>,
        pace: Pace,
    ) -> Result<Self, Faults> {
        let database = Arc::new(Database::open(medium)?);
        let queue = Arc::new(Queue::default());
        let overlay = match durability {
            Durability::EveryWrite => None,
            Durability::EverySecond => Some(Arc::new(Overlay::new(Arc::clone(&database)))),
        };
        let writer = Writer {
            database: Arc::clone(&database),
            queue: Arc::clone(&queue),
            overlay: overlay.clone(),
            clock: Arc::clone(&clock),
            pace,
        };
        let failed = |error: io::Error| Faults::at("", format!("cannot start a thread: {error}"));
        Ok(Self {
            _writer: runtime::thread("session-file", move || writer.run()).map_err(failed)?,
            database,
            queue,
            overlay,
            clock,
        })
    }

    fn read(&self, key: &Key) -> Result<Option<Row>, Unavailable> {
        let stored = match &self.overlay {
            Some(overlay) => overlay.read(key),
            None => self.database.read(key),
        };
        // The thread that writes also opens the file anew when it must be.
        let stored = stored.inspect_err(|_| self.queue.stir())?;
        Ok(stored.and_then(|stored| stored.living(self.clock.now())))
    }

    /// Acknowledges a change before it is in the file.
    fn acknowledge(&self, overlay: &Overlay, change: Change) -> Result<bool, Unavailable> {
        // While nothing can be committed nothing is acknowledged: it would be more than a second's worth before long.
        self.queue.admits()?;
        let done = overlay.apply(change, self.clock.now());
        self.queue.stir();
        done
    }
}

impl Storage for FileStorage {
    fn load<'a>(&'a self, key: &'a Key) -> Maybe<'a, Loaded<Row>> {
        match self.read(key) {
            Ok(row) => row.map_or(Loaded::Absent, Loaded::Found),
            Err(cause) => Loaded::Unavailable(cause),
        }
        .into()
    }

    fn write<'a>(
        &'a self,
        key: &'a Key,
        expected: Expected,
        row: Row,
        keep: Duration,
    ) -> Maybe<'a, Written> {
        let end = self.clock.now().after(keep);
        let change = Change {
            key: *key,
            expected,
            stored: Stored { end, row },
        };
        match &self.overlay {
            Some(overlay) => written(self.acknowledge(overlay, change)).into(),
            None => Maybe::task(async move {
                let put = |batch: &mut queue::Batch, reply| batch.writes.push((change, reply));
                written(self.queue.ask(put).await)
            }),
        }
    }

    fn probe(&self) -> Maybe<'_, Result<(), Unavailable>> {
        Maybe::task(self.queue.ask(|batch, reply| batch.probes.push(reply)))
    }

    fn reset(&self) -> Maybe<'_, Result<u64, Unavailable>> {
        Maybe::task(self.queue.ask(|batch, reply| batch.resets.push(reply)))
    }
}

/// Tells the thread that writes to finish. Its own drop waits for that.
impl Drop for FileStorage {
    fn drop(&mut self) {
        self.queue.close();
    }
}

impl fmt::Debug for FileStorage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileStorage")
            .field("file", &self.database.file())
            .finish_non_exhaustive()
    }
}

fn written(done: Result<bool, Unavailable>) -> Written {
    match done {
        Ok(true) => Written::Done,
        Ok(false) => Written::Conflict,
        Err(cause) => Written::Unavailable(cause),
    }
}

#[cfg(test)]
pub(crate) mod tests;
