//! What a client is sending.

use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tokio::time::Instant;

use super::patience::Patience;
use super::trailers::TrailerScrub;
use super::{Body, BodyError};
use crate::server::Incoming;

/// A request body on its way in: limited in size, and cut when the client stalls.
#[derive(Debug)]
pub struct ClientBody {
    incoming: Incoming,
    left: u64,
    patience: Patience,
    upload: Option<Arc<Upload>>,
    pub(super) trailers: TrailerScrub,
}

/// Watches from outside how far an upload is: the time an upstream has for its answer begins when it has the request.
#[derive(Debug)]
pub struct Upload(Mutex<(Phase, Instant)>);

/// Who an upload is waiting for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Phase {
    /// The client has more to send.
    Client,
    /// Nobody: the upstream has everything.
    Done,
    /// Nobody: there is no more of it.
    Failed(BodyError),
    /// The upstream has not taken the next part yet.
    Upstream,
}

impl Body {
    /// Takes the body of a request. `limit` 0 means unlimited.
    ///
    /// # Errors
    /// [`BodyError::TooLarge`] when the client announces more than it may send.
    pub(crate) fn from_client(
        incoming: Incoming,
        limit: u64,
        idle: Duration,
    ) -> Result<Self, BodyError> {
        if incoming.is_end() {
            return Ok(Self::Empty);
        }
        let left = if limit == 0 { u64::MAX } else { limit };
        if incoming.size().lower() > left {
            return Err(BodyError::TooLarge);
        }
        let patience = Patience::new(idle);
        Ok(Self::Client(Box::new(ClientBody {
            incoming,
            left,
            patience,
            upload: None,
            trailers: TrailerScrub::default(),
        })))
    }

    /// Starts to watch an upload; `None` when the body is in memory and goes out at once.
    pub fn watch(&mut self) -> Option<Arc<Upload>> {
        let Self::Client(body) = self else {
            return None;
        };
        let upload = Arc::new(Upload(Mutex::new((Phase::Upstream, Instant::now()))));
        body.upload = Some(Arc::clone(&upload));
        Some(upload)
    }
}

impl ClientBody {
    pub(super) fn poll(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match self.incoming.poll_frame(cx) {
            Poll::Ready(frame) => {
                self.patience.renew();
                let frame = frame.map(|frame| self.admit(frame));
                self.note(match frame {
                    Some(Err(error)) => Phase::Failed(error),
                    Some(Ok(_)) if !self.incoming.is_end() => Phase::Upstream,
                    Some(Ok(_)) | None => Phase::Done,
                });
                Poll::Ready(frame)
            }
            Poll::Pending => {
                self.note(Phase::Client);
                ready!(self.patience.poll_lost(cx));
                self.note(Phase::Failed(BodyError::ClientStalled));
                Poll::Ready(Some(Err(BodyError::ClientStalled)))
            }
        }
    }

    pub(super) fn is_end(&self) -> bool {
        self.incoming.is_end()
    }

    pub(super) fn size(&self) -> SizeHint {
        self.incoming.size()
    }

    fn admit(&mut self, frame: Result<Frame<Bytes>, BodyError>) -> Result<Frame<Bytes>, BodyError> {
        let frame = frame?;
        let size = frame.data_ref().map_or(0, |data| data.len() as u64);
        self.left = self.left.checked_sub(size).ok_or(BodyError::TooLarge)?;
        Ok(self.trailers.of_request(frame))
    }

    fn note(&self, phase: Phase) {
        if let Some(upload) = &self.upload {
            upload.note(phase);
        }
    }
}

impl Drop for ClientBody {
    /// A body that nobody will read any more is as good as sent.
    fn drop(&mut self) {
        self.note(Phase::Done);
    }
}

impl Upload {
    /// Who the upload is waiting for, and since when.
    pub fn phase(&self) -> (Phase, Instant) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Why it ended early, if it did. Who sends it may say no more than that the request failed.
    pub(crate) fn failure(&self) -> Option<BodyError> {
        match self.phase().0 {
            Phase::Failed(error) => Some(error),
            Phase::Client | Phase::Done | Phase::Upstream => None,
        }
    }

    fn note(&self, phase: Phase) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !matches!(state.0, Phase::Done | Phase::Failed(_)) {
            *state = (phase, Instant::now());
        }
    }
}
