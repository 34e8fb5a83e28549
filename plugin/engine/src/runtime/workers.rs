//! Threads for work that keeps a processor busy.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::{fmt, io};

use tokio::sync::oneshot;

use super::{Thread, thread};

/// A few threads and a queue of bounded length. Work for which there is no room is not taken: whoever asks is told at
/// once, instead of waiting behind everybody else.
pub struct Workers {
    // In this order: the threads end when there is no sender any more, and dropping them waits for that.
    queue: SyncSender<Job>,
    _threads: Vec<Thread>,
}

type Job = Box<dyn FnOnce() + Send>;

/// There is more to do than the queue holds, or the threads are gone.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("there is too much to do already")]
pub struct Busy;

impl Workers {
    /// Starts `threads` threads; besides the work that they do, `waiting` more is taken.
    ///
    /// # Errors
    /// When the system has no more threads to give.
    pub fn start(name: &str, threads: usize, waiting: usize) -> io::Result<Self> {
        let (queue, jobs) = sync_channel(waiting);
        let jobs = Arc::new(Mutex::new(jobs));
        let started = (0..threads).map(|_| {
            let jobs = Arc::clone(&jobs);
            thread(name, move || work_on(&jobs))
        });
        Ok(Self {
            _threads: started.collect::<Result<_, _>>()?,
            queue,
        })
    }

    /// Does `work` on one of the threads. A future that is dropped does not stop work that has begun.
    ///
    /// # Errors
    /// [`Busy`], and then nothing happens.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Busy> {
        let (sender, receiver) = oneshot::channel();
        let job: Job = Box::new(move || {
            // Nobody waits any more when the client is gone: then there is nothing to work out.
            if !sender.is_closed() {
                let _ = sender.send(work());
            }
        });
        self.queue.try_send(job).map_err(|_| Busy)?;
        receiver.await.map_err(|_| Busy)
    }
}

fn work_on(jobs: &Mutex<Receiver<Job>>) {
    loop {
        // Locked while waiting: the others wait for the lock instead of for work.
        let next = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = next else { return };
        // A panic was reported by its hook and costs the one who waits for this work, not the thread.
        let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(job));
    }
}

impl fmt::Debug for Workers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Workers(..)")
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::sync::mpsc::channel;
    use std::task::{Context, Poll, Waker};

    use std::thread;

    use super::{Busy, Workers};

    #[tokio::test]
    async fn work_is_done_on_another_thread() {
        let workers = Workers::start("test", 1, 1).unwrap();
        let there = workers.run(thread_name).await;

        assert_eq!(there, Ok(Some("test".to_owned())));
    }

    #[tokio::test]
    async fn work_beyond_the_queue_is_refused_at_once() {
        let workers = Workers::start("test", 1, 1).unwrap();
        let (begun, has_begun) = channel();
        let (end, may_end) = channel::<()>();
        let mut running = pin!(workers.run(move || {
            begun.send(()).unwrap();
            let _ = may_end.recv();
        }));
        assert!(poll(running.as_mut()).is_pending());
        has_begun.recv().unwrap();
        let mut waiting = pin!(workers.run(|| 7));
        assert!(poll(waiting.as_mut()).is_pending());

        let refused = poll(pin!(workers.run(|| ())));

        assert_eq!(refused, Poll::Ready(Err(Busy)));
        drop(end);
        assert_eq!((running.await, waiting.await), (Ok(()), Ok(7)));
    }

    #[tokio::test]
    async fn panic_costs_the_one_who_waits_and_nobody_else() {
        let workers = Workers::start("test", 1, 1).unwrap();

        let lost: Result<(), Busy> = workers.run(|| panic!("on purpose")).await;
        let next = workers.run(|| 7).await;

        assert_eq!((lost, next), (Err(Busy), Ok(7)));
    }

    fn thread_name() -> Option<String> {
        let thread = thread::current();
        thread.name().map(str::to_owned)
    }

    fn poll<F: Future>(work: std::pin::Pin<&mut F>) -> Poll<F::Output> {
        work.poll(&mut Context::from_waker(Waker::noop()))
    }
}
