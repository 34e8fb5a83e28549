//! Looks after connections that are kept, while no request comes by.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::task::unconstrained;
use tokio::time::sleep;

/// Whether somebody looks after connections.
#[derive(Debug, Default)]
pub(super) struct Sweeper(AtomicBool);

/// Connections that are kept.
pub(super) trait Kept: Send + Sync + 'static {
    fn sweeper(&self) -> &Sweeper;

    /// Closes what the upstream has closed, and what has been idle for too long. Whether nothing is left.
    fn sweep(&self) -> bool;
}

/// Sweeps from time to time, for as long as there is anything.
pub(super) fn look_after<T: Kept>(kept: &Arc<T>) {
    if kept.sweeper().0.swap(true, Ordering::Relaxed) {
        return;
    }
    let kept = Arc::downgrade(kept);
    let looking = async move {
        loop {
            sleep(SWEEP_INTERVAL).await;
            let Some(kept) = kept.upgrade() else {
                break;
            };
            if kept.sweep() {
                kept.sweeper().0.store(false, Ordering::Relaxed);
                break;
            }
        }
    };
    // When an upstream ends, all are closed at once, which is more than a task is told of in one turn.
    tokio::spawn(unconstrained(looking));
}

// An upstream that closes is not left waiting for long.
const SWEEP_INTERVAL: Duration = Duration::from_secs(5);
