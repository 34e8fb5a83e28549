//! The threads of this plugin that wait for networks and disks. The only module that owns a runtime or spawns.
//!
//! A plugin has its own copy of tokio and cannot use the gateway's: it starts threads of its own, late and few. What
//! every request waits for is better off on the gateway's own threads, where the gateway lends them ([`LentStream`]).

mod lent;
mod workers;

use std::future::poll_fn;
use std::num::NonZeroUsize;
use std::pin::pin;
use std::{fmt, io, thread};

use abi::EventLoop;
use once_cell::sync::OnceCell;
use tokio::runtime::{Builder, Handle, Runtime as Tokio};
use tokio::task::JoinHandle;

pub use self::lent::LentStream;
pub use self::workers::{Busy, Workers};

/// A tokio runtime that starts with the first thing that needs it.
pub struct Runtime {
    io_threads: NonZeroUsize,
    tokio: OnceCell<Tokio>,
    lender: Option<Lender>,
}

type Lender = Box<dyn Fn() -> Option<EventLoop> + Send + Sync>;

impl Runtime {
    /// A runtime of `io_threads`, started when it is first needed. One thread drives hundreds of thousands of
    /// commands a second; more are for machines with many cores.
    pub const fn new(io_threads: NonZeroUsize) -> Self {
        Self {
            io_threads,
            tokio: OnceCell::new(),
            lender: None,
        }
    }

    /// The same, with the event loops that `lender` has for the threads that call it.
    #[must_use]
    pub fn borrowing(self, lender: impl Fn() -> Option<EventLoop> + Send + Sync + 'static) -> Self {
        let lender: Option<Lender> = Some(Box::new(lender));
        Self {
            io_threads: self.io_threads,
            lender,
            tokio: OnceCell::new(),
        }
    }

    /// How many threads it starts.
    pub const fn io_threads(&self) -> NonZeroUsize {
        self.io_threads
    }

    /// The event loop of the thread that calls this, if somebody lends it.
    pub fn event_loop(&self) -> Option<EventLoop> {
        self.lender.as_ref()?()
    }

    /// Starts the threads, unless they run already.
    ///
    /// # Errors
    /// When the system has no more threads to give.
    pub fn start(&self) -> io::Result<&Handle> {
        self.tokio
            .get_or_try_init(|| self.build())
            .map(Tokio::handle)
    }

    /// Runs `work` on the threads until it ends or the returned task is dropped.
    ///
    /// # Errors
    /// When the threads cannot be started.
    pub fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) -> io::Result<Task> {
        Ok(Task(self.start()?.spawn(work)))
    }

    /// Runs `work` on the threads until it ends. Nobody has to wait for it, and nobody's going away ends it.
    ///
    /// # Errors
    /// When the threads cannot be started.
    pub fn launch(&self, work: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
        drop(self.start()?.spawn(work));
        Ok(())
    }

    fn build(&self) -> io::Result<Tokio> {
        Builder::new_multi_thread()
            .worker_threads(self.io_threads.get())
            .thread_name("session-io")
            .enable_all()
            .build()
    }
}

impl Default for Runtime {
    fn default() -> Self {
        Self::new(NonZeroUsize::MIN)
    }
}

/// Does not wait for what still runs: this may happen on a thread that must not block.
impl Drop for Runtime {
    fn drop(&mut self) {
        if let Some(tokio) = self.tokio.take() {
            tokio.shutdown_background();
        }
    }
}

impl fmt::Debug for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runtime")
            .field("io_threads", &self.io_threads)
            .finish_non_exhaustive()
    }
}

/// Work on a runtime. Dropping it ends the work.
#[derive(Debug)]
pub struct Task(JoinHandle<()>);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Runs `work` on a thread of its own, for work that blocks, as on a disk. Dropping the thread waits for the end of
/// the work: whoever drops it has told the work to end.
///
/// # Errors
/// When the system has no more threads to give.
pub fn thread(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<Thread> {
    let thread = thread::Builder::new().name(name.into()).spawn(work)?;
    Ok(Thread(Some(thread)))
}

/// A thread that ends before its owner does.
#[derive(Debug)]
pub struct Thread(Option<thread::JoinHandle<()>>);

impl Drop for Thread {
    fn drop(&mut self) {
        if let Some(thread) = self.0.take() {
            // A panic on it was reported where it happened.
            let _ = thread.join();
        }
    }
}

/// Lets a future that uses timers or sockets of `runtime` be polled on any thread.
///
/// The runtime is entered in every poll, not once: the future may be polled on another thread each time. Measured
/// against spawning each command on the runtime, this has four times the throughput.
pub async fn entered<F: Future>(runtime: Handle, work: F) -> F::Output {
    let mut work = pin!(work);
    poll_fn(move |context| {
        let _entered = runtime.enter();
        work.as_mut().poll(context)
    })
    .await
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::task::{Context, Poll, Waker};
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_timer_can_be_polled_on_a_foreign_thread() {
        let runtime = Runtime::default();
        let sleep = async { tokio::time::sleep(Duration::from_secs(3600)).await };

        let poll = pin!(entered(runtime.start().unwrap().clone(), sleep))
            .poll(&mut Context::from_waker(Waker::noop()));

        assert_eq!(poll, Poll::Pending);
    }

    #[test]
    fn no_thread_starts_before_it_is_needed() {
        let runtime = Runtime::default();

        assert!(runtime.tokio.get().is_none());
        runtime.start().unwrap();
        assert!(runtime.tokio.get().is_some());
    }

    #[test]
    fn dropping_a_task_ends_its_work() {
        let runtime = Runtime::default();
        let (sender, receiver) = channel::<()>();
        let task = runtime
            .spawn(async move {
                let _held = sender;
                std::future::pending::<()>().await;
            })
            .unwrap();

        drop(task);

        assert!(receiver.recv().is_err(), "what the work held is dropped");
    }

    #[test]
    fn dropping_a_thread_waits_for_its_work() {
        let (sender, receiver) = channel();
        let (told, end) = channel::<()>();
        let thread = thread("test", move || {
            let _ = end.recv();
            let _ = sender.send(());
        })
        .unwrap();

        drop(told);
        drop(thread);

        assert_eq!(receiver.try_recv(), Ok(()));
    }

    #[tokio::test]
    async fn a_runtime_may_be_dropped_where_blocking_is_forbidden() {
        let runtime = Runtime::default();
        runtime.start().unwrap();

        drop(runtime);
    }
}
