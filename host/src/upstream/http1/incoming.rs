//! The body of an answer, as it arrives.

use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Frame, SizeHint};

use super::chunks::{Chunks, Part};
use super::framing::Framing;
use super::upload::Upload;
use super::{Error, Http1};
use crate::body::Body;
use crate::stream::Stream;

/// A body, and the connection that it comes on.
pub(in crate::upstream) struct Incoming {
    connection: Http1,
    left: Left,
    is_kept: bool,
    /// Of the request, when the answer began before its end.
    upload: Option<Box<(Upload, Body)>>,
}

enum Left {
    Chunks(Box<Chunks>),
    Length(u64),
    UntilClose,
}

impl Incoming {
    pub(super) fn new(
        connection: Http1,
        framing: Framing,
        is_kept: bool,
        upload: Option<(Upload, Body)>,
    ) -> Self {
        let left = match framing {
            Framing::Chunked => Left::Chunks(Box::default()),
            Framing::Length(length) => Left::Length(length),
            Framing::UntilClose => Left::UntilClose,
        };
        Self {
            connection,
            left,
            is_kept,
            upload: upload.map(Box::new),
        }
    }

    pub(in crate::upstream) fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        self.go_on(cx);
        loop {
            match self.take().transpose() {
                None if self.is_end() => return Poll::Ready(None),
                None => {}
                taken => return Poll::Ready(taken),
            }
            let is_more = ready!(self.connection.wire.poll_more(cx))?;
            if !is_more {
                return Poll::Ready(self.cut().err().map(Err));
            }
        }
    }

    /// All of the body, if it came with the head.
    pub(in crate::upstream) fn whole(&mut self) -> Option<Bytes> {
        let rest = &mut self.connection.wire.rest;
        match &mut self.left {
            Left::Length(left) if *left <= rest.len() as u64 => {
                // Not longer than what is there.
                let length = std::mem::take(left) as usize;
                Some(rest.split_to(length))
            }
            _ => None,
        }
    }

    pub(in crate::upstream) fn is_end(&self) -> bool {
        match &self.left {
            Left::Chunks(chunks) => chunks.is_done(),
            Left::Length(left) => *left == 0,
            Left::UntilClose => false,
        }
    }

    pub(in crate::upstream) fn size(&self) -> SizeHint {
        match &self.left {
            Left::Length(left) => SizeHint::with_exact(*left),
            Left::Chunks(chunks) if chunks.is_done() => SizeHint::with_exact(0),
            Left::Chunks(_) | Left::UntilClose => SizeHint::new(),
        }
    }

    /// The connection after the end of the body, if it can be used again.
    pub(in crate::upstream) fn into_connection(mut self) -> Option<Http1> {
        let is_clean = self.is_kept
            && self.is_end()
            && self.upload.is_none()
            && self.connection.wire.rest.is_empty();
        self.connection.wire.let_go();
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
        match upload.poll(body, &mut self.connection.wire, cx) {
            Poll::Pending => {}
            Poll::Ready(sent) => {
                self.is_kept &= sent.is_ok();
                self.upload = None;
            }
        }
    }

    /// What has been read already.
    fn take(&mut self) -> Result<Option<Frame<Bytes>>, Error> {
        let rest = &mut self.connection.wire.rest;
        match &mut self.left {
            Left::Chunks(chunks) => Ok(chunks.next(rest)?.map(|part| match part {
                Part::Data(data) => Frame::data(data),
                Part::Trailers(trailers) => Frame::trailers(trailers),
            })),
            _ if rest.is_empty() => Ok(None),
            Left::Length(0) => Ok(None),
            Left::Length(left) => {
                let length = (*left).min(rest.len() as u64);
                *left -= length;
                // Not longer than what is there.
                Ok(Some(Frame::data(rest.split_to(length as usize))))
            }
            Left::UntilClose => Ok(Some(Frame::data(std::mem::take(rest)))),
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
