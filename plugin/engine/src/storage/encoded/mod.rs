//! Rows in a storage that keeps bytes.

mod memo;

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use abi::services::{Counter, Histogram};
use abi::storage::{Expected, Loaded, Row, Unavailable, Written};
use abi::{Maybe, Services};
use tracing::warn;

use self::memo::Memo;
use super::{Rows, Together, Versioned};
use crate::clock::Stopwatch;
use crate::session::{Address, DecodeError, Keyring, OpenError, State, decode, encode};

/// Any [`Storage`], with states encoded and sealed on the way in, opened and decoded on the way out.
pub struct Encoded<S> {
    storage: S,
    keyring: Keyring,
    memo: Memo,
    quarantined: Counter,
    loads: Histogram,
    writes: Histogram,
    /// Whether an answer had to be waited for.
    is_remote: AtomicBool,
}

impl<S: Together> Encoded<S> {
    /// Keeps rows in `storage`, which `storages.yaml` calls `name`, sealed by `keyring`.
    pub fn new(storage: S, name: &str, keyring: Keyring, services: &Services) -> Self {
        let took = |operation| {
            let labels = [("storage", name), ("operation", operation)];
            services.histogram(SECONDS, SECONDS_HELP, &labels)
        };
        let labels = [("storage", name)];
        Self {
            quarantined: services.counter(QUARANTINED, QUARANTINED_HELP, &labels),
            loads: took("load"),
            writes: took("write"),
            storage,
            keyring,
            memo: Memo::default(),
            is_remote: AtomicBool::new(false),
        }
    }

    /// How often a row was met that could not be read. Rows of a newer gateway count here, and so does tampering.
    pub fn quarantined(&self) -> u64 {
        self.quarantined.value()
    }

    /// What the storage has at hand, as a file does. One that had to be waited for is not asked like this again: an
    /// answer that is to come borrows the key, which is here, so that it would have to be asked for twice.
    fn load_at_once(&self, address: &Address) -> Option<Loaded<Versioned>> {
        if self.is_remote.load(Ordering::Relaxed) {
            return None;
        }
        let began = Stopwatch::start();
        match self.storage.load(&address.key()) {
            Maybe::Ready(loaded) => {
                self.loads.record(began.elapsed());
                Some(self.opened(address, loaded))
            }
            Maybe::Pending(_) => {
                self.is_remote.store(true, Ordering::Relaxed);
                None
            }
        }
    }

    fn opened(&self, address: &Address, loaded: Loaded<Row>) -> Loaded<Versioned> {
        match loaded {
            Loaded::Found(row) => self.read(address, row),
            Loaded::Absent => {
                self.memo.forget(&address.key());
                Loaded::Absent
            }
            Loaded::Unavailable(cause) => Loaded::Unavailable(cause),
        }
    }

    /// An unreadable row is quarantined: for its session it is as good as absent, and it stays where it is until its
    /// time runs out or somebody writes [over it](Rows::unreadable). It must not become an error page, because whoever can write one row could then take the service
    /// away from its user, and never a second attempt with a weaker decoder.
    fn read(&self, address: &Address, row: Row) -> Loaded<Versioned> {
        let (key, version) = (address.key(), row.version);
        if let Some(state) = self.memo.recall(&key, &row) {
            return Loaded::Found(Versioned { version, state });
        }
        match self.state(address, &row) {
            Ok(state) => {
                self.memo.note(key, row, &state);
                Loaded::Found(Versioned { version, state })
            }
            Err(error) => {
                self.quarantined.increment();
                warn!(?key, %error, "row is quarantined");
                Loaded::Absent
            }
        }
    }

    fn state(&self, address: &Address, row: &Row) -> Result<State, ReadError> {
        let plaintext = self.keyring.open(address, row.version, &row.payload)?;
        Ok(decode(&plaintext)?)
    }
}

/// Why a row cannot be read.
#[derive(Debug, thiserror::Error)]
enum ReadError {
    #[error(transparent)]
    Decode(#[from] DecodeError),
    #[error(transparent)]
    Open(#[from] OpenError),
}

impl<S: Together> Rows for Encoded<S> {
    fn load(&self, address: Address) -> Maybe<'_, Loaded<Versioned>> {
        if let Some(loaded) = self.load_at_once(&address) {
            return loaded.into();
        }
        Maybe::task(async move {
            let began = Stopwatch::start();
            let loaded = self.storage.load(&address.key()).wait().await;
            self.loads.record(began.elapsed());
            self.opened(&address, loaded)
        })
    }

    fn reread(&self, address: Address) -> Maybe<'_, Loaded<Versioned>> {
        // What is at hand is no replica's.
        if let Some(loaded) = self.load_at_once(&address) {
            return loaded.into();
        }
        Maybe::task(async move {
            let began = Stopwatch::start();
            let loaded = self.storage.reread(&address.key()).wait().await;
            self.loads.record(began.elapsed());
            self.opened(&address, loaded)
        })
    }

    fn load_together(&self, both: [Address; 2]) -> Option<Maybe<'_, [Loaded<Versioned>; 2]>> {
        let began = Stopwatch::start();
        let read = self
            .storage
            .load_together(both.map(|address| address.key()))?;
        Some(read.map(move |[first, second]| {
            self.loads.record(began.elapsed());
            let [at, beside] = &both;
            [self.opened(at, first), self.opened(beside, second)]
        }))
    }

    fn unreadable(&self, address: Address) -> Maybe<'_, Loaded<u64>> {
        Maybe::task(async move {
            match self.storage.load(&address.key()).wait().await {
                Loaded::Found(row) => match self.state(&address, &row) {
                    Ok(_) => Loaded::Absent,
                    Err(_) => Loaded::Found(row.version),
                },
                Loaded::Absent => Loaded::Absent,
                Loaded::Unavailable(cause) => Loaded::Unavailable(cause),
            }
        })
    }

    fn write(
        &self,
        address: Address,
        expected: Expected,
        row: Versioned,
        keep: Duration,
    ) -> Maybe<'_, Written> {
        let Versioned { version, state } = row;
        let payload = match self.keyring.seal(&address, version, encode(&state)) {
            Ok(payload) => payload,
            // An outage of randomness is an outage.
            Err(error) => return Written::Unavailable(Unavailable::new(error.to_string())).into(),
        };
        let row = Row { version, payload };
        let key = address.key();
        Maybe::task(async move {
            let began = Stopwatch::start();
            let written = self.storage.write(&key, expected, row, keep).wait().await;
            self.writes.record(began.elapsed());
            written
        })
    }

    fn probe(&self) -> Maybe<'_, Result<(), Unavailable>> {
        self.storage.probe()
    }

    fn reset(&self) -> Maybe<'_, Result<u64, Unavailable>> {
        self.storage.reset()
    }
}

impl<S: Together> fmt::Debug for Encoded<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encoded")
            .field("quarantined", &self.quarantined())
            .finish_non_exhaustive()
    }
}

const SECONDS: &str = "session_storage_seconds";
const SECONDS_HELP: &str =
    "How long storages that keep bytes take, by operation. A session and its roster are one load.";
const QUARANTINED: &str = "session_quarantined_total";
const QUARANTINED_HELP: &str = "Rows that could not be read and were taken for absent.";

#[cfg(test)]
pub(crate) mod bytes;
#[cfg(test)]
mod tests;
