//! A result that is there at once, or a future that will bring it.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

/// What an operation returns that usually needs no waiting.
///
/// The answer from memory is [`Ready`](Self::Ready) and costs no allocation; the answer that has to come over a
/// network is [`Pending`](Self::Pending) and costs one box. A caller that can wait simply calls [`wait`](Self::wait).
///
/// ```
/// use abi::Maybe;
///
/// fn lookup(cached: Option<u32>) -> Maybe<'static, u32> {
///     match cached {
///         Some(value) => Maybe::Ready(value),
///         None => Maybe::task(async { 42 }),
///     }
/// }
///
/// assert!(matches!(lookup(Some(7)), Maybe::Ready(7)));
/// ```
#[must_use = "a pending operation does nothing until it is awaited"]
pub enum Maybe<'a, T> {
    /// The result.
    Ready(T),
    /// The work that leads to the result. It may be dropped at any await point: the client went away.
    Pending(Pin<Box<dyn Future<Output = T> + Send + 'a>>),
}

impl<'a, T> Maybe<'a, T> {
    /// Boxes work that has to wait for something.
    pub fn task(work: impl Future<Output = T> + Send + 'a) -> Self {
        Self::Pending(Box::pin(work))
    }

    /// Applies `f` to the result, now or when it comes. Allocates only when the result is still to come.
    pub fn map<U>(self, f: impl FnOnce(T) -> U + Send + 'a) -> Maybe<'a, U>
    where
        T: 'a,
    {
        match self {
            Self::Ready(value) => Maybe::Ready(f(value)),
            Self::Pending(work) => Maybe::task(async move { f(work.await) }),
        }
    }

    /// Waits for the result.
    pub async fn wait(self) -> T {
        match self {
            Self::Ready(value) => value,
            Self::Pending(work) => work.await,
        }
    }
}

impl<T> From<T> for Maybe<'_, T> {
    fn from(value: T) -> Self {
        Self::Ready(value)
    }
}

impl<T: fmt::Debug> fmt::Debug for Maybe<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ready(value) => f.debug_tuple("Ready").field(value).finish(),
            Self::Pending(_) => f.write_str("Pending(..)"),
        }
    }
}
