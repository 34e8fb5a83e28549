//! People at work on a cluster that changes under them.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use abi::storage::{Expected, Key, Loaded, Written};

use super::bench::{Gateway, key, slot};
use crate::storage::redis::server::{RedisCluster, until};

/// Many rows, each written by one gateway and read by another, over and over.
pub(super) struct Load {
    writer: Arc<Gateway>,
    reader: Arc<Gateway>,
    rows: Arc<[Row]>,
    is_over: Arc<AtomicBool>,
    workers: Vec<JoinHandle<()>>,
}

/// A row and what its worker has seen of it.
pub(super) struct Row {
    pub(super) key: Key,
    /// The last version whose write was acknowledged, or that was read after one whose fate nobody knew.
    last: AtomicU64,
    is_unsure: AtomicBool,
    /// The last version that the reader has seen.
    seen: AtomicU64,
    /// How many writes were acknowledged and read back by the other gateway.
    rounds: AtomicU64,
    failures: Mutex<BTreeSet<String>>,
}

impl Load {
    /// Begins with rows that are there, at version 1.
    pub(super) fn begin(writer: &Arc<Gateway>, reader: &Arc<Gateway>) -> Self {
        let rows: Arc<[Row]> = (0..ROWS).map(Row::new).collect();
        for row in &*rows {
            assert_eq!(writer.write(row.key, Expected::Absent, 1), Written::Done);
        }
        let is_over = Arc::new(AtomicBool::new(false));
        let worker = |worker| {
            let (writer, reader) = (Arc::clone(writer), Arc::clone(reader));
            let (rows, is_over) = (Arc::clone(&rows), Arc::clone(&is_over));
            thread::spawn(move || {
                while !is_over.load(Ordering::Relaxed) {
                    for row in rows.iter().skip(worker).step_by(WORKERS) {
                        row.work(&writer, &reader);
                    }
                }
            })
        };
        Self {
            writer: Arc::clone(writer),
            reader: Arc::clone(reader),
            workers: (0..WORKERS).map(worker).collect(),
            rows,
            is_over,
        }
    }

    pub(super) fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// Which of the rows are on the node of this number.
    pub(super) fn rows_of(&self, cluster: &RedisCluster, node: usize) -> Vec<bool> {
        let is_there = |row: &Row| cluster.owner(row.slot()) == node;
        self.rows.iter().map(is_there).collect()
    }

    /// Waits until each row was written and read several times more.
    #[track_caller]
    pub(super) fn go_on(&self) {
        let rounds = |row: &Row| row.rounds.load(Ordering::Relaxed);
        let before: Vec<_> = self.rows.iter().map(rounds).collect();
        until("work to go on", || {
            let mut rows = self.rows.iter().zip(&before);
            rows.all(|(row, before)| rounds(row) >= before + 3)
        });
    }

    /// What is acknowledged by now.
    pub(super) fn versions(&self) -> Vec<u64> {
        self.rows.iter().map(Row::last).collect()
    }

    /// Ends the work. Then both gateways see every row as it was written last.
    #[track_caller]
    pub(super) fn end(mut self) -> Ended {
        self.is_over.store(true, Ordering::Relaxed);
        for worker in self.workers.drain(..) {
            worker
                .join()
                .expect("a worker that found nothing impossible");
        }
        for row in &*self.rows {
            until("an end of doubt", || {
                row.is_unsure
                    .load(Ordering::Relaxed)
                    .then(|| row.look(&self.writer));
                !row.is_unsure.load(Ordering::Relaxed)
            });
            for gateway in [&self.writer, &self.reader] {
                let last = Some(row.last());
                until("the last version of a row", || {
                    version(gateway, row.key) == last
                });
            }
        }
        Ended {
            versions: self.versions(),
            failures: self.rows.iter().map(Row::failures).collect(),
        }
    }
}

/// What came of the work, row by row.
pub(super) struct Ended {
    pub(super) versions: Vec<u64>,
    pub(super) failures: Vec<BTreeSet<String>>,
}

impl Ended {
    #[track_caller]
    pub(super) fn assert_unnoticed(&self) {
        self.assert_unnoticed_unless(&vec![false; self.failures.len()]);
    }

    /// Nobody met a failure, but for the rows that were hit.
    #[track_caller]
    pub(super) fn assert_unnoticed_unless(&self, hit: &[bool]) {
        for (failures, _) in self.failures.iter().zip(hit).filter(|(_, hit)| !**hit) {
            assert!(failures.is_empty(), "{failures:?}");
        }
    }

    /// No row is older than it was.
    #[track_caller]
    pub(super) fn assert_kept(&self, before: &[u64]) {
        assert!(
            self.versions
                .iter()
                .zip(before)
                .all(|(now, before)| now >= before)
        );
    }
}

impl Row {
    fn new(seed: u64) -> Self {
        Self {
            key: key(seed),
            last: AtomicU64::new(1),
            is_unsure: AtomicBool::new(false),
            seen: AtomicU64::new(0),
            rounds: AtomicU64::new(0),
            failures: Mutex::default(),
        }
    }

    pub(super) fn slot(&self) -> u16 {
        slot(&self.key)
    }

    fn last(&self) -> u64 {
        self.last.load(Ordering::Relaxed)
    }

    fn failures(&self) -> BTreeSet<String> {
        self.failures.lock().unwrap().clone()
    }

    fn failed(&self, how: impl Into<String>) {
        self.failures.lock().unwrap().insert(how.into());
    }

    /// Writes the next version and reads it with the other gateway.
    fn work(&self, writer: &Gateway, reader: &Gateway) {
        let is_written = match self.is_unsure.load(Ordering::Relaxed) {
            true => self.look(writer),
            false => self.write(writer),
        };
        if is_written && self.read(reader) {
            self.rounds.fetch_add(1, Ordering::Relaxed);
        } else {
            thread::yield_now();
        }
    }

    fn write(&self, writer: &Gateway) -> bool {
        let last = self.last();
        let written = writer.write(self.key, Expected::Version(last), last + 1);
        match written {
            Written::Done => self.last.store(last + 1, Ordering::Relaxed),
            Written::Conflict => self.failed("a conflict with nobody"),
            Written::Unavailable(ref cause) => self.failed(cause.to_string()),
        }
        self.is_unsure
            .store(written != Written::Done, Ordering::Relaxed);
        written == Written::Done
    }

    /// What became of a write that was not acknowledged.
    fn look(&self, writer: &Gateway) -> bool {
        let Some(found) = self.load(writer) else {
            return false;
        };
        self.last.store(found, Ordering::Relaxed);
        self.seen.fetch_min(found, Ordering::Relaxed);
        self.is_unsure.store(false, Ordering::Relaxed);
        true
    }

    /// Until the other gateway has what was written: what it kept before is outdated.
    fn read(&self, reader: &Gateway) -> bool {
        let last = self.last();
        let mut is_there = false;
        until("a row at its other gateway", || match self.load(reader) {
            None => true,
            Some(found) => {
                let seen = self.seen.fetch_max(found, Ordering::Relaxed);
                assert!(found >= seen, "version {found} was read after {seen}");
                is_there = found >= last;
                is_there
            }
        });
        is_there
    }

    fn load(&self, gateway: &Gateway) -> Option<u64> {
        match gateway.load(self.key) {
            Loaded::Found(row) => Some(row.version),
            Loaded::Absent => panic!("a row is gone"),
            Loaded::Unavailable(cause) => {
                self.failed(cause.to_string());
                None
            }
        }
    }
}

fn version(gateway: &Gateway, key: Key) -> Option<u64> {
    match gateway.load(key) {
        Loaded::Found(row) => Some(row.version),
        Loaded::Absent | Loaded::Unavailable(_) => None,
    }
}

const ROWS: u64 = 64;
const WORKERS: usize = 4;
