//! [`Maybe`] on its way across.

use abi_stable::StableAbi;
use async_ffi::{BorrowingFfiFuture, FutureExt};

use super::guard::Guarded;
use crate::{Failure, Maybe};

/// A result, or the future that brings it. `T` says itself when the work panicked.
#[repr(u8)]
#[derive(StableAbi)]
pub enum RawMaybe<'a, T> {
    /// The result.
    Ready(T),
    /// The work.
    Pending(BorrowingFfiFuture<'a, T>),
}

impl<'a, T: Send + 'a> RawMaybe<'a, T> {
    /// Makes the form that crosses. `convert` also gets what a panic in the work came to.
    pub(crate) fn from_maybe<S: Send + 'a>(
        entry: &'static str,
        maybe: Maybe<'a, S>,
        convert: fn(Result<S, Failure>) -> T,
    ) -> Self {
        match maybe {
            Maybe::Ready(value) => Self::Ready(convert(Ok(value))),
            Maybe::Pending(work) => {
                let work = Guarded::new(entry, work);
                Self::Pending(async move { convert(work.await) }.into_ffi())
            }
        }
    }

    /// Takes the form that crossed.
    pub(crate) fn into_maybe<S: 'a>(
        self,
        convert: impl FnOnce(T) -> S + Send + 'a,
    ) -> Maybe<'a, S> {
        match self {
            Self::Ready(value) => Maybe::Ready(convert(value)),
            Self::Pending(work) => Maybe::task(async move { convert(work.await) }),
        }
    }
}
