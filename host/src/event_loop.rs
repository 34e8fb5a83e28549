//! The event loops of the workers, lent to plugins.

use std::io;
use std::os::fd::OwnedFd;
use std::task::{Context, Poll};

use abi::EventLoop;
use abi::event_loop::{EventLoopObject, Interest, WatchObject};
use tokio::net::TcpStream;
use tokio::runtime::Handle;

/// The event loop of the thread that calls, if it is one of the gateway's.
pub(crate) fn current() -> Option<EventLoop> {
    Handle::try_current().ok().map(of)
}

/// The event loop of this runtime, which has to be one of a single thread: what a plugin runs on it stays there.
pub fn of(thread: Handle) -> EventLoop {
    EventLoop::new(Lent(thread))
}

struct Lent(Handle);

/// Any stream socket: only its readiness is asked for, which is the same for all kinds.
struct Watch(TcpStream);

impl EventLoopObject for Lent {
    fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.0.spawn(work);
    }

    fn watch(&self, descriptor: OwnedFd) -> io::Result<impl WatchObject> {
        let _entered = self.0.enter();
        TcpStream::from_std(descriptor.into()).map(Watch)
    }
}

impl WatchObject for Watch {
    fn poll_ready(&self, context: &mut Context<'_>, interest: Interest) -> Poll<io::Result<()>> {
        match interest {
            Interest::Read => self.0.poll_read_ready(context),
            Interest::Write => self.0.poll_write_ready(context),
        }
    }

    fn clear_ready(&self, interest: Interest) {
        let interest = match interest {
            Interest::Read => tokio::io::Interest::READABLE,
            Interest::Write => tokio::io::Interest::WRITABLE,
        };
        // An attempt that would block is how the loop is told.
        let would_block = || Err::<(), _>(io::ErrorKind::WouldBlock.into());
        let _ = self.0.try_io(interest, would_block);
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::io::{Read, Write};
    use std::os::unix::net::UnixStream;
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn a_thread_that_is_not_the_gateways_has_none() {
        assert!(current().is_none());
    }

    #[tokio::test]
    async fn work_goes_on_when_its_socket_is_ready() {
        let (ours, mut theirs) = pair();
        let socket = current().unwrap().watch(ours).unwrap();
        let reading = tokio::spawn(async move {
            let mut byte = [0];
            let mut read = |mut socket: &UnixStream| socket.read(&mut byte);
            let length =
                poll_fn(|context| socket.poll_io(context, Interest::Read, &mut read)).await;
            (length.ok(), byte[0])
        });
        tokio::task::yield_now().await;
        assert!(!reading.is_finished());

        theirs.write_all(b"x").unwrap();

        assert_eq!(reading.await.unwrap(), (Some(1), b'x'));
    }

    #[tokio::test]
    async fn a_full_socket_is_ready_again_when_there_is_room() {
        let (ours, mut theirs) = pair();
        let socket = current().unwrap().watch(ours).unwrap();
        let piece = [0; 65536];
        let mut waker = Context::from_waker(std::task::Waker::noop());
        let mut write = || {
            socket.poll_io(&mut waker, Interest::Write, |mut socket| {
                socket.write(&piece)
            })
        };
        let mut written = 0;
        // The first time, the loop has to say that there is room at all.
        while written == 0 {
            tokio::task::yield_now().await;
            while let Poll::Ready(Ok(length)) = write() {
                written += length;
            }
        }

        let mut all = vec![0; written];
        theirs.read_exact(&mut all).unwrap();

        let piece = |mut socket: &UnixStream| socket.write(&piece);
        let again = poll_fn(|context| socket.poll_io(context, Interest::Write, piece)).await;
        assert!(again.unwrap() > 0);
    }

    #[tokio::test]
    async fn work_runs_on_the_thread_of_the_loop() {
        let (tell, told) = mpsc::channel();
        let thread = std::thread::current().id();

        current().unwrap().spawn(async move {
            let _ = tell.send(std::thread::current().id());
        });
        tokio::task::yield_now().await;

        assert_eq!(told.recv().unwrap(), thread);
    }

    fn pair() -> (UnixStream, UnixStream) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        (ours, theirs)
    }
}
