//! One request and its answer on one connection.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::Poll;

use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::Request;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};

use super::{Answer, CallError, MAX_BODY};

/// Any connection.
pub(super) trait Bytes: AsyncRead + AsyncWrite + Send {}

impl<S: AsyncRead + AsyncWrite + Send> Bytes for S {}

/// A connection of this type or that.
pub(super) type Stream = Pin<Box<dyn Bytes>>;

/// Sends a request and reads the answer to its end. The connection ends with it.
pub(super) async fn exchange(
    stream: Stream,
    request: Request<String>,
) -> Result<Answer, CallError> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| broken(&error))?;
    driven(connection, async move {
        let response = sender
            .send_request(request)
            .await
            .map_err(|error| broken(&error))?;
        let (parts, body) = response.into_parts();
        let body = Limited::new(body, MAX_BODY)
            .collect()
            .await
            .map_err(|error| match error.downcast::<hyper::Error>() {
                Ok(error) => broken(&error),
                Err(error) if error.is::<LengthLimitError>() => CallError::TooLarge,
                Err(error) => CallError::Broken(error.to_string()),
            })?;
        Ok(Answer {
            status: parts.status,
            headers: parts.headers,
            body: body.to_bytes(),
        })
    })
    .await
}

/// Polls a connection beside what is done on it, so that nothing is spawned that somebody would have to end.
async fn driven<T>(connection: impl Future, work: impl Future<Output = T>) -> T {
    let (mut connection, mut work) = (pin!(connection), pin!(work));
    let mut is_open = true;
    poll_fn(|context| {
        if is_open && connection.as_mut().poll(context).is_ready() {
            is_open = false;
        }
        match work.as_mut().poll(context) {
            Poll::Ready(done) => Poll::Ready(done),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

fn broken(error: &hyper::Error) -> CallError {
    let cause = std::error::Error::source(error).map(ToString::to_string);
    CallError::Broken(cause.unwrap_or_else(|| error.to_string()))
}
