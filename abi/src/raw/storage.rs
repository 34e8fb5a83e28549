//! Storages: rows across the boundary.

use std::ffi::c_void;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use abi_stable::StableAbi;
use abi_stable::prefix_type::WithMetadata;
use abi_stable::std_types::{RResult, RString, RVec};

use super::View;
use super::future::RawMaybe;
use super::guard::contain;
use super::object::{Object, release, retain, shared_handle};
use crate::storage::{Expected, Key, Loaded, Row, Storage, Unavailable, Written};
use crate::{Failure, Maybe};

/// What can be done with a storage.
#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(prefix_ref = StorageTableRef, prefix_fields = StorageTablePrefix)))]
#[sabi(missing_field(panic))]
pub struct StorageTable {
    /// [`Storage::load`]. The key is borrowed for as long as the future lives.
    pub load: for<'a> unsafe extern "C" fn(*const c_void, RawKey<'a>) -> RawMaybe<'a, RawLoaded>,
    /// [`Storage::write`].
    pub write: for<'a> unsafe extern "C" fn(
        *const c_void,
        RawKey<'a>,
        expected: RawExpected,
        row: RawRow,
        keep_milliseconds: u64,
    ) -> RawMaybe<'a, RawWritten>,
    /// [`Storage::probe`].
    pub probe: for<'a> unsafe extern "C" fn(Object<'a>) -> RawMaybe<'a, RResult<(), RString>>,
    /// [`Storage::reset`].
    pub reset: for<'a> unsafe extern "C" fn(Object<'a>) -> RawMaybe<'a, RResult<u64, RString>>,
    /// One more owner.
    pub retain: unsafe extern "C" fn(*const c_void),
    /// One owner less.
    #[sabi(last_prefix_field)]
    pub release: unsafe extern "C" fn(*const c_void),
}

shared_handle! {
    /// A storage as it crosses.
    RawStorage, StorageTableRef
}

/// 32 bytes, borrowed.
#[repr(C)]
#[derive(Clone, Copy, StableAbi)]
pub struct RawKey<'a> {
    bytes: View,
    life: PhantomData<&'a ()>,
}

/// [`Expected`].
#[repr(u8)]
#[derive(Clone, Copy, StableAbi)]
pub enum RawExpected {
    /// No row.
    Absent,
    /// A row at this version.
    Version(u64),
}

/// [`Row`].
#[repr(C)]
#[derive(StableAbi)]
pub struct RawRow {
    version: u64,
    payload: RVec<u8>,
}

/// [`Loaded`].
#[repr(u8)]
#[derive(StableAbi)]
pub enum RawLoaded {
    /// The row.
    Found(RawRow),
    /// No row.
    Absent,
    /// No answer.
    Unavailable(RString),
}

/// [`Written`].
#[repr(u8)]
#[derive(StableAbi)]
pub enum RawWritten {
    /// Stored.
    Done,
    /// Not what was expected.
    Conflict,
    /// No answer.
    Unavailable(RString),
}

// === the side that calls ===

impl RawStorage {
    pub(crate) fn new<S: Storage>(storage: Arc<S>) -> Self {
        Self {
            object: Arc::into_raw(storage).cast(),
            table: TableOf::<S>::TABLE,
        }
    }

    pub(crate) fn load<'a>(&'a self, key: &'a Key) -> Maybe<'a, Loaded<Row>> {
        // SAFETY: `object` and `table` belong together; `self` and `key` outlive the future.
        let raw = unsafe { (self.table.load())(self.object, RawKey::of(key)) };
        raw.into_maybe(Loaded::from)
    }

    pub(crate) fn write<'a>(
        &'a self,
        key: &'a Key,
        expected: Expected,
        row: Row,
        keep: Duration,
    ) -> Maybe<'a, Written> {
        // Rounded up: a row is kept for at least as long as was asked for.
        let keep = u64::try_from(keep.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX);
        let row = RawRow {
            version: row.version,
            payload: row.payload.into(),
        };
        // SAFETY: as in `load`; the row is moved.
        let raw = unsafe {
            (self.table.write())(self.object, RawKey::of(key), expected.into(), row, keep)
        };
        raw.into_maybe(Written::from)
    }

    pub(crate) fn probe(&self) -> Maybe<'_, Result<(), Unavailable>> {
        // SAFETY: as in `load`.
        let raw = unsafe { (self.table.probe())(Object::lend(self.object)) };
        raw.into_maybe(answered)
    }

    pub(crate) fn reset(&self) -> Maybe<'_, Result<u64, Unavailable>> {
        // SAFETY: as in `load`.
        let raw = unsafe { (self.table.reset())(Object::lend(self.object)) };
        raw.into_maybe(answered)
    }
}

fn answered<T>(raw: RResult<T, RString>) -> Result<T, Unavailable> {
    raw.into_result()
        .map_err(|cause| Unavailable::new(cause.into_string()))
}

impl<'a> RawKey<'a> {
    fn of(key: &'a Key) -> Self {
        Self {
            bytes: View::of(key.as_bytes()),
            life: PhantomData,
        }
    }

    /// Borrows the key where it stands.
    fn key(self) -> &'a Key {
        const NOBODY: &Key = &Key::new([0; 32]);
        // SAFETY: made by `of` from 32 bytes that live for `'a`.
        let bytes = unsafe { self.bytes.bytes::<'a>() };
        match bytes.and_then(|bytes| <&[u8; 32]>::try_from(bytes).ok()) {
            // SAFETY: `Key` is a transparent wrapper of these 32 bytes.
            Some(bytes) => unsafe { &*std::ptr::from_ref(bytes).cast::<Key>() },
            None => NOBODY,
        }
    }
}

// === the side that implements ===

struct TableOf<S>(PhantomData<S>);

impl<S: Storage> TableOf<S> {
    const PREFIX: &'static WithMetadata<StorageTable> = &WithMetadata::new(StorageTable {
        load: load::<S>,
        write: write::<S>,
        probe: probe::<S>,
        reset: reset::<S>,
        retain: retain::<S>,
        release: release::<S>,
    });
    const TABLE: StorageTableRef = StorageTableRef(Self::PREFIX.static_as_prefix());
}

/// # Safety
/// `object` must be a live `S` of [`RawStorage::new`] that outlives `'a`: the caller's handle does.
unsafe fn storage<'a, S>(object: *const c_void) -> &'a S {
    // SAFETY: the caller's promise.
    unsafe { &*object.cast() }
}

unsafe extern "C" fn load<'a, S: Storage>(
    object: *const c_void,
    key: RawKey<'a>,
) -> RawMaybe<'a, RawLoaded> {
    // SAFETY: called through the table of a live handle.
    let storage = unsafe { storage::<'a, S>(object) };
    crossing("storage load", || storage.load(key.key()), RawLoaded::from)
}

unsafe extern "C" fn write<'a, S: Storage>(
    object: *const c_void,
    key: RawKey<'a>,
    expected: RawExpected,
    row: RawRow,
    keep_milliseconds: u64,
) -> RawMaybe<'a, RawWritten> {
    // SAFETY: called through the table of a live handle.
    let storage = unsafe { storage::<'a, S>(object) };
    let keep = Duration::from_millis(keep_milliseconds);
    crossing(
        "storage write",
        || storage.write(key.key(), expected.into(), row.into(), keep),
        RawWritten::from,
    )
}

unsafe extern "C" fn probe<'a, S: Storage>(
    object: Object<'a>,
) -> RawMaybe<'a, RResult<(), RString>> {
    // SAFETY: called through the table of a live handle.
    let storage = unsafe { object.get::<S>() };
    crossing("storage probe", || storage.probe(), answer)
}

unsafe extern "C" fn reset<'a, S: Storage>(
    object: Object<'a>,
) -> RawMaybe<'a, RResult<u64, RString>> {
    // SAFETY: called through the table of a live handle.
    let storage = unsafe { object.get::<S>() };
    crossing("storage reset", || storage.reset(), answer)
}

/// A storage that panics has not answered: the outcome is the one for an outage.
fn crossing<'a, T: Send + 'a, R: Send + 'a>(
    entry: &'static str,
    call: impl FnOnce() -> Maybe<'a, T>,
    convert: fn(Result<T, Failure>) -> R,
) -> RawMaybe<'a, R> {
    match contain(entry, call) {
        Ok(maybe) => RawMaybe::from_maybe(entry, maybe, convert),
        Err(failure) => RawMaybe::Ready(convert(Err(failure))),
    }
}

impl From<Expected> for RawExpected {
    fn from(expected: Expected) -> Self {
        match expected {
            Expected::Absent => Self::Absent,
            Expected::Version(version) => Self::Version(version),
        }
    }
}

impl From<RawExpected> for Expected {
    fn from(raw: RawExpected) -> Self {
        match raw {
            RawExpected::Absent => Self::Absent,
            RawExpected::Version(version) => Self::Version(version),
        }
    }
}

impl From<RawRow> for Row {
    fn from(raw: RawRow) -> Self {
        Self {
            version: raw.version,
            payload: raw.payload.into_vec(),
        }
    }
}

impl RawLoaded {
    fn from(outcome: Result<Loaded<Row>, Failure>) -> Self {
        match outcome {
            Ok(Loaded::Found(row)) => Self::Found(RawRow {
                version: row.version,
                payload: row.payload.into(),
            }),
            Ok(Loaded::Absent) => Self::Absent,
            Ok(Loaded::Unavailable(cause)) => Self::Unavailable(cause.to_string().into()),
            Err(failure) => Self::Unavailable(failure.to_string().into()),
        }
    }
}

impl From<RawLoaded> for Loaded<Row> {
    fn from(raw: RawLoaded) -> Self {
        match raw {
            RawLoaded::Found(row) => Self::Found(row.into()),
            RawLoaded::Absent => Self::Absent,
            RawLoaded::Unavailable(cause) => {
                Self::Unavailable(Unavailable::new(cause.into_string()))
            }
        }
    }
}

impl RawWritten {
    fn from(outcome: Result<Written, Failure>) -> Self {
        match outcome {
            Ok(Written::Done) => Self::Done,
            Ok(Written::Conflict) => Self::Conflict,
            Ok(Written::Unavailable(cause)) => Self::Unavailable(cause.to_string().into()),
            Err(failure) => Self::Unavailable(failure.to_string().into()),
        }
    }
}

impl From<RawWritten> for Written {
    fn from(raw: RawWritten) -> Self {
        match raw {
            RawWritten::Done => Self::Done,
            RawWritten::Conflict => Self::Conflict,
            RawWritten::Unavailable(cause) => {
                Self::Unavailable(Unavailable::new(cause.into_string()))
            }
        }
    }
}

fn answer<T>(outcome: Result<Result<T, Unavailable>, Failure>) -> RResult<T, RString> {
    match outcome {
        Ok(Ok(value)) => RResult::ROk(value),
        Ok(Err(cause)) => RResult::RErr(cause.to_string().into()),
        Err(failure) => RResult::RErr(failure.to_string().into()),
    }
}
