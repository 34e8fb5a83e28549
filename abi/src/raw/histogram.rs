//! Where a plugin's measurements go.

use std::ffi::c_void;
use std::marker::PhantomData;
use std::time::Duration;

use abi_stable::StableAbi;
use abi_stable::prefix_type::WithMetadata;

/// What can be done with a histogram of the gateway.
#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(prefix_ref = HistogramTableRef, prefix_fields = HistogramTablePrefix)))]
#[sabi(missing_field(panic))]
pub struct HistogramTable {
    /// Records one duration.
    #[sabi(last_prefix_field)]
    pub record: unsafe extern "C" fn(*const c_void, nanoseconds: u64),
}

/// A histogram as it crosses. It lives for ever.
#[repr(C)]
#[derive(Clone, Copy, StableAbi)]
pub struct RawHistogram {
    object: *const c_void,
    table: HistogramTableRef,
}

// SAFETY: the object is a `&'static` of something `Sync`: the constructor demands it.
unsafe impl Send for RawHistogram {}
// SAFETY: as above.
unsafe impl Sync for RawHistogram {}

/// Where measurements are kept.
pub trait HistogramObject: Sync + 'static {
    /// Records one. On the path of requests: neither locks nor allocates.
    fn record(&self, duration: Duration);
}

impl RawHistogram {
    pub(crate) fn new<H: HistogramObject>(object: &'static H) -> Self {
        Self {
            object: std::ptr::from_ref(object).cast(),
            table: TableOf::<H>::TABLE,
        }
    }

    pub(crate) fn record(self, duration: Duration) {
        let nanoseconds = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        // SAFETY: `object` and `table` belong together, and live for ever.
        unsafe { (self.table.record())(self.object, nanoseconds) }
    }
}

struct TableOf<H>(PhantomData<H>);

impl<H: HistogramObject> TableOf<H> {
    const PREFIX: &'static WithMetadata<HistogramTable> = &WithMetadata::new(HistogramTable {
        record: record::<H>,
    });
    const TABLE: HistogramTableRef = HistogramTableRef(Self::PREFIX.static_as_prefix());
}

unsafe extern "C" fn record<H: HistogramObject>(object: *const c_void, nanoseconds: u64) {
    // SAFETY: called through the table of a handle, whose object lives for ever.
    let histogram = unsafe { &*object.cast::<H>() };
    histogram.record(Duration::from_nanos(nanoseconds));
}
