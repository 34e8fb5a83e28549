//! The engine on memory and on Redis, alone, in races and in failures.

mod crash;
mod hammer;
mod interleaved;
mod outage;
mod single;
mod stage;

use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::clock::ManualClock;
use crate::session::{Deltas, SessionId};
use abi::storage::Loaded;

/// An engine on `rows` whose clock the test moves.
fn engine_on(rows: Arc<dyn Rows>, clock: &Arc<ManualClock>) -> Engine {
    Engine::new(rows, clock.clone(), Lifetime::new(HOUR, Some(HALF)))
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

async fn find(engine: &Engine, id: &SessionId) -> Option<Session> {
    match engine.load(id).wait().await {
        Loaded::Found(session) => Some(session),
        Loaded::Absent => None,
        Loaded::Unavailable(cause) => panic!("unavailable: {cause}"),
    }
}

fn value(session: &Session, name: &str) -> Option<i64> {
    session.record().attributes().value(name)?.as_i64()
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
const MINUTE: Duration = Duration::from_secs(60);
