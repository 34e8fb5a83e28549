//! What is still to come of a body.

use bytes::Bytes;
use http_body::{Frame, SizeHint};

use super::chunks::{self, Chunks, Part};

/// How a body that is being read goes on.
#[derive(Debug)]
pub(crate) enum Left {
    Chunks(Box<Chunks>),
    Length(u64),
    UntilClose,
}

impl Left {
    /// In chunks.
    pub(crate) fn chunks() -> Self {
        Self::Chunks(Box::default())
    }

    /// Takes the next part from what has been read. `None` when there is nothing of it.
    ///
    /// # Errors
    /// When it is malformed; there is no way to go on.
    pub(crate) fn take(&mut self, rest: &mut Bytes) -> Result<Option<Frame<Bytes>>, chunks::Error> {
        match self {
            Self::Chunks(chunks) => Ok(chunks.next(rest)?.map(|part| match part {
                Part::Data(data) => Frame::data(data),
                Part::Trailers(trailers) => Frame::trailers(trailers),
            })),
            _ if rest.is_empty() => Ok(None),
            Self::Length(0) => Ok(None),
            Self::Length(left) => {
                let length = (*left).min(rest.len() as u64);
                *left -= length;
                // Not longer than what is there.
                Ok(Some(Frame::data(rest.split_to(length as usize))))
            }
            Self::UntilClose => Ok(Some(Frame::data(std::mem::take(rest)))),
        }
    }

    /// All of it, if that has been read and its length was said.
    pub(crate) fn whole(&mut self, rest: &mut Bytes) -> Option<Bytes> {
        match self {
            Self::Length(left) if *left <= rest.len() as u64 => {
                // Not longer than what is there.
                let length = std::mem::take(left) as usize;
                Some(rest.split_to(length))
            }
            _ => None,
        }
    }

    /// Whether nothing more comes.
    pub(crate) fn is_end(&self) -> bool {
        match self {
            Self::Chunks(chunks) => chunks.is_done(),
            Self::Length(left) => *left == 0,
            Self::UntilClose => false,
        }
    }

    pub(crate) fn size(&self) -> SizeHint {
        match self {
            Self::Length(left) => SizeHint::with_exact(*left),
            Self::Chunks(chunks) if chunks.is_done() => SizeHint::with_exact(0),
            Self::Chunks(_) | Self::UntilClose => SizeHint::new(),
        }
    }
}
