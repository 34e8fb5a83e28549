//! How many requests a service has at a time, from all workers.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::metrics::Present;

/// Counts the requests under way, and bounds them where a bound is set.
#[derive(Debug)]
pub(super) struct Occupancy {
    limit: u32,
    under_way: AtomicUsize,
    places: Option<Arc<Semaphore>>,
}

/// The time of a request with a service, from before it is sent until its answer has been read, or its tunnel is
/// closed.
#[derive(Debug)]
pub(crate) struct Stay {
    /// Where one is counted.
    pub(super) _place: Option<Place>,
    pub(super) _present: Present,
}

/// The place of a request during its stay.
#[derive(Debug)]
pub(crate) struct Place {
    occupancy: Arc<Occupancy>,
    _permit: Option<OwnedSemaphorePermit>,
}

impl Occupancy {
    /// At most `limit` at a time; 0 is any number.
    pub(super) fn new(limit: u32) -> Self {
        let permits = (limit as usize).min(Semaphore::MAX_PERMITS);
        Self {
            limit,
            under_way: AtomicUsize::new(0),
            places: (permits > 0).then(|| Arc::new(Semaphore::new(permits))),
        }
    }

    pub(super) const fn limit(&self) -> u32 {
        self.limit
    }

    pub(super) fn under_way(&self) -> usize {
        self.under_way.load(Ordering::Relaxed)
    }

    pub(super) fn has_room(&self) -> bool {
        let places = self.places.as_ref();
        places.is_none_or(|places| places.available_permits() > 0)
    }

    /// Waits for a place, first come first served. `None` when there is none in time.
    pub(super) async fn enter(self: &Arc<Self>, within: Duration) -> Option<Place> {
        let permit = match &self.places {
            None => None,
            Some(places) => {
                let waiting = timeout(within, Arc::clone(places).acquire_owned()).await;
                Some(waiting.ok()?.ok()?)
            }
        };
        self.under_way.fetch_add(1, Ordering::Relaxed);
        Some(Place {
            occupancy: Arc::clone(self),
            _permit: permit,
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.occupancy.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}
