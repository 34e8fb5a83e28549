//! What a middleware gets when it names a storage.

use std::io;
use std::sync::Arc;

use tokio::sync::watch;

use super::Rows;
use crate::runtime::{Runtime, Task};

/// Rows, and what else is known of the storage behind them.
#[derive(Clone)]
pub struct Backing {
    /// The rows, decoded.
    pub rows: Arc<dyn Rows>,
    /// Whether copies are kept that can be [recalled](Rows::recall) in an outage.
    pub has_copies: bool,
    /// None for a storage that cannot fail over.
    pub failovers: Option<Failovers>,
    /// Whether other processes can see the same rows. Where it is not known, they can.
    pub is_shared: bool,
}

impl Backing {
    /// Rows that end with this process.
    pub(super) fn private(rows: Arc<dyn Rows>) -> Self {
        Self {
            is_shared: false,
            ..rows.into()
        }
    }
}

/// News that another server answers for the storage from now on, which may lack the last writes of the one before it.
#[derive(Clone, Debug)]
pub struct Failovers {
    count: watch::Receiver<u64>,
    runtime: Arc<Runtime>,
}

impl Failovers {
    /// Counted by `count`; what is to be done about them runs on `runtime`.
    pub const fn new(count: watch::Receiver<u64>, runtime: Arc<Runtime>) -> Self {
        Self { count, runtime }
    }

    /// Runs `work` after each one, for as long as the task is kept. One that comes while `work` runs is not missed;
    /// several of them count as one.
    ///
    /// # Errors
    /// When the threads cannot be started.
    pub fn each<F>(&self, mut work: impl FnMut() -> F + Send + 'static) -> io::Result<Task>
    where
        F: Future<Output = ()> + Send,
    {
        let mut count = self.count.clone();
        count.mark_unchanged();
        self.runtime.spawn(async move {
            while count.changed().await.is_ok() {
                work().await;
            }
        })
    }
}

/// A storage about which nothing else is known.
impl From<Arc<dyn Rows>> for Backing {
    fn from(rows: Arc<dyn Rows>) -> Self {
        Self {
            rows,
            has_copies: false,
            failovers: None,
            is_shared: true,
        }
    }
}

impl<R: Rows> From<Arc<R>> for Backing {
    fn from(rows: Arc<R>) -> Self {
        (rows as Arc<dyn Rows>).into()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn work_is_done_after_each_failover_and_not_before_the_first() {
        let (failover, count) = watch::channel(7);
        let failovers = Failovers::new(count, Arc::default());
        let (done, doing) = channel();
        let mut times = 0;
        let _task = failovers.each(move || {
            times += 1;
            let told = done.send(times);
            async move { told.expect("the test waits for it") }
        });

        for time in 1..=2 {
            failover.send_modify(|count| *count += 1);
            assert_eq!(doing.recv(), Ok(time));
        }
        assert!(doing.try_recv().is_err());
    }
}
