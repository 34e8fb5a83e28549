use std::io;

use crate::http1::chunks;
use crate::http1::wire::Missing;

/// Why an answer in HTTP/1.1 did not come, or is none.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The framing of the body cannot be read (RFC 9112 7.1).
    #[error("a chunk of the answer is malformed")]
    Chunk,
    /// The upstream closed the connection before it said anything.
    #[error("the upstream closed the connection without an answer")]
    Closed,
    /// What came is no head of an answer.
    #[error("the answer is not HTTP")]
    Head(#[source] httparse::Error),
    /// The upstream closed the connection within its answer.
    #[error("the upstream closed the connection within its answer")]
    Incomplete,
    /// The connection failed.
    #[error("the connection to the upstream failed")]
    Io(#[source] io::Error),
    /// Nobody can say where the body ends (RFC 9112 6.3).
    #[error("the length of the answer is ambiguous")]
    Length,
    /// Head or trailers are larger than anybody needs.
    #[error("the head of the answer is too large")]
    TooLarge,
    /// A connection that was kept has ended, or an answer to nothing has come on it.
    #[error("the upstream closed a connection that was kept, or spoke on it before it was asked")]
    Unasked,
}

impl Error {
    /// Whether a connection that was kept fails like this when the upstream has just closed it.
    pub(in crate::upstream) fn is_stale(&self) -> bool {
        match self {
            Self::Closed => true,
            Self::Io(error) => matches!(
                error.kind(),
                io::ErrorKind::BrokenPipe
                    | io::ErrorKind::ConnectionReset
                    | io::ErrorKind::UnexpectedEof
            ),
            _ => false,
        }
    }
}

impl From<chunks::Error> for Error {
    fn from(error: chunks::Error) -> Self {
        match error {
            chunks::Error::Malformed => Self::Chunk,
            chunks::Error::TooLarge => Self::TooLarge,
        }
    }
}

impl From<Missing<Self>> for Error {
    fn from(missing: Missing<Self>) -> Self {
        match missing {
            Missing::Closed => Self::Closed,
            Missing::Incomplete => Self::Incomplete,
            Missing::Io(error) => Self::Io(error),
            Missing::Malformed(error) => error,
        }
    }
}
