//! A request on its way out.

use std::io::{Cursor, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use http::{HeaderMap, Request};
use http_body::Body as _;
use tokio::io::AsyncWrite;

use super::Error;
use super::head::{self, Size};
use crate::body::{Body, BodyError};

/// What of a request is not sent yet.
pub(super) struct Upload {
    /// A head, or what stands before a chunk.
    before: Cursor<Vec<u8>>,
    data: Bytes,
    /// What stands behind a chunk. It goes with it: whoever reads a chunk may wait for its end.
    behind: &'static [u8],
    size: Size,
    state: State,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    /// Nothing has been sent.
    Untouched,
    Begun,
    /// Only the end of the last chunk is missing.
    End,
    Done,
}

/// Why a request is not sent to its end.
pub(super) enum Stopped {
    /// Its body failed.
    Client(BodyError),
    /// The connection did.
    Wire(Error),
}

impl Upload {
    /// Begins with the head. A body that is in memory goes with it.
    pub(super) fn new(request: &Request<Body>) -> Self {
        let mut head = Vec::with_capacity(head::length(request));
        let size = head::write(request, &mut head);
        let data = match request.body() {
            Body::Full(bytes) => bytes.clone(),
            Body::Empty | Body::Client(_) | Body::Upstream(_) => Bytes::new(),
        };
        Self {
            before: Cursor::new(head),
            data,
            behind: b"",
            size,
            state: State::Untouched,
        }
    }

    pub(super) fn is_untouched(&self) -> bool {
        self.state == State::Untouched
    }

    pub(super) fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// Sends what can be sent. Ready when that is all.
    pub(super) fn poll(
        &mut self,
        body: &mut Body,
        stream: &mut (impl AsyncWrite + Unpin),
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Stopped>> {
        while self.state != State::Done {
            ready!(self.poll_write(stream, cx)).map_err(Stopped::Wire)?;
            match self.state {
                State::End => self.state = State::Done,
                // Whoever has all of it may answer before the body has said that it has ended.
                _ if self.size == Size::Known(0) || body.is_replayable() => {
                    self.state = State::Done
                }
                _ => match self.poll_body(body, cx) {
                    Poll::Ready(taken) => taken.map_err(Stopped::Client)?,
                    // What came until now may not wait for what comes next.
                    Poll::Pending => {
                        let flushed = ready!(Pin::new(stream).poll_flush(cx));
                        return match flushed {
                            Ok(()) => Poll::Pending,
                            Err(error) => Poll::Ready(Err(Stopped::Wire(Error::Io(error)))),
                        };
                    }
                },
            }
        }
        Pin::new(stream)
            .poll_flush(cx)
            .map_err(|error| Stopped::Wire(Error::Io(error)))
    }

    fn poll_write(
        &mut self,
        stream: &mut (impl AsyncWrite + Unpin),
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Error>> {
        while self.left() > 0 {
            let parts = [self.before.chunk(), &self.data, self.behind].map(IoSlice::new);
            let written = Pin::new(&mut *stream).poll_write_vectored(cx, &parts);
            let written = ready!(written).map_err(Error::Io)?;
            if written == 0 {
                return Poll::Ready(Err(Error::Io(std::io::ErrorKind::WriteZero.into())));
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
    fn poll_body(&mut self, body: &mut Body, cx: &mut Context<'_>) -> Poll<Result<(), BodyError>> {
        let frame = ready!(Pin::new(body).poll_frame(cx)).transpose()?;
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
            Size::Chunked if data.is_empty() => return Ok(()),
            Size::Chunked => {
                self.say(&[format!("{:x}\r\n", data.len()).as_bytes()]);
                self.behind = b"\r\n";
            }
        }
        self.data = data;
        Ok(())
    }

    fn end(&mut self, trailers: &HeaderMap) -> Result<(), BodyError> {
        match self.size {
            Size::Known(_) => return Err(BodyError::ClientGone),
            Size::Chunked => {
                let mut last = b"0\r\n".to_vec();
                for (name, value) in trailers {
                    let name = name.as_str().as_bytes();
                    last.extend([name, b": ", value.as_bytes(), b"\r\n"].concat());
                }
                self.say(&[&last, b"\r\n"]);
                self.state = State::End;
            }
        }
        Ok(())
    }

    /// Whatever was said before has been sent.
    fn say(&mut self, parts: &[&[u8]]) {
        self.before.set_position(0);
        self.before.get_mut().clear();
        self.before.get_mut().extend(parts.concat());
    }
}
