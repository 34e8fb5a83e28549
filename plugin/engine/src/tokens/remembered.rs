//! Documents of a provider that are asked for now and then: what it says of itself, and its keys.
//!
//! What was good stays good while the provider is away. Who asks first waits for the answer; later, when it has aged,
//! it is asked for again beside the requests and none of them waits.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Mutex as Turnstile, OwnedMutexGuard};

use super::error::Outage;
use crate::session::Timestamp;

/// A document, as far as it is known.
#[derive(Debug)]
pub(super) struct Remembered<T> {
    state: Mutex<State<T>>,
    /// One asks at a time.
    turnstile: Arc<Turnstile<()>>,
}

#[derive(Debug)]
struct State<T> {
    good: Option<Arc<T>>,
    /// From when on it is asked for again.
    stale_at: Timestamp,
    /// Not before this, because it failed.
    retry_at: Timestamp,
    failures: u32,
    last: Option<Outage>,
    /// When it was last asked for out of turn.
    extra_at: Option<Timestamp>,
}

/// What is known of a document.
pub(super) enum Known<T> {
    /// It, and nobody needs to ask.
    Fresh(Arc<T>),
    /// It, and it is time to ask again.
    Stale(Arc<T>),
    /// Nothing yet, and it is time to ask.
    Nothing,
    /// Nothing, and it was asked for in vain a moment ago.
    Failed(Outage),
}

/// Whether there is something newer than what somebody knows.
pub(super) enum Newer<T> {
    /// There is: somebody else has got it meanwhile.
    Known(Arc<T>),
    /// Nobody knows. Whoever is told so asks, and is the only one for as long as this is kept.
    Ask(OwnedMutexGuard<()>),
    /// It is too early to ask again, and what came of it when somebody last did in vain.
    TooEarly(Option<Outage>),
}

impl<T> Default for Remembered<T> {
    fn default() -> Self {
        Self {
            state: Mutex::new(State {
                good: None,
                stale_at: Timestamp::default(),
                retry_at: Timestamp::default(),
                failures: 0,
                last: None,
                extra_at: None,
            }),
            turnstile: Arc::default(),
        }
    }
}

impl<T> Remembered<T> {
    /// Who is told that it is stale is the one who asks: the others are told that it is fresh for a while.
    pub(super) fn known(&self, now: Timestamp) -> Known<T> {
        let mut state = self.state();
        let may_ask = now >= state.retry_at;
        let is_stale = may_ask && now >= state.stale_at;
        if is_stale && state.good.is_some() {
            state.retry_at = now.after(LONGEST_ASKING);
        }
        match (&state.good, &state.last) {
            (Some(good), _) if is_stale => Known::Stale(Arc::clone(good)),
            (Some(good), _) => Known::Fresh(Arc::clone(good)),
            (None, Some(last)) if !may_ask => Known::Failed(last.clone()),
            (None, _) => Known::Nothing,
        }
    }

    /// Asks, unless somebody else has while this waited for its turn. Returns what is good now.
    pub(super) async fn ask(
        &self,
        now: impl Fn() -> Timestamp,
        fetch: impl Future<Output = Result<(T, Duration), Outage>>,
    ) -> Result<Arc<T>, Outage> {
        let before = self.state().stale_at;
        let _turn = self.turnstile.lock().await;
        match self.known(now()) {
            Known::Fresh(good) if self.state().stale_at != before => return Ok(good),
            Known::Failed(last) => return Err(last),
            Known::Fresh(_) | Known::Stale(_) | Known::Nothing => {}
        }
        let fetched = fetch.await;
        self.note(fetched, now())
    }

    /// Takes over what another has.
    pub(super) fn inherit(&self, other: &Self) {
        let (good, stale_at) = {
            let other = other.state();
            (other.good.clone(), other.stale_at)
        };
        let mut state = self.state();
        (state.good, state.stale_at) = (good, stale_at);
    }

    /// Takes what was fetched, and says what is good now.
    pub(super) fn note(
        &self,
        fetched: Result<(T, Duration), Outage>,
        now: Timestamp,
    ) -> Result<Arc<T>, Outage> {
        let mut state = self.state();
        match fetched {
            Ok((good, fresh_for)) => {
                let good = Arc::new(good);
                state.good = Some(Arc::clone(&good));
                state.stale_at = now.after(fresh_for);
                state.retry_at = now;
                (state.failures, state.last) = (0, None);
                Ok(good)
            }
            Err(outage) => {
                state.retry_at = now.after(pause(state.failures, outage.retry_after));
                state.failures = state.failures.saturating_add(1);
                state.last = Some(outage.clone());
                Err(outage)
            }
        }
    }

    /// What is newer than `known`, or who asks for it now: before its time, and at most once in a `pause`. Whoever comes
    /// while somebody asks waits for the same answer.
    pub(super) async fn newer(
        &self,
        known: &Arc<T>,
        (now, pause): (Timestamp, Duration),
    ) -> Newer<T> {
        let turn = Arc::clone(&self.turnstile).lock_owned().await;
        let newest = self.state().good.clone();
        if let Some(newest) = newest.filter(|newest| !Arc::ptr_eq(newest, known)) {
            return Newer::Known(newest);
        }
        match self.may_ask_extra(now, pause) {
            true => Newer::Ask(turn),
            false => Newer::TooEarly(self.state().last.clone()),
        }
    }

    fn may_ask_extra(&self, now: Timestamp, pause: Duration) -> bool {
        let mut state = self.state();
        if state.extra_at.is_some_and(|at| now.since(at) < pause) {
            return false;
        }
        state.extra_at = Some(now);
        true
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// From one second doubled up to a minute, or what the provider asks for within an hour.
pub(in crate::tokens) fn pause(failures: u32, asked: Option<Duration>) -> Duration {
    let usual = FIRST_PAUSE * 2_u32.saturating_pow(failures.min(6));
    usual
        .min(LONGEST_PAUSE)
        .max(asked.unwrap_or_default().min(LONGEST_ASKED))
}

// Until somebody else may ask, should the one who does never come back.
const LONGEST_ASKING: Duration = Duration::from_secs(120);
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
const LONGEST_ASKED: Duration = Duration::from_secs(3600);
