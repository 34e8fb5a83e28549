//! A message on its way out.

use std::io::{self, Cursor, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use http::HeaderMap;
use http_body::Body;
use tokio::io::AsyncWrite;

use super::text::put_field;
use crate::body::BodyError;

/// What of a message is not sent yet.
#[derive(Debug)]
pub(crate) struct Outgoing {
    /// A head, or what stands before a chunk.
    before: Cursor<Vec<u8>>,
    data: Bytes,
    /// What stands behind a chunk. It goes with it: whoever reads a chunk may wait for its end.
    behind: &'static [u8],
    size: Size,
    state: State,
}

/// How a body is told from the next message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Size {
    /// Said before it.
    Known(u64),
    /// Said in parts, with trailers or without.
    Chunked(Trailers),
    /// By the end of the connection.
    UntilClose,
}

/// Whether the other end reads what comes behind a body.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Trailers {
    Sent,
    Dropped,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    /// Nothing has been sent.
    Untouched,
    Begun,
    /// There is nothing more than what stands here.
    End,
    Done,
}

/// Why a message is not sent to its end.
#[derive(Debug)]
pub(crate) enum Stopped {
    /// Its body failed.
    Body(BodyError),
    /// The connection did.
    Io(io::Error),
}

impl Outgoing {
    /// Begins with the head. `data` is what is there of the body, and goes with it.
    pub(crate) fn new(head: Vec<u8>, size: Size, data: Bytes) -> Self {
        let size = match size {
            Size::Known(length) => Size::Known(length.saturating_sub(data.len() as u64)),
            size => size,
        };
        Self {
            before: Cursor::new(head),
            data,
            behind: b"",
            size,
            state: State::Untouched,
        }
    }

    pub(crate) fn is_untouched(&self) -> bool {
        self.state == State::Untouched
    }

    pub(crate) fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// All of it in one piece, if it is complete, short, and nothing of it was sent. Then nothing is left here.
    pub(crate) fn take_whole(&mut self) -> Option<Vec<u8>> {
        if !self.is_complete() || !self.is_untouched() {
            return None;
        }
        self.join();
        let is_whole = self.data.is_empty() && self.behind.is_empty();
        is_whole.then(|| {
            self.state = State::Done;
            std::mem::take(self.before.get_mut())
        })
    }

    /// Its head, to write another one there.
    pub(crate) fn into_room(self) -> Vec<u8> {
        let mut room = self.before.into_inner();
        room.clear();
        room
    }

    /// Takes the first part of a body, so that it goes with the head. Not for what may have to be sent again.
    ///
    /// # Errors
    /// When the body fails before it has begun.
    pub(crate) fn gather(
        &mut self,
        body: Pin<&mut impl Body<Data = Bytes, Error = BodyError>>,
        cx: &mut Context<'_>,
    ) -> Result<(), BodyError> {
        match self.is_complete() {
            true => Ok(()),
            false => match self.poll_body(body, cx) {
                Poll::Ready(taken) => taken,
                Poll::Pending => Ok(()),
            },
        }
    }

    /// Sends what can be sent. Ready when that is all.
    pub(crate) fn poll(
        &mut self,
        mut body: Pin<&mut impl Body<Data = Bytes, Error = BodyError>>,
        stream: &mut (impl AsyncWrite + Unpin),
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Stopped>> {
        while !self.is_complete() {
            ready!(self.poll_next(body.as_mut(), stream, cx))?;
        }
        self.poll_last(stream, cx).map_err(Stopped::Io)
    }

    /// Sends what is there, and takes the next part of the body.
    pub(crate) fn poll_next(
        &mut self,
        body: Pin<&mut impl Body<Data = Bytes, Error = BodyError>>,
        stream: &mut (impl AsyncWrite + Unpin),
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Stopped>> {
        ready!(self.poll_write(stream, cx)).map_err(Stopped::Io)?;
        let taken = self.poll_body(body, cx);
        if taken.is_pending() {
            // What came until now may not wait for what comes next.
            ready!(Pin::new(stream).poll_flush(cx)).map_err(Stopped::Io)?;
        }
        taken.map_err(Stopped::Body)
    }

    /// Sends what is there of a message that is complete.
    pub(crate) fn poll_last(
        &mut self,
        stream: &mut (impl AsyncWrite + Unpin),
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(self.poll_write(stream, cx))?;
        self.state = State::Done;
        Pin::new(stream).poll_flush(cx)
    }

    /// Whether the body has nothing more to give. Whoever has all of it may answer before the body has said that it has
    /// ended.
    pub(crate) fn is_complete(&self) -> bool {
        matches!(self.state, State::End | State::Done) || self.size == Size::Known(0)
    }

    fn poll_write(
        &mut self,
        stream: &mut (impl AsyncWrite + Unpin),
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        self.join();
        while self.left() > 0 {
            let parts = [self.before.chunk(), &self.data, self.behind];
            let stream = Pin::new(&mut *stream);
            let written = ready!(match only(parts) {
                Some(part) => stream.poll_write(cx, part),
                None => stream.poll_write_vectored(cx, &parts.map(IoSlice::new)),
            })?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            if self.state == State::Untouched {
                self.state = State::Begun;
            }
            self.advance(written);
        }
        Poll::Ready(Ok(()))
    }

    /// Copies what is small behind what stands before it: to send one part takes less of the kernel than to send two.
    fn join(&mut self) {
        let small = self.data.len() + self.behind.len();
        if self.before.has_remaining() && (1..=MAX_JOINED).contains(&small) {
            let before = self.before.get_mut();
            before.extend_from_slice(&std::mem::take(&mut self.data));
            before.extend_from_slice(std::mem::take(&mut self.behind));
        }
    }

    fn left(&self) -> usize {
        self.before.remaining() + self.data.len() + self.behind.len()
    }

    fn advance(&mut self, mut written: usize) {
        let parts: [&mut dyn Buf; 3] = [&mut self.before, &mut self.data, &mut self.behind];
        for part in parts {
            let of_part = written.min(part.remaining());
            part.advance(of_part);
            written -= of_part;
        }
    }

    /// Takes the next part of the body.
    fn poll_body(
        &mut self,
        body: Pin<&mut impl Body<Data = Bytes, Error = BodyError>>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), BodyError>> {
        let frame = ready!(body.poll_frame(cx)).transpose()?;
        let Some(frame) = frame else {
            return Poll::Ready(self.end(&HeaderMap::new()));
        };
        Poll::Ready(match frame.into_data() {
            Ok(data) => self.data(data),
            Err(frame) => match frame.into_trailers() {
                Ok(trailers) => self.end(&trailers),
                Err(_) => Ok(()),
            },
        })
    }

    fn data(&mut self, data: Bytes) -> Result<(), BodyError> {
        match &mut self.size {
            // Whoever has it is told a length that is true, or nothing more.
            Size::Known(left) => {
                let sent = data.len() as u64;
                *left = left.checked_sub(sent).ok_or(BodyError::Length)?;
            }
            Size::Chunked(_) if data.is_empty() => return Ok(()),
            Size::Chunked(_) => {
                self.say(&[format!("{:x}\r\n", data.len()).as_bytes()]);
                self.behind = b"\r\n";
            }
            Size::UntilClose => {}
        }
        self.data = data;
        Ok(())
    }

    fn end(&mut self, trailers: &HeaderMap) -> Result<(), BodyError> {
        match self.size {
            Size::Known(_) => return Err(BodyError::Length),
            Size::Chunked(kind) => {
                let mut last = b"0\r\n".to_vec();
                let trailers = trailers.iter().filter(|_| kind == Trailers::Sent);
                for (name, value) in trailers {
                    put_field(&mut last, name, value);
                }
                self.say(&[&last, b"\r\n"]);
            }
            Size::UntilClose => {}
        }
        self.state = State::End;
        Ok(())
    }

    /// Says something behind what is still to be said, and before the next data.
    fn say(&mut self, parts: &[&[u8]]) {
        if !self.before.has_remaining() {
            self.before.set_position(0);
            self.before.get_mut().clear();
        }
        for part in parts {
            self.before.get_mut().extend_from_slice(part);
        }
    }
}

/// The part that is all there is, if there is but one.
fn only(parts: [&[u8]; 3]) -> Option<&[u8]> {
    let mut there = parts.into_iter().filter(|part| !part.is_empty());
    match (there.next(), there.next()) {
        (only, None) => only,
        _ => None,
    }
}

// Up to here a copy takes less time than the kernel needs for a second part.
const MAX_JOINED: usize = 4 * 1024;

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::task::Waker;

    use http_body::Frame;

    use super::*;

    #[test]
    fn a_small_body_goes_with_its_head_in_one_part() {
        let written = sent(b"head;", vec![b'x'; MAX_JOINED]);

        assert_eq!(written.len(), 1);
        assert_eq!(written[0].len(), 5 + MAX_JOINED);
        assert!(written[0].starts_with(b"head;xx"));
    }

    #[test]
    fn a_large_body_is_not_copied_and_goes_with_its_head() {
        let written = sent(b"head;", vec![b'x'; MAX_JOINED + 1]);

        assert_eq!(written, [b"head;".to_vec(), vec![b'x'; MAX_JOINED + 1]]);
    }

    #[test]
    fn what_is_taken_byte_by_byte_is_the_same() {
        for length in [0, 1, MAX_JOINED, MAX_JOINED + 1] {
            for size in [
                Size::Known(length as u64),
                Size::Chunked(Trailers::Dropped),
                Size::UntilClose,
            ] {
                let send = |most| {
                    let mut wire = Wire::new(most);
                    let body = Bytes::from(vec![b'x'; length]);
                    send(
                        Outgoing::new(b"head;".to_vec(), size, Bytes::new()),
                        [body],
                        &mut wire,
                    );
                    wire.parts.concat()
                };

                assert_eq!(send(1), send(usize::MAX), "{length} {size:?}");
            }
        }
    }

    #[test]
    fn an_empty_part_does_not_end_a_body_in_chunks() {
        let mut wire = Wire::new(usize::MAX);
        let parts = ["one", "", "three"].map(Bytes::from);
        let outgoing = Outgoing::new(Vec::new(), Size::Chunked(Trailers::Dropped), Bytes::new());

        send(outgoing, parts, &mut wire);

        let sent = wire.parts.concat();
        assert_eq!(sent, b"3\r\none\r\n5\r\nthree\r\n0\r\n\r\n");
    }

    #[test]
    fn a_body_that_is_not_as_long_as_was_said_is_stopped() {
        let stopped = |body: &'static str| {
            let mut wire = Wire::new(usize::MAX);
            let mut outgoing = Outgoing::new(b"head;".to_vec(), Size::Known(2), Bytes::new());
            let mut body = Parts([Bytes::from(body)].into());
            let mut cx = Context::from_waker(Waker::noop());
            let sent = outgoing.poll(Pin::new(&mut body), &mut wire, &mut cx);
            match sent {
                Poll::Ready(Err(Stopped::Body(reason))) => reason,
                other => panic!("{other:?}"),
            }
        };

        assert!(matches!(stopped("long"), BodyError::Length));
        assert!(matches!(stopped("s"), BodyError::Length));
    }

    /// The parts that are written at once.
    fn sent(head: &[u8], body: Vec<u8>) -> Vec<Vec<u8>> {
        let mut wire = Wire::new(usize::MAX);
        let size = Size::Known(body.len() as u64);
        let mut outgoing = Outgoing::new(head.to_vec(), size, Bytes::new());
        let mut cx = Context::from_waker(Waker::noop());
        let mut body = Parts([body.into()].into());
        outgoing.gather(Pin::new(&mut body), &mut cx).unwrap();
        send(outgoing, [], &mut wire);
        assert_eq!(wire.writes, 1);
        wire.parts
    }

    fn send(mut outgoing: Outgoing, body: impl Into<VecDeque<Bytes>>, wire: &mut Wire) {
        let mut body = Parts(body.into());
        let mut cx = Context::from_waker(Waker::noop());
        let sent = outgoing.poll(Pin::new(&mut body), wire, &mut cx);
        assert!(matches!(sent, Poll::Ready(Ok(()))));
    }

    /// A body that comes in these.
    struct Parts(VecDeque<Bytes>);

    impl Body for Parts {
        type Data = Bytes;
        type Error = BodyError;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
            Poll::Ready(self.0.pop_front().map(|part| Ok(Frame::data(part))))
        }
    }

    /// Takes so many bytes at a time.
    struct Wire {
        most: usize,
        parts: Vec<Vec<u8>>,
        writes: usize,
    }

    impl Wire {
        fn new(most: usize) -> Self {
            Self {
                most,
                parts: Vec::new(),
                writes: 0,
            }
        }
    }

    impl AsyncWrite for Wire {
        fn poll_write(
            self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            self.poll_write_vectored(cx, &[IoSlice::new(bytes)])
        }

        fn poll_write_vectored(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            parts: &[IoSlice<'_>],
        ) -> Poll<io::Result<usize>> {
            self.writes += 1;
            let mut written = 0;
            for part in parts {
                let taken = part.len().min(self.most - written);
                if taken > 0 {
                    self.parts.push(part[..taken].to_vec());
                }
                written += taken;
            }
            Poll::Ready(Ok(written))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }
}
