//! What an upstream is sending.

use std::fmt;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tracing::info;

use super::patience::Patience;
use super::trailers::TrailerScrub;
use super::{Body, BodyError};
use crate::upstream::Received;
use crate::watch::Watch;

/// A response body on its way out.
pub struct UpstreamBody {
    // `None` when it has been read to its end.
    received: Option<Received>,
    patience: Patience,
    /// Whether it ends too early. That is said when what came before has had its chance to be sent.
    is_cut: bool,
    pub(super) watch: Option<Watch>,
    pub(super) trailers: TrailerScrub,
}

impl Body {
    /// Takes the body of a response. What is there already needs nobody to wait for it.
    pub(crate) fn from_upstream(mut received: Received, idle: Duration) -> Self {
        if let Some(whole) = received.whole() {
            received.give_back();
            return Self::from(whole);
        }
        Self::Upstream(Box::new(UpstreamBody {
            received: Some(received),
            patience: Patience::new(idle),
            is_cut: false,
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
        if self.is_cut {
            return Poll::Ready(Some(Err(BodyError::UpstreamGone)));
        }
        let Some(received) = &mut self.received else {
            return Poll::Ready(None);
        };
        match received.poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => {
                self.patience.renew();
                self.watch.as_mut().map(Watch::count);
                if received.is_end() {
                    self.finish();
                }
                Poll::Ready(Some(Ok(self.trailers.of_response(frame))))
            }
            Poll::Ready(Some(Err(_))) => {
                self.is_cut = true;
                cx.waker().wake_by_ref();
                Poll::Pending
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
        self.received.as_ref().is_none_or(Received::is_end)
    }

    pub(super) fn size(&self) -> SizeHint {
        let received = self.received.as_ref();
        received.map_or_else(|| SizeHint::with_exact(0), Received::size)
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
        if let Some(received) = self.received.take() {
            received.give_back();
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
