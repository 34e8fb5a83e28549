//! The engine on memory and on Redis, alone, in races and in failures.

mod attended;
mod clocks;
mod contention;
mod crash;
mod failover;
mod hammer;
mod interleaved;
mod lease;
mod links;
mod model;
mod outage;
mod principals;
mod reuse;
mod round_trips;
mod secrets;
mod shortened;
mod single;
mod stage;
mod unlimited;
mod unreadable;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::*;
use crate::clock::ManualClock;
use crate::session::{Deltas, Lifetime, SessionId};
use abi::storage::{Key, Loaded};

/// An engine on `rows` whose clock the test moves.
fn engine_on(rows: Arc<dyn Rows>, clock: &Arc<ManualClock>) -> Engine {
    Engine::new(rows, clock.clone(), policy())
}

fn policy() -> Policy {
    Policy::new(Lifetime::new(HOUR, Some(HALF)))
}

fn deltas(pairs: &[(&str, i32)]) -> Deltas {
    let mut deltas = Deltas::new();
    for (name, value) in pairs {
        deltas.set(*name, *value);
    }
    deltas
}

async fn begin(engine: &Engine) -> Session {
    engine
        .create(&deltas(&[("user_id", 1)]))
        .await
        .expect_done()
}

/// What a client's request leaves behind: the session was seen in use.
async fn use_once(engine: &Engine, id: &SessionId) -> Session {
    let session = find(engine, id).await.expect("a session");
    engine.touch(&session).await.expect_done()
}

async fn find(engine: &Engine, id: &SessionId) -> Option<Session> {
    match engine.load(id).wait().await {
        Loaded::Found(session) => Some(session),
        Loaded::Absent => None,
        Loaded::Unavailable(cause) => panic!("unavailable: {cause}"),
    }
}

/// An observer that remembers.
#[derive(Default)]
struct Witness(Mutex<Vec<(&'static str, &'static str)>>);

impl Witness {
    fn seen(&self) -> Vec<(&'static str, &'static str)> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

impl Observer for Witness {
    fn happened(&self, event: Event, _: Key) {
        self.0.lock().unwrap().push((event.name(), event.reason()));
    }
}

fn value(session: &Session, name: &str) -> Option<i64> {
    let value = session.record().attributes().value(name)?;
    value.to_value().as_i64()
}

impl Saved {
    #[track_caller]
    fn expect_done(self) -> Session {
        match self {
            Self::Done(session) => session,
            other => panic!("{other:?}"),
        }
    }
}

const START: Timestamp = Timestamp::from_millis(1_700_000_000_000);
const HOUR: Duration = Duration::from_secs(3600);
const HALF: Duration = Duration::from_secs(1800);
const GRACE: Duration = Duration::from_secs(10);
const MINUTE: Duration = Duration::from_secs(60);
