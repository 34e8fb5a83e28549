mod crash;
mod disk;
mod failing;
mod looking;
mod opening;
mod sweep;

use std::fs;
use std::path::Path;

use abi::config::ConfigPath;
use abi::testing::TestGateway;
use tempfile::TempDir;

use super::*;
use crate::clock::ManualClock;
use crate::session::{Keyring, Timestamp};
use crate::storage::conformance::{Subject, block_on};
use crate::storage::{Encoded, Rows};

mod every_write {
    crate::conformance_suite!(super::FileSubject::every_write);
}

mod every_second {
    crate::conformance_suite!(super::FileSubject::every_second);
}

#[test]
fn a_load_is_there_at_once() {
    for durability in BOTH {
        let bench = Bench::open(durability);
        bench.put(1);

        assert!(matches!(
            bench.storage.load(&key(1)),
            Maybe::Ready(Loaded::Found(_))
        ));
    }
}

/// A storage in a directory of its own, with a clock that stands still.
struct Bench {
    storage: FileStorage,
    clock: Arc<ManualClock>,
    directory: TempDir,
}

impl Bench {
    fn open(durability: Durability) -> Self {
        Self::with(durability, Pace::default())
    }

    fn with(durability: Durability, pace: Pace) -> Self {
        Self::in_directory(directory(), durability, pace)
    }

    fn in_directory(directory: TempDir, durability: Durability, pace: Pace) -> Self {
        let clock = Arc::new(ManualClock::new(START));
        let place = Place::find(directory.path()).unwrap();
        Self {
            storage: FileStorage::on(place, durability, clock.clone(), pace).unwrap(),
            clock,
            directory,
        }
    }

    /// Closes the storage and opens what it left.
    fn restart(self, durability: Durability) -> Self {
        let Self {
            storage, directory, ..
        } = self;
        drop(storage);
        Self::in_directory(directory, durability, Pace::default())
    }

    /// Opens a copy of the file as it is now: what a crash at this moment would leave.
    fn crash(&self) -> Self {
        let left = directory();
        fs::copy(file(self.directory.path()), file(left.path())).unwrap();
        Self::in_directory(left, Durability::EveryWrite, Pace::default())
    }

    #[track_caller]
    fn put(&self, number: usize) {
        assert_eq!(self.write(number, Expected::Absent, 1), Written::Done);
    }

    fn write(&self, number: usize, expected: Expected, version: u64) -> Written {
        self.keep(number, expected, version, HOUR)
    }

    fn keep(&self, number: usize, expected: Expected, version: u64, keep: Duration) -> Written {
        block_on(
            self.storage
                .write(&key(number), expected, row(version), keep)
                .wait(),
        )
    }

    fn load(&self, number: usize) -> Loaded<Row> {
        block_on(self.storage.load(&key(number)).wait())
    }

    /// Whether the file has a row, dead or alive.
    fn file_has(&self, number: usize) -> Result<bool, Unavailable> {
        Ok(self.storage.database.read(&key(number))?.is_some())
    }
}

/// A storage for the suite that all storages pass.
pub(crate) struct FileSubject {
    rows: Arc<Encoded<FileStorage>>,
    clock: Arc<ManualClock>,
    _directory: TempDir,
}

impl FileSubject {
    pub(crate) fn every_write() -> Self {
        Self::open(Durability::EveryWrite)
    }

    pub(crate) fn every_second() -> Self {
        Self::open(Durability::EverySecond)
    }

    fn open(durability: Durability) -> Self {
        let Bench {
            storage,
            clock,
            directory,
        } = Bench::open(durability);
        let services = TestGateway::new().services();
        let rows = Encoded::new(storage, "File", Keyring::plain(), &services);
        Self {
            rows: Arc::new(rows),
            clock,
            _directory: directory,
        }
    }
}

impl Subject for FileSubject {
    fn rows(&self) -> Arc<dyn Rows> {
        self.rows.clone()
    }

    fn clock(&self) -> Option<&ManualClock> {
        Some(&self.clock)
    }
}

/// In memory where the system offers that: what these tests show does not depend on how slow a disk is.
fn directory() -> TempDir {
    TempDir::new_in("/dev/shm")
        .or_else(|_| TempDir::new())
        .unwrap()
}

fn file(directory: &Path) -> std::path::PathBuf {
    directory.join("sessions.redb")
}

fn config(path: &Path) -> FileConfig {
    FileConfig {
        path: ConfigPath::new(path),
        ..FileConfig::default()
    }
}

fn row(version: u64) -> Row {
    Row {
        version,
        payload: b"payload".to_vec(),
    }
}

fn key(number: usize) -> Key {
    let mut bytes = [7; 32];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    Key::new(bytes)
}

/// Asks again until it is so. Something on another thread is about to make it so.
#[track_caller]
fn eventually(mut is_so: impl FnMut() -> bool) {
    let began = std::time::Instant::now();
    while !is_so() {
        assert!(
            began.elapsed() < Duration::from_secs(30),
            "it never happens"
        );
        std::thread::yield_now();
    }
}

const BOTH: [Durability; 2] = [Durability::EveryWrite, Durability::EverySecond];
const START: Timestamp = Timestamp::from_millis(1_000_000_000);
const HOUR: Duration = Duration::from_secs(3600);
const SECOND: Duration = Duration::from_secs(1);
/// Nothing happens by itself.
const NEVER: Pace = Pace {
    commit: HOUR,
    sweep: HOUR,
    retry: HOUR,
};
/// Everything happens as soon as it can.
const AT_ONCE: Pace = Pace {
    commit: Duration::ZERO,
    sweep: Duration::from_millis(1),
    retry: Duration::from_millis(1),
};
