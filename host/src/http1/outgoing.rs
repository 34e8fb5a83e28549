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
        while self.left() > 0 {
            let parts = [self.before.chunk(), &self.data, self.behind].map(IoSlice::new);
            let written = ready!(Pin::new(&mut *stream).poll_write_vectored(cx, &parts))?;
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
                *left = left.checked_sub(sent).ok_or(BodyError::Malformed)?;
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
            Size::Known(_) => return Err(BodyError::ClientGone),
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
