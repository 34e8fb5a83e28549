//! Rows in a storage that keeps bytes.

use std::fmt;
use std::time::Duration;

use abi::services::Counter;
use abi::storage::{Expected, Loaded, Row, Storage, Unavailable, Written};
use abi::{Maybe, Services};
use tracing::warn;

use super::{Rows, Versioned};
use crate::session::{Address, DecodeError, Keyring, OpenError, State, decode, encode};

/// Any [`Storage`], with states encoded and sealed on the way in, opened and decoded on the way out.
pub struct Encoded<S> {
    storage: S,
    keyring: Keyring,
    quarantined: Counter,
}

impl<S: Storage> Encoded<S> {
    /// Keeps rows in `storage`, which `storages.yaml` calls `name`, sealed by `keyring`.
    pub fn new(storage: S, name: &str, keyring: Keyring, services: &Services) -> Self {
        let labels = [("storage", name)];
        Self {
            quarantined: services.counter(QUARANTINED, QUARANTINED_HELP, &labels),
            storage,
            keyring,
        }
    }

    /// How often a row was met that could not be read. Rows of a newer gateway count here, and so does tampering.
    pub fn quarantined(&self) -> u64 {
        self.quarantined.value()
    }

    /// An unreadable row is quarantined: for its session it is as good as absent, and it stays where it is until its
    /// time runs out. It must not become an error page, because whoever can write one row could then take the service
    /// away from its user, and never a second attempt with a weaker decoder.
    fn read(&self, address: &Address, row: &Row) -> Loaded<Versioned> {
        match self.state(address, row) {
            Ok(state) => Loaded::Found(Versioned {
                version: row.version,
                state,
            }),
            Err(error) => {
                self.quarantined.increment();
                warn!(key = ?address.key(), %error, "row is quarantined");
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

impl<S: Storage> Rows for Encoded<S> {
    fn load(&self, address: Address) -> Maybe<'_, Loaded<Versioned>> {
        Maybe::task(async move {
            match self.storage.load(&address.key()).wait().await {
                Loaded::Found(row) => self.read(&address, &row),
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
        Maybe::task(async move { self.storage.write(&key, expected, row, keep).wait().await })
    }

    fn probe(&self) -> Maybe<'_, Result<(), Unavailable>> {
        self.storage.probe()
    }

    fn reset(&self) -> Maybe<'_, Result<u64, Unavailable>> {
        self.storage.reset()
    }
}

impl<S: Storage> fmt::Debug for Encoded<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encoded")
            .field("quarantined", &self.quarantined())
            .finish_non_exhaustive()
    }
}

const QUARANTINED: &str = "session_quarantined_total";
const QUARANTINED_HELP: &str = "Rows that could not be read and were taken for absent.";

#[cfg(test)]
pub(crate) mod bytes;
#[cfg(test)]
mod tests;
