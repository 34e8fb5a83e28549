//! The body of an answer, as it arrives.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Frame, SizeHint};

use super::answer::Answer;
use super::framing::Framing;
use super::{Error, Http1};
use crate::body::Body;
use crate::http1::left::Left;
use crate::http1::outgoing::Outgoing;
use crate::stream::Stream;

/// A body, and the connection that it comes on.
pub(in crate::upstream) struct Incoming {
    connection: Box<Http1>,
    left: Left,
    is_kept: bool,
    /// Of the request, when the answer began before its end.
    upload: Option<Box<(Outgoing, Body)>>,
}

impl Incoming {
    pub(super) fn new(
        connection: Box<Http1>,
        answer: &Answer,
        upload: Option<(Outgoing, Body)>,
    ) -> Self {
        let left = match answer.framing {
            Framing::Chunked => Left::chunks(),
            Framing::Length(length) => Left::Length(length),
            Framing::UntilClose => Left::UntilClose,
        };
        Self {
            connection,
            left,
            is_kept: answer.is_kept,
            upload: upload.map(Box::new),
        }
    }

    /// Keeps a map that nobody needs any more, for the headers of the next answer.
    pub(in crate::upstream) fn recycle(&mut self, mut headers: HeaderMap) {
        headers.clear();
        self.connection.spare = headers;
    }

    pub(in crate::upstream) fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        self.go_on(cx);
        loop {
            match self.left.take(&mut self.connection.wire.rest)? {
                None if self.is_end() => return Poll::Ready(None),
                None => {}
                Some(frame) => return Poll::Ready(Some(Ok(frame))),
            }
            let is_more = ready!(self.connection.wire.poll_more(cx)).map_err(Error::Io)?;
            if !is_more {
                return Poll::Ready(self.cut().err().map(Err));
            }
        }
    }

    /// All of the body, if it came with the head.
    pub(in crate::upstream) fn whole(&mut self) -> Option<Bytes> {
        self.left.whole(&mut self.connection.wire.rest)
    }

    pub(in crate::upstream) fn is_end(&self) -> bool {
        self.left.is_end()
    }

    pub(in crate::upstream) fn size(&self) -> SizeHint {
        self.left.size()
    }

    /// The connection after the end of the body, if it can be used again.
    pub(in crate::upstream) fn into_connection(mut self) -> Option<Box<Http1>> {
        let is_clean = self.is_kept
            && self.is_end()
            && self.upload.is_none()
            && self.connection.wire.rest.is_empty();
        self.connection.let_go();
        is_clean.then_some(self.connection)
    }

    /// The connection after a switch of protocols, and what has already come on it.
    pub(in crate::upstream) fn into_tunnel(self) -> (Stream, Bytes) {
        self.connection.wire.into_parts()
    }

    /// Goes on with the request. A failure shows in the answer, if that needs what is missing.
    fn go_on(&mut self, cx: &mut Context<'_>) {
        let Some(rest) = &mut self.upload else {
            return;
        };
        let (upload, body) = &mut **rest;
        match upload.poll(Pin::new(body), &mut self.connection.wire, cx) {
            Poll::Pending => {}
            Poll::Ready(sent) => {
                self.is_kept &= sent.is_ok();
                self.upload = None;
            }
        }
    }

    /// The upstream has closed the connection.
    fn cut(&mut self) -> Result<(), Error> {
        match self.left {
            Left::UntilClose => {
                self.left = Left::Length(0);
                Ok(())
            }
            _ => Err(Error::Incomplete),
        }
    }
}
