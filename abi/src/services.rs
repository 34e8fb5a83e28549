//! What the gateway does for a plugin when it starts.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::exchange::{Flag, HeaderName, Side};
pub use crate::raw::histogram::HistogramObject;
use crate::raw::histogram::RawHistogram;
use crate::raw::services::RawServices;
pub use crate::raw::services::ServicesObject;
use crate::storage::StorageHandle;
use crate::{EventLoop, SessionStore};

/// The gateway, as a plugin sees it. Handed to [`Plugin::open`](crate::Plugin::open); cheap to clone and to keep.
#[derive(Clone)]
pub struct Services {
    raw: RawServices,
}

/// A request to the gateway that it refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ServicesError {
    /// Not a token of RFC 9110.
    #[error("not a header name")]
    HeaderName,
    /// Headers are reserved by constructors; once requests run it is too late.
    #[error("the gateway already serves, and headers are reserved before")]
    Reserve,
    /// A gateway keeps at most 64 flags.
    #[error("too many flags, 64 is the limit")]
    Flags,
}

/// What a gateway opens its plugins for.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[repr(u8)]
pub enum Purpose {
    /// Requests follow, or what an operator does about sessions.
    #[default]
    Serve = 0,
    /// Nothing follows: the configuration is looked at, perhaps beside a gateway that serves by it. Constructors find what
    /// is wrong as ever, but make nothing that stays and take nothing that only one process may have.
    Check = 1,
}

/// A number that only grows and is shown on `/metrics`. Counting is one atomic addition.
#[derive(Clone, Copy, Debug)]
pub struct Counter(&'static AtomicU64);

/// How long things took, shown on `/metrics` as a histogram. Recording neither locks nor allocates.
#[derive(Clone, Copy)]
pub struct Histogram(Option<RawHistogram>);

impl Services {
    /// Wraps a gateway, or a test's stand-in for one.
    pub fn new(gateway: Arc<impl ServicesObject>) -> Self {
        Self {
            raw: RawServices::new(gateway),
        }
    }

    pub(crate) fn from_raw(raw: RawServices) -> Self {
        Self { raw }
    }

    #[cfg(feature = "loader")]
    pub(crate) fn into_raw(self) -> RawServices {
        self.raw
    }

    /// Resolves a header name once, in any case.
    ///
    /// # Errors
    /// When it is no header name.
    pub fn header(&self, name: &str) -> Result<HeaderName, ServicesError> {
        let id = self.raw.header(name).ok_or(ServicesError::HeaderName)?;
        Ok(HeaderName(id))
    }

    /// Resolves a flag name once. The same name is the same flag in every plugin and in `SetMiddleware`.
    ///
    /// # Errors
    /// When there are too many.
    pub fn flag(&self, name: &str) -> Result<Flag, ServicesError> {
        Ok(Flag(self.raw.flag(name).ok_or(ServicesError::Flags)?))
    }

    /// Keeps a header to the gateway: on [`Side::Request`] every request of every route loses what the client sent
    /// under this name, in each spelling that an upstream could fold into it (case, and anything that is not a letter
    /// or a digit), before the first middleware runs. On [`Side::Response`] no response carries it to a client.
    ///
    /// # Errors
    /// When it is no header name, or when it comes too late: only constructors may call this.
    pub fn reserve(&self, side: Side, name: &str) -> Result<(), ServicesError> {
        // What crosses is only whether it was done.
        self.header(name)?;
        let is_done = self.raw.reserve(side, name);
        is_done.then_some(()).ok_or(ServicesError::Reserve)
    }

    /// A counter. `name` follows Prometheus (`session_loads_total`); the same name and labels are the same counter.
    pub fn counter(&self, name: &str, help: &str, labels: &[(&str, &str)]) -> Counter {
        Counter(self.raw.counter(name, help, &lines(labels)))
    }

    /// A histogram of durations. `name` follows Prometheus (`session_storage_seconds`); the same name and labels are
    /// the same histogram. The gateway chooses the buckets; one older than this function keeps nothing.
    pub fn histogram(&self, name: &str, help: &str, labels: &[(&str, &str)]) -> Histogram {
        Histogram(self.raw.histogram(name, help, &lines(labels)))
    }

    /// The storage that `storages.yaml` calls `name`, from whichever plugin. All storages exist before the first
    /// middleware or action is made.
    pub fn storage(&self, name: &str) -> Option<StorageHandle> {
        self.raw.storage(name).map(StorageHandle::from_raw)
    }

    /// The names of all storages, for messages about a name that is not among them.
    pub fn storage_names(&self) -> Vec<String> {
        let mut names = Vec::new();
        self.raw.each_storage(|name| names.push(name.to_owned()));
        names.sort_unstable();
        names
    }

    /// The session store that the middleware called `name` published. Asked when it is needed, not in a constructor:
    /// the middleware may be made later.
    pub fn session_store(&self, name: &str) -> Option<SessionStore> {
        self.raw.session_store(name).map(SessionStore::from_raw)
    }

    /// Publishes a session store under the name of its middleware. False when the name is taken.
    #[must_use]
    pub fn publish(&self, name: &str, store: SessionStore) -> bool {
        self.raw.publish(name, store.into_raw())
    }

    /// What the plugin is opened for. A gateway older than this function does not say, and [`Purpose::Serve`] is right for
    /// both.
    pub fn purpose(&self) -> Purpose {
        self.raw.purpose()
    }

    /// The event loop of the thread that calls this. None on a thread that is not the gateway's, such as a plugin's
    /// own, and in a gateway older than this function.
    pub fn event_loop(&self) -> Option<EventLoop> {
        self.raw.event_loop().map(EventLoop::from_raw)
    }
}

impl Purpose {
    pub(crate) const fn from_code(code: u8) -> Self {
        match code {
            1 => Self::Check,
            _ => Self::Serve,
        }
    }
}

fn lines(labels: &[(&str, &str)]) -> String {
    let lines = labels
        .iter()
        .map(|(key, value)| format!("{key}={}", value.replace('\n', " ")));
    lines.collect::<Vec<_>>().join("\n")
}

impl fmt::Debug for Services {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Services(..)")
    }
}

impl Counter {
    /// Counts one.
    pub fn increment(self) {
        self.add(1);
    }

    /// Counts `n`.
    pub fn add(self, n: u64) {
        self.0.fetch_add(n, Ordering::Relaxed);
    }

    /// The count so far.
    pub fn value(self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Histogram {
    /// A histogram that a gateway keeps.
    pub fn new(kept: &'static impl HistogramObject) -> Self {
        Self(Some(RawHistogram::new(kept)))
    }

    /// Records one duration.
    pub fn record(self, duration: Duration) {
        if let Some(raw) = self.0 {
            raw.record(duration);
        }
    }

    pub(crate) const fn into_raw(self) -> Option<RawHistogram> {
        self.0
    }
}

impl fmt::Debug for Histogram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Histogram(..)")
    }
}
