//! One connection to the server, kept up by a task of its own.
//!
//! Requests never connect. They take the connection that is there, or wait a moment for one and give up: when the
//! server is away, every request learns it within 50 ms instead of queueing behind an attempt to reconnect.

use std::io;
use std::time::Duration;

use abi::storage::Unavailable;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep, timeout};
use tracing::{error, info, warn};

use super::backoff::Backoff;
use super::fault::{Fault, Remedy};
use super::target::Target;
use crate::runtime::{Runtime, Task};

/// The way to the connection.
#[derive(Debug)]
pub(super) struct Link {
    status: watch::Receiver<Status>,
    doubts: mpsc::Sender<Doubt>,
    _supervisor: Task,
}

/// A connection and its number.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) connection: MultiplexedConnection,
    pub(super) number: u64,
}

#[derive(Clone, Debug)]
enum Status {
    Down(Unavailable),
    Up(Line),
}

/// What a request saw on the line of this number. By the time it is heard, another line may be up.
#[derive(Debug)]
struct Doubt {
    number: u64,
    fault: Fault,
}

impl Link {
    /// Begins to connect.
    pub(super) fn open(target: &Target, runtime: &Runtime) -> io::Result<Self> {
        let not_yet = Unavailable::new("not connected yet");
        let (publish, status) = watch::channel(Status::Down(not_yet));
        // One doubt is enough to reconnect; those that find no room agree with it.
        let (doubts, heard) = mpsc::channel(1);
        let supervisor = Supervisor {
            target: target.clone(),
            publish,
            heard,
            backoff: Backoff::default(),
        };
        Ok(Self {
            status,
            doubts,
            _supervisor: runtime.spawn(supervisor.run())?,
        })
    }

    /// The connection, if there is one within `patience` other than the `broken` one.
    pub(super) async fn line(
        &self,
        patience: Duration,
        broken: Option<u64>,
    ) -> Result<Line, Unavailable> {
        if let Some(line) = self.status.borrow().line(broken) {
            return Ok(line.clone());
        }
        let mut status = self.status.clone();
        let _ = timeout(
            patience,
            status.wait_for(|status| status.line(broken).is_some()),
        )
        .await;
        let status = status.borrow();
        match (&*status, status.line(broken)) {
            (_, Some(line)) => Ok(line.clone()),
            (Status::Down(cause), None) => Err(cause.clone()),
            (Status::Up(_), None) => Err(Unavailable::new("the connection broke")),
        }
    }

    /// Reports that `line` failed, so that it is replaced at once and not with the next ping.
    pub(super) fn doubt(&self, line: &Line, fault: Fault) {
        let _ = self.doubts.try_send(Doubt {
            number: line.number,
            fault,
        });
    }
}

impl Status {
    fn line(&self, broken: Option<u64>) -> Option<&Line> {
        match self {
            Self::Up(line) if Some(line.number) != broken => Some(line),
            Self::Up(_) | Self::Down(_) => None,
        }
    }
}

struct Supervisor {
    target: Target,
    publish: watch::Sender<Status>,
    heard: mpsc::Receiver<Doubt>,
    backoff: Backoff,
}

impl Supervisor {
    async fn run(mut self) {
        for number in 1.. {
            let fault = match self.connect().await {
                Ok(connection) => self.hold(Line { connection, number }).await,
                Err(fault) => fault,
            };
            self.report(&fault);
            self.publish.send_replace(Status::Down(fault.cause));
            sleep(self.backoff.next(fault.remedy)).await;
        }
    }

    async fn connect(&self) -> Result<MultiplexedConnection, Fault> {
        let client = Client::open(self.target.server.clone())
            .map_err(|error| Fault::of_connecting(&error))?;
        // No timeout of the client's for responses: its timers would be polled outside of their runtime. Ours cover
        // the command as a whole.
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(None)
            .set_response_timeout(None);
        let connecting = client.get_multiplexed_async_connection_with_config(&config);
        match timeout(self.target.connect_timeout, connecting).await {
            Ok(connected) => connected.map_err(|error| Fault::of_connecting(&error)),
            Err(_) => Err(Fault::lost(format!(
                "no connection within {:?}",
                self.target.connect_timeout
            ))),
        }
    }

    /// Offers `line` until it fails, and says how.
    async fn hold(&mut self, line: Line) -> Fault {
        info!(server = %self.target.server.addr(), "connected");
        self.publish.send_replace(Status::Up(line.clone()));
        // The first after a while: only a connection that lasts lets the next one be tried without delay.
        let mut pings = interval_at(Instant::now() + PING_EVERY, PING_EVERY);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut missed = 0;
        loop {
            tokio::select! {
                Some(doubt) = self.heard.recv() => {
                    if doubt.number == line.number {
                        return doubt.fault;
                    }
                }
                _ = pings.tick() => match ping(line.connection.clone()).await {
                    Some(Ok(())) => {
                        missed = 0;
                        self.backoff.reset();
                    }
                    Some(Err(fault)) if fault.remedy != Remedy::Wait => return fault,
                    // Loading its data, or not answering: both are over soon, or another server has to be found.
                    Some(Err(_)) | None => missed += 1,
                },
            }
            if missed == PINGS_TO_MISS {
                return Fault::lost("no answer to pings");
            }
        }
    }

    /// Says each change once: attempts that fail for the same reason are no news.
    fn report(&self, fault: &Fault) {
        let server = self.target.server.addr();
        if matches!(&*self.publish.borrow(), Status::Down(known) if *known == fault.cause) {
            return;
        }
        match fault.remedy {
            Remedy::Configure => error!(%server, %fault, "cannot connect until this is changed"),
            Remedy::None | Remedy::Reconnect | Remedy::Wait => {
                warn!(%server, %fault, "not connected")
            }
        }
    }
}

/// None when there was no answer in time.
async fn ping(mut connection: MultiplexedConnection) -> Option<Result<(), Fault>> {
    let ping = redis::cmd("PING");
    let answer = timeout(PING_WITHIN, ping.query_async::<()>(&mut connection))
        .await
        .ok()?;
    Some(answer.map_err(|error| Fault::of_command(&error)))
}

const PING_EVERY: Duration = Duration::from_millis(500);
const PING_WITHIN: Duration = Duration::from_millis(300);
const PINGS_TO_MISS: u32 = 2;
