//! What a plugin implements to keep sessions somewhere: rows with a version, and one conditional write.
//!
//! A storage never sees a session id, an attribute in clear (once `secrets` are set) or an expiry rule. It keeps
//! *rows* under 32-byte keys. Everything the session engine promises under races (no lost update, one winner of a
//! rotation, no return of a revoked session) rests on two properties that the conformance suite checks:
//! [`write`](Storage::write) is atomic, and it happens only when the row is at the expected version.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::Maybe;
use crate::raw::storage::RawStorage;

/// A place that keeps rows. Implemented by plugin authors, named in `storages.yaml`.
///
/// Every method may be called from many threads at once and may answer at once or later. A dropped future must leave
/// the row either untouched or fully written.
pub trait Storage: Send + Sync + 'static {
    /// Reads the row under `key`. A row whose `keep` has run out is [`Loaded::Absent`], whether or not it was
    /// collected yet.
    fn load<'a>(&'a self, key: &'a Key) -> Maybe<'a, Loaded<Row>>;

    /// Stores `row` for at least `keep`, if what is there now is what the caller `expected`.
    ///
    /// Compares and writes in one atomic step. A row whose `keep` has run out counts as absent. Writing the same
    /// version twice is a [`Written::Conflict`], so a caller may repeat a write whose fate it does not know.
    /// `keep` is never zero; a storage may round it up, never down.
    fn write<'a>(
        &'a self,
        key: &'a Key,
        expected: Expected,
        row: Row,
        keep: Duration,
    ) -> Maybe<'a, Written>;

    /// Proves that the storage can be read and written now. Asked by the readiness route and at start.
    fn probe(&self) -> Maybe<'_, Result<(), Unavailable>>;

    /// Removes every row of this storage and says how many there were. The session store's `reset` ends here.
    fn reset(&self) -> Maybe<'_, Result<u64, Unavailable>>;
}

/// What is shared is as good as what is owned.
impl<S: Storage + ?Sized> Storage for Arc<S> {
    fn load<'a>(&'a self, key: &'a Key) -> Maybe<'a, Loaded<Row>> {
        (**self).load(key)
    }

    fn write<'a>(
        &'a self,
        key: &'a Key,
        expected: Expected,
        row: Row,
        keep: Duration,
    ) -> Maybe<'a, Written> {
        (**self).write(key, expected, row, keep)
    }

    fn probe(&self) -> Maybe<'_, Result<(), Unavailable>> {
        (**self).probe()
    }

    fn reset(&self) -> Maybe<'_, Result<u64, Unavailable>> {
        (**self).reset()
    }
}

/// The name of a row: a keyed or plain hash of a session id, never the id itself.
#[repr(transparent)]
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Key([u8; 32]);

impl Key {
    /// Wraps the 32 bytes of a hash.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes, uniformly distributed, so that a map may use them as their own hash.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Shows the first four bytes, enough to tell two rows apart in a log and too few to find one.
impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, ..] = self.0;
        write!(f, "Key({a:02x}{b:02x}{c:02x}{d:02x}..)")
    }
}

/// What is kept under a key.
#[derive(Clone, Eq, PartialEq)]
pub struct Row {
    /// Counts the writes of this row, from 1.
    pub version: u64,
    /// Bytes that only the session engine can read.
    pub payload: Vec<u8>,
}

/// Shows sizes only: the payload is somebody's session.
impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Row")
            .field("version", &self.version)
            .field("bytes", &self.payload.len())
            .finish()
    }
}

/// The three outcomes of a load. An outage has its own, so that it can never pass for an anonymous visitor.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Loaded<T> {
    /// It is there.
    Found(T),
    /// The storage answered, and there is nothing.
    Absent,
    /// The storage did not answer, or not in a way that can be trusted.
    Unavailable(Unavailable),
}

/// What must be under the key for a write to happen.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Expected {
    /// Nothing, or a row whose time has run out.
    Absent,
    /// A row at exactly this version.
    Version(u64),
}

/// The three outcomes of a conditional write.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Written {
    /// The row is stored, as durably as the storage promises.
    Done,
    /// Something else was there. Nothing was written.
    Conflict,
    /// The storage did not answer. The write may or may not have happened.
    Unavailable(Unavailable),
}

/// Why a storage could not answer. For logs: no addresses with passwords, no keys, no payloads.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0}")]
pub struct Unavailable(String);

impl Unavailable {
    /// States the cause in a few lower-case words, for example `no answer within 1s`.
    pub fn new(cause: impl Into<String>) -> Self {
        Self(cause.into())
    }
}

/// A storage that may live in another library. What [`Services::storage`](crate::Services::storage) finds.
#[derive(Clone)]
pub struct StorageHandle {
    raw: RawStorage,
}

impl StorageHandle {
    /// Wraps a storage.
    pub fn new(storage: Arc<impl Storage>) -> Self {
        Self {
            raw: RawStorage::new(storage),
        }
    }

    pub(crate) fn from_raw(raw: RawStorage) -> Self {
        Self { raw }
    }

    pub(crate) fn into_raw(self) -> RawStorage {
        self.raw
    }
}

impl Storage for StorageHandle {
    fn load<'a>(&'a self, key: &'a Key) -> Maybe<'a, Loaded<Row>> {
        self.raw.load(key)
    }

    fn write<'a>(
        &'a self,
        key: &'a Key,
        expected: Expected,
        row: Row,
        keep: Duration,
    ) -> Maybe<'a, Written> {
        self.raw.write(key, expected, row, keep)
    }

    fn probe(&self) -> Maybe<'_, Result<(), Unavailable>> {
        self.raw.probe()
    }

    fn reset(&self) -> Maybe<'_, Result<u64, Unavailable>> {
        self.raw.reset()
    }
}

impl fmt::Debug for StorageHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StorageHandle(..)")
    }
}
