//! Responses that a client does not take.
//!
//! On HTTP/2 a client can refuse one response by giving it no window, while others flow and the socket never blocks.
//! Nobody asks such a response for more, so it cannot notice that by itself.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::rt::Executor;
use tokio::time::{Instant, Sleep, sleep_until};

/// Runs the streams of one connection, and resets one whose response is not taken for too long.
#[derive(Clone)]
pub(in crate::server) struct Streams {
    patience: Duration,
    /// The one that was announced and does not run yet.
    next: Arc<Mutex<Option<Arc<Delivery>>>>,
}

/// How far a response is.
#[derive(Debug, Default)]
pub(in crate::server) struct Delivery(Mutex<Option<Instant>>);

/// A stream, as hyper runs it.
struct Stream<F> {
    run: Pin<Box<F>>,
    delivery: Option<Arc<Delivery>>,
    patience: Duration,
    alarm: Option<Pin<Box<Sleep>>>,
}

impl Streams {
    pub(in crate::server) fn new(patience: Duration) -> Self {
        Self {
            patience,
            next: Arc::default(),
        }
    }

    /// A request has come; what hyper runs next is its stream.
    pub(in crate::server) fn announce(&self) -> Arc<Delivery> {
        let delivery = Arc::new(Delivery::default());
        *lock(&self.next) = Some(Arc::clone(&delivery));
        delivery
    }
}

impl<F: Future<Output = ()> + Send + 'static> Executor<F> for Streams {
    fn execute(&self, run: F) {
        tokio::spawn(Stream {
            run: Box::pin(run),
            // A tunnel has none: what flows in it is nobody's response.
            delivery: lock(&self.next).take(),
            patience: self.patience,
            alarm: None,
        });
    }
}

impl Delivery {
    /// The client got the next part, and has to take it before it is asked for more.
    pub(in crate::server) fn hand_over(&self) {
        *lock(&self.0) = Some(Instant::now());
    }

    /// There is nothing that the client could take.
    pub(in crate::server) fn wait(&self) {
        *lock(&self.0) = None;
    }

    fn since(&self) -> Option<Instant> {
        *lock(&self.0)
    }
}

impl<F: Future<Output = ()>> Future for Stream<F> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.run.as_mut().poll(cx).is_ready() {
            return Poll::Ready(());
        }
        let since = self.delivery.as_ref().and_then(|delivery| delivery.since());
        let Some(deadline) = since.map(|since| since + self.patience) else {
            return Poll::Pending;
        };
        let alarm = self
            .alarm
            .get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        if alarm.deadline() != deadline {
            alarm.as_mut().reset(deadline);
        }
        // Dropping what hyper runs resets the stream.
        ready!(alarm.as_mut().poll(cx));
        tracing::debug!("a client does not take its response");
        Poll::Ready(())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
