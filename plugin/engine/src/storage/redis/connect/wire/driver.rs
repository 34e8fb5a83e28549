//! What carries the bytes.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::ReadBuf;
use tokio::time::Instant;

use super::super::stream::Stream;
use super::alarm::Alarm;
use super::{Wire, reply};

/// Ends when the server ends the connection, or says what is no answer. Whoever waits then is told.
pub(crate) struct Driver {
    stream: Pin<Box<dyn Stream>>,
    wire: Wire,
    outgoing: Vec<u8>,
    /// How much of that has been written.
    written: usize,
    is_flushed: bool,
    received: Received,
    alarm: Alarm,
}

/// What was read and is not understood yet.
struct Received {
    room: Vec<u8>,
    begin: usize,
    end: usize,
}

impl Driver {
    pub(super) fn new(stream: Pin<Box<dyn Stream>>, wire: Wire) -> Self {
        Self {
            stream,
            wire,
            outgoing: Vec::new(),
            written: 0,
            is_flushed: true,
            received: Received::new(),
            alarm: Alarm::default(),
        }
    }

    /// Ready when everything there was to write is with the system.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            if self.written == self.outgoing.len() {
                self.outgoing.clear();
                self.written = 0;
                self.wire.questions().swap_outgoing(&mut self.outgoing, cx);
            }
            let rest = &self.outgoing[self.written..];
            if rest.is_empty() {
                break;
            }
            match ready!(self.stream.as_mut().poll_write(cx, rest))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                count => self.written += count,
            }
            self.is_flushed = false;
        }
        if !self.is_flushed {
            ready!(self.stream.as_mut().poll_flush(cx))?;
            self.is_flushed = true;
        }
        Poll::Ready(Ok(()))
    }

    /// Ready when the connection is over.
    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            let mut free = ReadBuf::new(self.received.free());
            ready!(self.stream.as_mut().poll_read(cx, &mut free))?;
            let count = free.filled().len();
            if count == 0 {
                return Poll::Ready(Ok(()));
            }
            self.received.end += count;
            self.answer()?;
        }
    }

    /// Lets go whoever has waited long enough, and waits for the next one who will have.
    fn expire(&mut self, cx: &mut Context<'_>) {
        loop {
            let deadline = self.wire.questions().deadline();
            let Some(deadline) = deadline else {
                return;
            };
            if self.alarm.poll(deadline, cx).is_pending() {
                return;
            }
            self.wire.questions().expire(Instant::now());
        }
    }

    fn answer(&mut self) -> io::Result<()> {
        let mut questions = self.wire.questions();
        while let Some((answer, length)) = reply::parse(self.received.bytes())? {
            self.received.begin += length;
            if !questions.answer(answer) {
                return Err(io::ErrorKind::InvalidData.into());
            }
        }
        Ok(())
    }
}

impl Future for Driver {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if let Poll::Ready(Err(_)) = self.poll_write(cx) {
            return Poll::Ready(());
        }
        if self.poll_read(cx).is_ready() {
            return Poll::Ready(());
        }
        self.expire(cx);
        Poll::Pending
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.wire.questions().end();
    }
}

impl Received {
    fn new() -> Self {
        Self {
            room: vec![0; ROOM],
            begin: 0,
            end: 0,
        }
    }

    fn bytes(&self) -> &[u8] {
        &self.room[self.begin..self.end]
    }

    /// Room for what comes, never none.
    fn free(&mut self) -> &mut [u8] {
        if self.begin == self.end {
            (self.begin, self.end) = (0, 0);
            // One large answer is no reason to keep as much room for ever.
            self.room.truncate(ROOM);
            self.room.shrink_to(ROOM);
        }
        if self.end == self.room.len() {
            self.room.copy_within(self.begin..self.end, 0);
            (self.begin, self.end) = (0, self.end - self.begin);
        }
        if self.end == self.room.len() {
            self.room.resize(2 * self.end, 0);
        }
        &mut self.room[self.end..]
    }
}

/// In bytes: the answers to some dozen commands.
const ROOM: usize = 16 * 1024;
