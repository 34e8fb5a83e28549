//! One connection, as those who send commands see it.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use abi::storage::Key;
use redis::aio::MultiplexedConnection;
use redis::{Cmd, FromRedisValue, Pipeline, RedisResult};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use super::lane::Lane;
use crate::storage::redis::connect::{Address, Wire, read};
use crate::storage::redis::fault::{Fault, Remedy};
use crate::storage::redis::name::Names;

/// A connection that worked a moment ago. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) commands: MultiplexedConnection,
    pub(crate) server: Arc<Address>,
    /// No two lines of this process have the same.
    pub(crate) number: u64,
    since: Instant,
    supervision: Supervision,
    /// What it is instead, if it is not the supervisor's own.
    lane: Option<OnLane>,
    is_asking: bool,
}

/// The lane that a line is, and what its commands go over.
#[derive(Clone, Debug)]
struct OnLane {
    lane: Lane,
    wire: Wire,
}

/// Who is told when the line fails.
#[derive(Clone, Debug)]
struct Supervision {
    doubts: mpsc::Sender<Doubt>,
    /// Of the supervisor's own line.
    number: u64,
}

/// What a request saw on the line of this number. By the time it is heard, another line may be up.
#[derive(Debug)]
pub(super) struct Doubt {
    pub(super) number: u64,
    pub(super) fault: Fault,
}

impl Line {
    pub(super) fn new(
        server: Address,
        commands: MultiplexedConnection,
        doubts: mpsc::Sender<Doubt>,
    ) -> Self {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        Self {
            commands,
            server: server.into(),
            number,
            since: Instant::now(),
            supervision: Supervision { doubts, number },
            lane: None,
            is_asking: false,
        }
    }

    /// The line that stands in for this one on the thread of `lane`.
    pub(super) fn lane(&self, wire: Wire, lane: Lane) -> Self {
        Self {
            number: NEXT.fetch_add(1, Ordering::Relaxed),
            lane: Some(OnLane { lane, wire }),
            ..self.clone()
        }
    }

    pub(super) fn stands_in_for(&self, line: &Self) -> bool {
        self.supervision.number == line.number
    }

    /// The same connection, for a command about a row that is on its way to this server: without the announcement the
    /// server would send us back.
    pub(crate) fn asking(self) -> Self {
        Self {
            is_asking: true,
            ..self
        }
    }

    /// Sends `command` and waits for its answer.
    pub(crate) async fn query<T: FromRedisValue>(&self, command: &Cmd) -> RedisResult<T> {
        if self.is_asking {
            return Box::pin(self.announce(command)).await;
        }
        match &self.lane {
            Some(OnLane { wire, .. }) => {
                let [answer] = wire
                    .ask(|bytes| command.write_packed_command(bytes))
                    .await?;
                read(answer)
            }
            None => command.query_async(&mut self.commands.clone()).await,
        }
    }

    /// Reads two rows with one message, as they lie on the server.
    ///
    /// # Errors
    /// Also when there is no answer in time: a timeout.
    pub(crate) async fn get_both(
        &self,
        (names, keys): (&Names, &[Key; 2]),
        deadline: Instant,
    ) -> RedisResult<[Option<Vec<u8>>; 2]> {
        match &self.lane {
            Some(OnLane { wire, .. }) => {
                let get = |bytes: &mut Vec<u8>| {
                    keys.iter().for_each(|key| names.write_get(key, bytes));
                };
                let [first, second] = wire.ask_until(deadline, get).await?;
                Ok([read(first)?, read(second)?])
            }
            None => {
                let both = Box::pin(self.get_both_shared(names, keys));
                let in_time = timeout_at(deadline, both).await;
                in_time.unwrap_or_else(|_| Err(io::Error::from(io::ErrorKind::TimedOut).into()))
            }
        }
    }

    async fn get_both_shared(
        &self,
        names: &Names,
        keys: &[Key; 2],
    ) -> RedisResult<[Option<Vec<u8>>; 2]> {
        let mut both = Pipeline::with_capacity(2);
        for key in keys {
            both.get(names.of(key));
        }
        let (first, second) = both.query_async(&mut self.commands.clone()).await?;
        Ok([first, second])
    }

    async fn announce<T: FromRedisValue>(&self, command: &Cmd) -> RedisResult<T> {
        // In one piece: the announcement is for the next command on the connection, whosever that is.
        if let Some(OnLane { wire, .. }) = &self.lane {
            let both = |bytes: &mut Vec<u8>| {
                redis::cmd("ASKING").write_packed_command(bytes);
                command.write_packed_command(bytes);
            };
            let [_, answer] = wire.ask(both).await?;
            return read(answer);
        }
        let mut announced = Pipeline::with_capacity(2);
        announced.cmd("ASKING").add_command(command.clone());
        let mut commands = self.commands.clone();
        let answers = commands.send_packed_commands(&announced, 0, 2).await?;
        let answer = answers.into_iter().nth(1).unwrap_or_default();
        read(answer)
    }

    /// Reports how a command failed, so that the line is replaced at once if it should be and not with the next
    /// check. Says whether it should: a server that was found a moment ago is not left because it refuses commands,
    /// or every refused write would cost all others the connection.
    pub(crate) fn doubt(&self, fault: &Fault) -> bool {
        let is_left = match fault.remedy {
            Remedy::Reconnect => true,
            Remedy::Elsewhere => self.since.elapsed() >= SETTLED,
            Remedy::Configure | Remedy::None | Remedy::Wait => false,
        };
        match &self.lane {
            // The server may be well: whoever comes next finds out by the supervisor's line.
            Some(own) if fault.remedy == Remedy::Reconnect => own.lane.leave(self.number),
            _ if is_left => self.supervision.tell(fault),
            _ => {}
        }
        is_left
    }
}

impl Supervision {
    fn tell(&self, fault: &Fault) {
        // One doubt is enough; those that find no room agree with it.
        let _ = self.doubts.try_send(Doubt {
            number: self.number,
            fault: fault.clone(),
        });
    }
}

static NEXT: AtomicU64 = AtomicU64::new(1);

/// How long a line is given to prove itself.
const SETTLED: Duration = Duration::from_secs(1);
