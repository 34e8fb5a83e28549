//! The gateway's event loops, lent to plugins that talk to a network.

use std::fmt;
use std::io;
use std::os::fd::AsFd;
use std::task::{Context, Poll, ready};

pub use crate::raw::event_loop::{EventLoopObject, WatchObject};
use crate::raw::event_loop::{RawEventLoop, RawWatch};

/// The event loop of one thread of the gateway; from [`Services::event_loop`](crate::Services::event_loop).
///
/// A plugin has its own copy of every crate it is built of, so on the gateway's threads its sockets have nobody who
/// waits for them. Sockets that are watched here are waited for by the very call that waits for requests, and no other
/// thread has to run before a request goes on: under load that is half of what an answer from a network costs.
#[derive(Clone)]
pub struct EventLoop {
    raw: RawEventLoop,
}

/// For what a socket is to be ready.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Interest {
    /// There is something to read, or nothing will come any more.
    Read,
    /// There is room to write, or nobody will read any more.
    Write,
}

/// A socket that an event loop watches. It must not block.
pub struct Watched<S> {
    raw: RawWatch,
    source: S,
}

impl EventLoop {
    /// Wraps the event loop of a thread, or a test's stand-in for one.
    pub fn new(event_loop: impl EventLoopObject) -> Self {
        Self {
            raw: RawEventLoop::new(event_loop),
        }
    }

    pub(crate) const fn from_raw(raw: RawEventLoop) -> Self {
        Self { raw }
    }

    pub(crate) fn into_raw(self) -> RawEventLoop {
        self.raw
    }

    /// Runs `work` on the thread of this loop, until it ends or the gateway does. A panic in it is logged and ends it.
    pub fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.raw.spawn(Box::pin(work));
    }

    /// Watches `source`, a stream socket in non-blocking mode. The gateway does so through a descriptor of its own.
    ///
    /// # Errors
    /// What the system says, for example that there are too many descriptors.
    pub fn watch<S: AsFd>(&self, source: S) -> io::Result<Watched<S>> {
        let descriptor = source.as_fd().try_clone_to_owned()?;
        let raw = self.raw.watch(descriptor)?;
        Ok(Watched { raw, source })
    }
}

impl<S> Watched<S> {
    /// Makes an `attempt` as soon as the socket is ready for `interest`, and again whenever it would have blocked.
    ///
    /// For each interest, the task that polled last is woken.
    ///
    /// # Errors
    /// What the attempt says, or that the event loop is gone.
    pub fn poll_io<T>(
        &self,
        context: &mut Context<'_>,
        interest: Interest,
        mut attempt: impl FnMut(&S) -> io::Result<T>,
    ) -> Poll<io::Result<T>> {
        loop {
            ready!(self.raw.poll_ready(context, interest))?;
            match attempt(&self.source) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.raw.clear_ready(interest);
                }
                done => return Poll::Ready(done),
            }
        }
    }

    /// Says what an attempt can tell that did less than it could: the socket is not ready any more. It spares the
    /// attempt that would find out.
    pub fn clear_ready(&self, interest: Interest) {
        self.raw.clear_ready(interest);
    }

    /// The socket.
    pub const fn source(&self) -> &S {
        &self.source
    }
}

impl Interest {
    pub(crate) const fn from_code(code: u8) -> Self {
        match code {
            0 => Self::Read,
            _ => Self::Write,
        }
    }
}

impl fmt::Debug for EventLoop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EventLoop(..)")
    }
}

impl<S: fmt::Debug> fmt::Debug for Watched<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Watched").field(&self.source).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::OwnedFd;
    use std::os::unix::net::UnixStream;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Waker;

    use super::*;

    #[test]
    fn an_attempt_that_would_block_is_made_again_when_the_loop_says_so() {
        let cleared = Arc::new(AtomicUsize::new(0));
        let watched = watched(Arc::clone(&cleared));
        let mut attempts = 0;
        let attempt = |_: &UnixStream| {
            attempts += 1;
            match attempts {
                3 => Ok("done"),
                _ => Err(io::ErrorKind::WouldBlock.into()),
            }
        };
        let mut context = Context::from_waker(Waker::noop());

        let done = watched.poll_io(&mut context, Interest::Write, attempt);

        assert!(matches!(done, Poll::Ready(Ok("done"))), "{done:?}");
        assert_eq!(cleared.load(Ordering::Relaxed), 2);
    }

    #[test]
    fn no_attempt_is_made_while_the_socket_is_not_ready() {
        let watched = watched(Arc::default());
        let mut context = Context::from_waker(Waker::noop());

        let polled = watched.poll_io(&mut context, Interest::Read, |_| {
            panic!("an attempt was made")
        });

        assert!(matches!(polled, Poll::<io::Result<()>>::Pending));
    }

    #[test]
    fn a_panic_in_spawned_work_ends_only_the_work() {
        EventLoop::new(AtOnce(Arc::default())).spawn(async { panic!("of the plugin") });
    }

    fn watched(cleared: Arc<AtomicUsize>) -> Watched<UnixStream> {
        let (ours, _) = UnixStream::pair().unwrap();
        EventLoop::new(AtOnce(cleared)).watch(ours).unwrap()
    }

    /// Runs work where it is spawned, and calls every socket ready to be written.
    struct AtOnce(Arc<AtomicUsize>);

    impl EventLoopObject for AtOnce {
        fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
            let polled = Box::pin(work)
                .as_mut()
                .poll(&mut Context::from_waker(Waker::noop()));
            assert!(polled.is_ready());
        }

        fn watch(&self, _: OwnedFd) -> io::Result<impl WatchObject> {
            Ok(Self(Arc::clone(&self.0)))
        }
    }

    impl WatchObject for AtOnce {
        fn poll_ready(&self, _: &mut Context<'_>, interest: Interest) -> Poll<io::Result<()>> {
            match interest {
                Interest::Read => Poll::Pending,
                Interest::Write => Poll::Ready(Ok(())),
            }
        }

        fn clear_ready(&self, _: Interest) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
}
