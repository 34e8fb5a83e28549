//! HTTP/1.1 as a client: one request after the other on one connection (RFC 9112).
//!
//! All of it happens in the task of the request. With a task for each connection a request would go there through one
//! channel and its answer come back through another.
//!
//! Bytes in, values out: `answer`, `framing` and `head` know no socket.

pub mod answer;
mod error;
pub mod framing;
mod head;
mod incoming;

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use tokio::time::Instant;

use self::answer::{Answer, To};
use crate::alarm::Alarm;
use crate::body::{Body, BodyError};
use crate::http1::outgoing::{Outgoing, Stopped};
use crate::http1::wire::Wire;
use crate::stream::Stream;

pub use self::error::Error;
pub(super) use self::incoming::Incoming;

/// A connection that one request after the other has for itself. It is in a box all its life, because requests have room
/// for it wherever it may be on its way through them.
pub(super) struct Http1 {
    wire: Wire<Stream>,
    /// An empty map, for the headers of the next answer.
    spare: HeaderMap,
    /// To write the head of the next request into.
    room: Vec<u8>,
    /// For whichever request it has.
    pub(super) alarm: Alarm,
    /// Its last request, or the time after it.
    pub(super) since: Instant,
    /// Whether it has had a request before.
    is_kept: bool,
}

/// A request under way, and what of its answer is there.
pub(super) struct Asking {
    upload: Outgoing,
    /// Whether anything has come of an answer, if only of an interim one.
    is_answered: bool,
    /// How many bytes of interim ones.
    interim: usize,
    /// Why the rest of the request is not sent. The answer may say why the upstream did not want it.
    stopped: Option<Error>,
}

/// Why there is no answer.
pub(super) enum Lost {
    /// The body of the request failed.
    Client(BodyError),
    /// The connection did. Nothing of the request was sent on it.
    Unsent(Error),
    /// The connection did, and the upstream may have seen the request.
    Sent(Error),
    /// The connection did, within the answer.
    Answered(Error),
}

impl Http1 {
    pub(super) fn new(stream: Stream) -> Box<Self> {
        Box::new(Self {
            wire: Wire::new(stream),
            spare: HeaderMap::new(),
            room: Vec::new(),
            alarm: Alarm::default(),
            since: Instant::now(),
            is_kept: false,
        })
    }

    /// Lets go of what was only for a request, until there is one.
    fn let_go(&mut self) {
        self.wire.let_go();
        if self.room.capacity() > KEPT_ROOM {
            self.room = Vec::new();
        }
    }

    /// Whether nothing came since the last answer: neither the end of the connection nor an answer to nothing, which
    /// would be taken for that to the next request.
    pub(super) fn is_resting(&mut self) -> bool {
        self.wire.is_silent()
    }

    /// Sends a request and waits for the head of its answer. The body of the request is sent as it comes; what of it
    /// is not yet sent when the answer begins stays in `request` and `asking`.
    pub(super) fn poll_answer(
        &mut self,
        request: &mut Request<Body>,
        asking: &mut Asking,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Answer, Lost>> {
        // Others had a turn since the connection was taken.
        if self.is_kept && asking.upload.is_untouched() && !self.is_resting() {
            return Poll::Ready(Err(Lost::Unsent(Error::Unasked)));
        }
        if asking.stopped.is_none() {
            let body = Pin::new(request.body_mut());
            match asking.upload.poll(body, &mut self.wire, cx) {
                Poll::Ready(Err(Stopped::Body(error))) => {
                    return Poll::Ready(Err(Lost::Client(error)));
                }
                Poll::Ready(Err(Stopped::Io(error))) => asking.stopped = Some(Error::Io(error)),
                Poll::Ready(Ok(())) | Poll::Pending => {}
            }
        }
        let mut answer = To {
            method: request.method(),
            interim: &mut asking.interim,
            room: &mut self.spare,
            has_begun: &mut asking.is_answered,
        };
        let answer = ready!(self.wire.poll_head(&mut answer, cx));
        Poll::Ready(answer.map_err(|missing| asking.lost(missing.into())))
    }

    /// The rest of an answer, which brings the connection with it.
    pub(super) fn receive(
        mut self: Box<Self>,
        mut answer: Answer,
        request: &mut Request<Body>,
        asking: Asking,
    ) -> Response<Incoming> {
        let Asking {
            upload, stopped, ..
        } = asking;
        answer.is_kept &= stopped.is_none();
        self.is_kept = answer.is_kept;
        let rest = match upload.is_done() {
            true => {
                self.room = upload.into_room();
                None
            }
            false => Some((upload, rest_of(request.body_mut()))),
        };
        let incoming = Incoming::new(self, &answer, rest);
        Response::from_parts(answer.head, incoming)
    }
}

/// What the upload has not taken yet. A body in memory it has, and the request may be sent again with it.
fn rest_of(body: &mut Body) -> Body {
    match body.is_replayable() {
        true => Body::Empty,
        false => std::mem::take(body),
    }
}

/// Begins with the head. A body that is in memory goes with it.
fn upload(request: &Request<Body>, mut head: Vec<u8>) -> Outgoing {
    head.reserve(head::length(request));
    let size = head::write(request, &mut head);
    let data = match request.body() {
        Body::Full(bytes) => bytes.clone(),
        Body::Empty | Body::Client(_) | Body::Upstream(_) => Bytes::new(),
    };
    Outgoing::new(head, size, data)
}

impl Asking {
    pub(super) fn new(request: &Request<Body>, connection: &mut Http1) -> Self {
        Self {
            upload: upload(request, std::mem::take(&mut connection.room)),
            is_answered: false,
            interim: 0,
            stopped: None,
        }
    }

    /// What to say of a connection that failed. If sending failed first, that is the reason.
    fn lost(&mut self, error: Error) -> Lost {
        let error = match (self.stopped.take(), error) {
            (Some(first), Error::Closed | Error::Io(_)) => first,
            (_, error) => error,
        };
        let has_broken_off = matches!(error, Error::Closed | Error::Incomplete | Error::Io(_));
        match self.upload.is_untouched() {
            true => Lost::Unsent(error),
            false if self.is_answered && has_broken_off => Lost::Answered(error),
            false => Lost::Sent(error),
        }
    }
}

// Holds most heads. A connection that waits should not weigh what one large request once did.
const KEPT_ROOM: usize = 4 * 1024;
