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

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    use abi::failure::Failure;
    use abi::session::{Attribute, AttributeError, SessionObject};
    use abi::{Exchange, Maybe};
    use serde_json::Value;
    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_thousand_streams_end_at_their_first_look_after_their_session() {
        let over = Instant::now() + Duration::from_secs(10);
        let mut streams = Vec::new();
        for _ in 0..1000 {
            sleep(Duration::from_millis(1)).await;
            let began = Instant::now();
            let looks = Arc::new(AtomicU64::new(0));
            let ending = Ending(over, Arc::clone(&looks));
            streams.push(tokio::spawn(async move {
                end(Session::new(Arc::new(ending))).await;
                (began, Instant::now(), looks.load(Ordering::Relaxed))
            }));
        }

        for stream in streams {
            let (began, ended, looks) = stream.await.unwrap();
            let needed = (over - began).as_nanos().div_ceil(PERIOD.as_nanos());
            assert_eq!(u128::from(looks), needed);
            assert!(ended - over < PERIOD, "{:?}", ended - over);
        }
    }

    /// A session whose time is up at a moment, and how often somebody has looked.
    struct Ending(Instant, Arc<AtomicU64>);

    impl SessionObject for Ending {
        fn standing(&self) -> Maybe<'_, Standing> {
            self.1.fetch_add(1, Ordering::Relaxed);
            let is_over = Instant::now() >= self.0;
            let standing = if is_over {
                Standing::Over
            } else {
                Standing::Good
            };
            standing.into()
        }

        fn read(&self, _: &str, _: &mut dyn FnMut(Attribute<'_>)) {}

        fn set(&self, _: &str, _: Value) -> Result<(), AttributeError> {
            Ok(())
        }

        fn delete(&self, _: &str) -> bool {
            false
        }

        fn keys(&self) -> Vec<String> {
            Vec::new()
        }

        fn id(&self) -> Option<String> {
            None
        }

        fn fresh(&self) -> bool {
            false
        }

        fn regenerate(&self) {}

        fn destroy(&self) {}

        fn set_expiry(&self, _: Duration) {}

        fn save(&self) -> Maybe<'_, Result<(), Failure>> {
            Maybe::Ready(Ok(()))
        }

        fn commit<'a>(&'a self, _: Exchange<'a>) -> Maybe<'a, Result<(), Failure>> {
            Maybe::Ready(Ok(()))
        }
    }
}
