//! What an upstream is sending.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};
use hyper::body::Incoming;
use tracing::info;

use super::patience::Patience;
use super::trailers::TrailerScrub;
use super::{Body, BodyError};
use crate::upstream::Lease;
use crate::watch::Watch;

/// A response body on its way out. At its end the connection goes back to the pool; when it is dropped before, the
/// connection is closed, because the rest of the body is still on it.
pub struct UpstreamBody {
    incoming: Incoming,
    patience: Patience,
    lease: Option<Lease>,
    pub(super) watch: Option<Watch>,
    pub(super) trailers: TrailerScrub,
}

impl Body {
    /// Takes the body of a response, with the connection it is read from.
    pub(crate) fn from_upstream(incoming: Incoming, idle: Duration, lease: Lease) -> Self {
        if incoming.is_end_stream() {
            lease.give_back();
            return Self::Empty;
        }
        let patience = Patience::new(idle);
        Self::Upstream(Box::new(UpstreamBody {
            incoming,
            patience,
            lease: Some(lease),
            watch: None,
            trailers: TrailerScrub::default(),
        }))
    }
}

impl UpstreamBody {
    pub(super) fn poll(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if self.watch.as_ref().is_some_and(Watch::is_long) && self.is_over(cx) {
            return Poll::Ready(Some(Err(BodyError::SessionOver)));
        }
        match Pin::new(&mut self.incoming).poll_frame(cx) {
            Poll::Ready(Some(frame)) => {
                self.patience.renew();
                self.watch.as_mut().map(Watch::count);
                if self.incoming.is_end_stream() {
                    self.finish();
                }
                let frame = frame.map(|frame| self.trailers.of_response(frame));
                Poll::Ready(Some(frame.map_err(|_| BodyError::UpstreamGone)))
            }
            Poll::Ready(None) => {
                self.finish();
                Poll::Ready(None)
            }
            Poll::Pending if self.is_over(cx) => Poll::Ready(Some(Err(BodyError::SessionOver))),
            Poll::Pending => {
                ready!(self.patience.poll_lost(cx));
                Poll::Ready(Some(Err(BodyError::UpstreamStalled)))
            }
        }
    }

    pub(super) fn is_end(&self) -> bool {
        self.incoming.is_end_stream()
    }

    pub(super) fn size(&self) -> SizeHint {
        self.incoming.size_hint()
    }

    /// Whether the session of the response is over.
    fn is_over(&mut self, cx: &mut Context<'_>) -> bool {
        let watch = self.watch.as_mut();
        let is_over = watch.is_some_and(|watch| watch.poll(cx).is_ready());
        if is_over {
            info!(reason = "session-ended", "a response is cut");
            // Its end has been said; asking again would be of no use.
            self.watch = None;
        }
        is_over
    }

    fn finish(&mut self) {
        if let Some(lease) = self.lease.take() {
            lease.give_back();
        }
    }
}

impl fmt::Debug for UpstreamBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UpstreamBody")
            .field("size", &self.size())
            .finish_non_exhaustive()
    }
}
