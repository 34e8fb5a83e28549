//! A short response between its making and its sending.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::AsyncWrite;

/// Holds one response at most. Where it is written is kept for the next one.
#[derive(Default)]
pub(super) struct Outbox {
    message: Vec<u8>,
    sent: usize,
    /// Whether somebody comes for it.
    is_posted: bool,
    /// Why it could not be sent.
    failure: Option<io::Error>,
}

impl Outbox {
    /// Whether there is nothing to be sent.
    pub(super) fn is_empty(&self) -> bool {
        self.message.is_empty()
    }

    /// Whether somebody will come and send what is here.
    pub(super) const fn is_posted(&self) -> bool {
        self.is_posted
    }

    /// Room to write a response into.
    pub(super) fn room(&mut self) -> Vec<u8> {
        match self.is_empty() {
            true => std::mem::take(&mut self.message),
            false => Vec::new(),
        }
    }

    /// Keeps room that is not needed any more.
    pub(super) fn keep(&mut self, mut room: Vec<u8>) {
        if self.is_empty() {
            room.clear();
            self.message = room;
        }
    }

    /// Lets go of the room.
    pub(super) fn let_go(&mut self) {
        if self.is_empty() {
            self.message = Vec::new();
        }
    }

    /// Takes a response, where there is none. Whether somebody has to be told of it.
    pub(super) fn put(&mut self, message: Vec<u8>) -> bool {
        debug_assert!(self.is_empty(), "responses are sent in their order");
        self.message = message;
        !std::mem::replace(&mut self.is_posted, true)
    }

    /// Sends what can be sent at once. The task behind `cx` is woken when it has something to do about the rest.
    pub(super) fn deliver(&mut self, stream: &mut (impl AsyncWrite + Unpin), cx: &mut Context<'_>) {
        self.is_posted = false;
        if let Poll::Ready(Err(error)) = self.poll_sent(stream, cx) {
            self.failure = Some(error);
            cx.waker().wake_by_ref();
        }
    }

    /// Ready when everything is sent.
    pub(super) fn poll_sent(
        &mut self,
        stream: &mut (impl AsyncWrite + Unpin),
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        if let Some(failure) = self.failure.take() {
            return Poll::Ready(Err(failure));
        }
        while self.sent < self.message.len() {
            let rest = &self.message[self.sent..];
            match ready!(Pin::new(&mut *stream).poll_write(cx, rest))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                written => self.sent += written,
            }
        }
        if !self.is_empty() {
            ready!(Pin::new(stream).poll_flush(cx))?;
            self.message.clear();
            self.sent = 0;
        }
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::task::Wake;

    use super::*;

    #[test]
    fn what_is_not_taken_at_once_is_sent_when_there_is_room() {
        let (mut outbox, mut stream) = (Outbox::default(), Narrow::taking([3, 2, 10]));
        let mut cx = Context::from_waker(std::task::Waker::noop());

        assert!(outbox.put(b"response".to_vec()));
        outbox.deliver(&mut stream, &mut cx);
        assert_eq!((&*stream.taken, outbox.is_posted()), (&b"res"[..], false));
        assert!(outbox.poll_sent(&mut stream, &mut cx).is_pending());
        assert!(outbox.poll_sent(&mut stream, &mut cx).is_ready());

        assert_eq!(stream.taken, b"response");
        assert!(outbox.is_empty());
    }

    #[test]
    fn failure_is_told_to_whoever_waits() {
        let (mut outbox, mut stream) = (Outbox::default(), Narrow::taking([0]));
        let wakes = Arc::new(Wakes::default());
        let waker = Arc::clone(&wakes).into();
        let mut cx = Context::from_waker(&waker);

        outbox.put(b"response".to_vec());
        outbox.deliver(&mut stream, &mut cx);

        assert_eq!(wakes.0.load(Ordering::Relaxed), 1);
        let Poll::Ready(Err(failure)) = outbox.poll_sent(&mut stream, &mut cx) else {
            panic!("it failed");
        };
        assert_eq!(failure.kind(), io::ErrorKind::WriteZero);
    }

    #[test]
    fn room_is_kept_and_never_that_of_a_response_that_waits() {
        let (mut outbox, mut stream) = (Outbox::default(), Narrow::taking([100, 100]));
        let mut cx = Context::from_waker(std::task::Waker::noop());
        outbox.keep(Vec::with_capacity(50));

        let mut room = outbox.room();
        assert!(room.capacity() >= 50);
        room.extend_from_slice(b"response");
        outbox.put(room);
        assert_eq!(outbox.room().capacity(), 0);
        outbox.keep(Vec::with_capacity(70));
        outbox.deliver(&mut stream, &mut cx);

        assert_eq!(stream.taken, b"response");
        assert!((50..70).contains(&outbox.room().capacity()));
    }

    #[test]
    fn nobody_is_sent_for_twice() {
        let (mut outbox, mut stream) = (Outbox::default(), Narrow::taking([100, 100]));
        let mut cx = Context::from_waker(std::task::Waker::noop());

        assert!(outbox.put(b"one".to_vec()));
        // Somebody who writes more sends it first.
        assert!(outbox.poll_sent(&mut stream, &mut cx).is_ready());
        assert!(!outbox.put(b"two".to_vec()));
        outbox.deliver(&mut stream, &mut cx);

        assert_eq!(stream.taken, b"onetwo");
        assert!(outbox.put(b"three".to_vec()));
    }

    /// Takes so many bytes each time, and says in between that there is no room.
    struct Narrow {
        takes: Vec<usize>,
        has_room: bool,
        taken: Vec<u8>,
    }

    impl Narrow {
        fn taking<const N: usize>(mut takes: [usize; N]) -> Self {
            takes.reverse();
            Self {
                takes: takes.to_vec(),
                has_room: true,
                taken: Vec::new(),
            }
        }
    }

    impl AsyncWrite for Narrow {
        fn poll_write(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            if !std::mem::replace(&mut self.has_room, false) {
                self.has_room = true;
                return Poll::Pending;
            }
            let size = self.takes.pop().unwrap_or_default().min(bytes.len());
            self.taken.extend_from_slice(&bytes[..size]);
            self.has_room = size == bytes.len();
            Poll::Ready(Ok(size))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    #[derive(Default)]
    struct Wakes(AtomicU32);

    impl Wake for Wakes {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
}
