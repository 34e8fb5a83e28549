//! What a plugin implements to stand between the client and the upstream.

use crate::{Exchange, Failure, Maybe};

/// A step of a route's chain.
///
/// The request phase runs in the order of the route's list. Each middleware whose [`on_request`](Self::on_request)
/// let the request through gets [`on_response`](Self::on_response), in reverse order, whatever became of the request:
/// an answer of the upstream, of a later middleware, or an error page.
///
/// Work that needs no waiting is done in place and returned as [`Maybe::Ready`]: no allocation. Work that waits is a
/// [`Maybe::task`]. A panic in any method costs this one request: the client gets a 500, the log names plugin and
/// middleware.
///
/// ```
/// use abi::{Exchange, Failure, Flow, HeaderName, Maybe, Middleware, Side};
///
/// struct Stamp {
///     header: HeaderName,
/// }
///
/// impl Middleware for Stamp {
///     type State = ();
///
///     fn on_request<'a>(&'a self, mut exchange: Exchange<'a>) -> Maybe<'a, Result<Flow<()>, Failure>> {
///         let stamped = exchange.set_header(Side::Request, self.header, "1");
///         Maybe::Ready(stamped.map(|()| Flow::Next(())).map_err(|cause| Failure::internal(cause.to_string())))
///     }
/// }
/// ```
pub trait Middleware: Send + Sync + 'static {
    /// What the request phase hands to the response phase of the same exchange. Two words or less (an `Arc`, a
    /// number) cross without an allocation.
    type State: Send + 'static;

    /// The request phase.
    fn on_request<'a>(
        &'a self,
        exchange: Exchange<'a>,
    ) -> Maybe<'a, Result<Flow<Self::State>, Failure>>;

    /// The response phase. A failure replaces the response.
    fn on_response<'a>(
        &'a self,
        exchange: Exchange<'a>,
        state: Self::State,
    ) -> Maybe<'a, Result<(), Failure>> {
        drop((exchange, state));
        Maybe::Ready(Ok(()))
    }
}

/// How a request goes on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Flow<S> {
    /// To the next middleware, and at last to the action. The state comes back in the response phase.
    Next(S),
    /// Back: this middleware has answered with [`Exchange::respond`]. It gets no response phase.
    Respond,
}

/// What stands at the end of a route's chain.
pub trait Action: Send + Sync + 'static {
    /// Answers the request with [`Exchange::respond`]. An action that does not is a defect: the client gets a 500.
    fn call<'a>(&'a self, exchange: Exchange<'a>) -> Maybe<'a, Result<(), Failure>>;
}
