//! HTTP/1.1 as a server: one request after the other on one connection (RFC 9112).
//!
//! All of it happens in the task of the connection: it reads a head, polls whoever answers, and writes what comes of it.
//! Meanwhile whoever reads the body of the request reads it from the socket, through `wire`.
//!
//! Bytes in, values out: `head` and `reply` know no socket.

mod date;
pub mod head;
mod incoming;
mod invitation;
mod outbox;
mod post;
mod reply;
mod wire;

use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};

use self::head::{Asked, Fault, Reader, Wish};
use self::reply::{Afterwards, Question};
use super::connection::Client;
use super::switch::{self, Promise, Switch};
use super::{Service, exchange};
use crate::body::BodyError;
use crate::http1::outgoing::{Outgoing, Stopped};
use crate::http1::turn::let_others_go_on;
use crate::http1::wire::Missing;

pub(crate) use self::incoming::Incoming;
pub(in crate::server) use self::post::Post;
pub(in crate::server) use self::wire::Wire;

/// The requests and responses of a connection, from one rest to the next.
pub(super) struct Conversation<'a, S> {
    wire: &'a Arc<Wire>,
    client: &'a Arc<Client<S>>,
    reader: Reader,
}

/// Why a connection ended in the middle of something.
#[derive(Debug, thiserror::Error)]
pub(super) enum Ended {
    /// The rest of a response did not come.
    #[error("a response broke off")]
    Body(#[source] BodyError),
    /// The socket failed, or its other end is gone.
    #[error("the connection failed")]
    Io(#[from] io::Error),
}

impl<'a, S: Service> Conversation<'a, S> {
    pub(super) fn new(wire: &'a Arc<Wire>, client: &'a Arc<Client<S>>) -> Self {
        Self {
            wire,
            client,
            reader: Reader::new(client.plan.header_bytes()),
        }
    }

    /// Answers requests until one of the ends has enough, or speaks something else.
    ///
    /// # Errors
    /// When the connection fails, or a response breaks off.
    pub(super) async fn run(mut self) -> Result<(), Ended> {
        loop {
            let asked = match self.wire.request(&mut self.reader).await {
                Ok(asked) => asked,
                Err(Missing::Closed | Missing::Incomplete) => return Ok(()),
                Err(Missing::Io(error)) => return Err(Ended::Io(error)),
                Err(Missing::Malformed(fault)) => return self.refuse(fault).await,
            };
            let question = Question {
                method: asked.head.method.clone(),
                wish: asked.wish,
            };
            let (request, promise) = self.accept(asked);
            let answer = pin!(exchange::run(Arc::clone(self.client), request, None));
            let Some(response) = unless_gone(answer, self.wire).await else {
                return Ok(());
            };
            let wanted = self.afterwards(&question, response.status());
            match self.send(&question, response, wanted).await? {
                Afterwards::Kept if self.is_over().await => {}
                Afterwards::Closed | Afterwards::Kept => return self.part().await,
                Afterwards::Switched => {
                    switch::keep(promise, self.wire);
                    return Ok(());
                }
            }
        }
    }

    /// Makes a request of what was asked. If it offers to speak something else, whoever answers may accept that.
    fn accept(&self, asked: Asked) -> (Request<super::Incoming>, Option<Promise>) {
        let turn = self.wire.begin(asked.framing, asked.expects);
        let body = Incoming::of(self.wire, turn);
        let mut request = Request::from_parts(asked.head, body);
        let promise = asked.wish.is_offer.then(|| {
            let (promise, switch) = Switch::promised();
            request.extensions_mut().insert(switch);
            promise
        });
        (request, promise)
    }

    /// What becomes of the connection when a response has been sent.
    fn afterwards(&self, question: &Question, status: StatusCode) -> Afterwards {
        if status == StatusCode::SWITCHING_PROTOCOLS {
            self.client.activity.tunnel();
            return Afterwards::Switched;
        }
        // What came behind an offer may be in the other protocol, and may not.
        let is_unclear = question.wish.is_offer && self.wire.is_ahead();
        let is_last = !question.wish.is_kept
            || is_unclear
            || self.wire.is_stuck()
            || self.client.activity.is_dismissed();
        match is_last {
            true => Afterwards::Closed,
            false => Afterwards::Kept,
        }
    }

    /// Sends a response, and says what becomes of the connection then. A short one may be sent a moment later, with those of
    /// others.
    async fn send(
        &mut self,
        question: &Question,
        response: Response<impl http_body::Body<Data = Bytes, Error = BodyError>>,
        wanted: Afterwards,
    ) -> Result<Afterwards, Ended> {
        let (head, body) = response.into_parts();
        let mut room = self.wire.room();
        self.wire.answer(&mut room);
        let (size, afterwards) = question.answer(&head, &body.size_hint(), wanted, &mut room);
        self.reader.recycle(head.headers);
        let mut outgoing = Outgoing::new(room, size, Bytes::new());
        let mut body = pin!(Some(body));
        let post = (afterwards == Afterwards::Kept).then_some(&self.client.doorway.post);
        let is_posted = poll_fn(|cx| {
            if let Some(body) = body.as_mut().as_pin_mut() {
                outgoing.gather(body, cx).map_err(Stopped::Body)?;
            }
            let is_posted = post.is_some_and(|post| self.wire.post(&mut outgoing, (post, cx)));
            Poll::Ready(Ok::<_, Stopped>(is_posted))
        });
        if is_posted.await? {
            return Ok(afterwards);
        }
        let_others_go_on().await;
        let sent = poll_fn(
            |cx| match poll_sent(&mut outgoing, body.as_mut(), self.wire, cx) {
                Poll::Pending => self.wire.poll_gone(cx).map(|()| Err(gone())),
                sent => sent,
            },
        );
        sent.await?;
        self.wire.keep_room(outgoing.into_room());
        Ok(afterwards)
    }

    /// Whether the request has come to its end, so that another one can follow.
    async fn is_over(&self) -> bool {
        poll_fn(|cx| Poll::Ready(self.wire.finish(cx))).await
    }

    /// Answers what is no request. Nothing that follows can be trusted to begin where it seems to.
    async fn refuse(mut self, fault: Fault) -> Result<(), Ended> {
        tracing::debug!(%fault, "not a request");
        let question = Question {
            method: Method::GET,
            wish: Wish::NONE,
        };
        let response = exchange::refuse(self.client, fault);
        self.send(&question, response, Afterwards::Closed).await?;
        self.part().await
    }

    /// Closes a connection whose client may be sending still.
    async fn part(&self) -> Result<(), Ended> {
        self.client.activity.part();
        Ok(self.wire.linger().await?)
    }
}

/// Sends what can be sent. The body is gone before its last part is: whoever has all of a response may ask at once
/// whether it was counted.
fn poll_sent(
    outgoing: &mut Outgoing,
    mut body: Pin<&mut Option<impl http_body::Body<Data = Bytes, Error = BodyError>>>,
    mut wire: &Wire,
    cx: &mut Context<'_>,
) -> Poll<Result<(), Stopped>> {
    while !outgoing.is_complete()
        && let Some(body) = body.as_mut().as_pin_mut()
    {
        ready!(outgoing.poll_next(body, &mut wire, cx))?;
    }
    body.set(None);
    outgoing.poll_last(&mut wire, cx).map_err(Stopped::Io)
}

/// `None` when the client is gone before there is an answer.
async fn unless_gone<T>(mut work: Pin<&mut impl Future<Output = T>>, wire: &Wire) -> Option<T> {
    poll_fn(|cx| match work.as_mut().poll(cx) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending => wire.poll_gone(cx).map(|()| None),
    })
    .await
}

fn gone() -> Stopped {
    Stopped::Io(io::ErrorKind::ConnectionAborted.into())
}

impl From<Stopped> for Ended {
    fn from(stopped: Stopped) -> Self {
        match stopped {
            Stopped::Body(error) => Self::Body(error),
            Stopped::Io(error) => Self::Io(error),
        }
    }
}
