//! Streams that belong to a session end with it: tunnels, and responses that go on.
//!
//! Nobody tells a gateway which of its streams a logout concerns, on whichever gateway it happens. So each stream asks,
//! twice a second, and where the rows are in memory or there is a copy of them, that is a look.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use abi::Session;
use abi::session::Standing;
use tokio::time::sleep;

/// Looks whether the session of a response still stands, once the response takes its time.
pub(crate) struct Watch {
    session: Option<Session>,
    // Never locked: only what is shared between threads may be in an exchange.
    end: Option<Mutex<Pin<Box<dyn Future<Output = ()> + Send>>>>,
    frames: u8,
}

impl Watch {
    pub(crate) const fn on(session: Session) -> Self {
        Self {
            session: Some(session),
            end: None,
            frames: 0,
        }
    }

    /// Another part of the response is there. Most have one or two, and are over before anybody could look.
    pub(crate) const fn count(&mut self) {
        self.frames = self.frames.saturating_add(1);
    }

    /// Whether it is worth a look before the next part is waited for.
    pub(crate) const fn is_long(&self) -> bool {
        self.end.is_some() || self.frames > FEW
    }

    /// Ready when the session is over.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(session) = self.session.take() {
            self.end = Some(Mutex::new(Box::pin(end(session))));
        }
        match &mut self.end {
            Some(end) => {
                let end = end.get_mut().unwrap_or_else(PoisonError::into_inner);
                end.as_mut().poll(cx)
            }
            None => Poll::Pending,
        }
    }
}

/// Waits until the session is over: for ever, if there is none that could end.
pub(crate) async fn end(session: Session) {
    loop {
        sleep(PERIOD).await;
        match session.standing().wait().await {
            Standing::Good => {}
            Standing::Over => return,
            Standing::Nobodys => std::future::pending().await,
        }
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Watch(..)")
    }
}

// A stream must be gone a second after its session: half of it for not looking, the rest for the answer.
const PERIOD: Duration = Duration::from_millis(500);
const FEW: u8 = 2;
