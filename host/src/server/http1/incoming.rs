//! The body of a request, as it arrives.

use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Frame, SizeHint};

use super::Wire;
use crate::body::BodyError;
use crate::server;

/// A body that is read from the connection of its request.
#[derive(Debug)]
pub(crate) struct Incoming {
    wire: Arc<Wire>,
    turn: u32,
}

impl Incoming {
    /// The body of the request whose turn it is.
    pub(super) fn of(wire: &Arc<Wire>, turn: u32) -> server::Incoming {
        match wire.is_end(turn) {
            true => server::Incoming::Nothing,
            false => server::Incoming::Http1(Self {
                wire: Arc::clone(wire),
                turn,
            }),
        }
    }

    pub(in crate::server) fn poll_frame(
        &self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        self.wire.poll_frame(self.turn, cx)
    }

    pub(in crate::server) fn is_end(&self) -> bool {
        self.wire.is_end(self.turn)
    }

    pub(in crate::server) fn size(&self) -> SizeHint {
        self.wire.size(self.turn)
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        self.wire.abandon(self.turn);
    }
}
