//! What a client is told that waits before it sends a body (RFC 9110 10.1.1).

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::AsyncWrite;

/// Whether a client waits to be told that its body is wanted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Invitation {
    /// It does not wait.
    None,
    /// It does, and this is still to be written.
    Due(&'static [u8]),
    /// It was told something else: a final response.
    Declined,
}

impl Invitation {
    /// All of it is still to be said.
    pub(super) const DUE: Self = Self::Due(CONTINUE);

    /// A response begins: from here on nothing else may be said. What was begun is said to its end, in front of it.
    pub(super) fn decline(&mut self, out: &mut Vec<u8>) {
        if let Self::Due(left) = *self {
            if left.len() < CONTINUE.len() {
                out.extend_from_slice(left);
            }
            *self = Self::Declined;
        }
    }

    /// Ready when it has been said, if it was to be.
    pub(super) fn poll_say(
        &mut self,
        stream: &mut (impl AsyncWrite + Unpin),
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        while let Self::Due(left) = *self {
            if left.is_empty() {
                ready!(Pin::new(&mut *stream).poll_flush(cx))?;
                *self = Self::None;
                break;
            }
            let written = ready!(Pin::new(&mut *stream).poll_write(cx, left))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            *self = Self::Due(&left[written..]);
        }
        Poll::Ready(Ok(()))
    }
}

const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    #[test]
    fn what_was_declined_is_not_said() {
        let (mut invitation, mut out) = (Invitation::DUE, Vec::new());

        invitation.decline(&mut out);

        assert_eq!((invitation, &*out), (Invitation::Declined, &b""[..]));
        let mut said = Vec::new();
        let mut cx = Context::from_waker(Waker::noop());
        assert!(invitation.poll_say(&mut said, &mut cx).is_ready());
        assert_eq!(said, b"");
    }

    #[test]
    fn a_stream_that_takes_nothing_more_is_an_error() {
        let mut room = [0; 4];
        let mut full = io::Cursor::new(&mut room[..]);
        let mut cx = Context::from_waker(Waker::noop());

        let mut invitation = Invitation::DUE;
        let said = invitation.poll_say(&mut full, &mut cx);

        let kind = said.map(|said| said.unwrap_err().kind());
        assert_eq!(kind, Poll::Ready(io::ErrorKind::WriteZero));
    }

    #[test]
    fn what_was_begun_is_said_to_its_end_before_the_response() {
        let mut invitation = Invitation::Due(&CONTINUE[9..]);
        let mut out = Vec::new();

        invitation.decline(&mut out);

        assert_eq!(out, b"100 Continue\r\n\r\n");
    }
}
