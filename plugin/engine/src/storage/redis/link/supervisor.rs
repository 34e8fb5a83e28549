//! The task that keeps a link up.

use std::sync::Arc;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep, timeout, timeout_at};
use tracing::field::display;
use tracing::{error, info, warn};

use super::backoff::Backoff;
use super::hearing::Hearing;
use super::latency::Latency;
use super::line::{Doubt, Line};
use super::outage::{News, Outage};
use super::seek::Seek;
use super::{Share, Status, Terms};
use crate::storage::changes::Ear;
use crate::storage::redis::connect::{Access, Address, Connection, Driver};
use crate::storage::redis::fault::{Fault, Remedy};

/// Connects, watches over the connection, and connects again.
pub(super) struct Supervisor<S> {
    seek: S,
    /// Where it was found last.
    server: Option<Address>,
    access: Access,
    answer_within: Duration,
    hearing: Option<Hearing>,
    publish: watch::Sender<Status>,
    doubts: mpsc::Sender<Doubt>,
    heard: mpsc::Receiver<Doubt>,
    latency: Arc<Latency>,
    backoff: Backoff,
    outage: Outage,
}

/// A connection that was checked, before anybody knows of it.
struct Checked {
    server: Address,
    commands: MultiplexedConnection,
    driver: Driver,
    _ear: Option<Ear>,
}

impl<S: Seek> Supervisor<S> {
    pub(super) fn new(
        seek: S,
        share: Share,
        terms: &Terms,
        publish: watch::Sender<Status>,
    ) -> Self {
        // One doubt is enough to reconnect; those that find no room agree with it.
        let (doubts, heard) = mpsc::channel(1);
        Self {
            seek,
            server: None,
            access: terms.access.clone(),
            answer_within: terms.answer_within(),
            hearing: terms.hearing.as_ref().map(|hearing| hearing.of(share)),
            publish,
            doubts,
            heard,
            latency: Arc::default(),
            backoff: Backoff::default(),
            outage: Outage::begin(Instant::now()),
        }
    }

    /// Where it notes how fast the server answers.
    pub(super) fn latency(&self) -> Arc<Latency> {
        Arc::clone(&self.latency)
    }

    pub(super) async fn run(mut self) {
        loop {
            let fault = self.live().await;
            if matches!(&*self.publish.borrow(), Status::Up(_)) {
                self.outage = Outage::begin(Instant::now());
            }
            self.report(&fault);
            self.seek.failed(&fault);
            self.publish.send_replace(Status::Down {
                cause: fault.cause,
                since: self.outage.began,
            });
            sleep(self.backoff.next(fault.remedy)).await;
        }
    }

    /// The life of one connection, from its search to its end. What it ends with is gone when this returns: no ear
    /// hears any more when others learn of the end.
    async fn live(&mut self) -> Fault {
        let access = self.access.clone();
        let deadline = Instant::now() + access.limit;
        let late = || access.late();
        let address = match timeout_at(deadline, self.seek.find()).await {
            Ok(Ok(address)) => address,
            Ok(Err(fault)) => return fault,
            Err(_) => return late(),
        };
        self.server = Some(address.clone());
        let leave = self.seek.leave();
        let serve = async {
            match timeout_at(deadline, self.connect(address)).await {
                Ok(Ok(checked)) => self.hold(checked).await,
                Ok(Err(fault)) => fault,
                Err(_) => late(),
            }
        };
        tokio::select! {
            biased;
            fault = leave => fault,
            fault = serve => fault,
        }
    }

    async fn connect(&mut self, server: Address) -> Result<Checked, Fault> {
        let hearer = self.seek.hearer();
        let hearer = hearer.or_else(|| self.hearing.as_ref().map(Hearing::hearer));
        let Connection {
            commands,
            mut driver,
            is_heard,
        } = self.access.connect(&server, hearer).await?;
        let check = async {
            let asked = Instant::now();
            self.seek.check(commands.clone()).await?;
            self.latency.measured(asked.elapsed());
            match &self.hearing {
                Some(hearing) if is_heard => hearing.ask(commands.clone()).await.map(Some),
                hearing => Ok(hearing.as_ref().map(Hearing::deaf)),
            }
        };
        let ear = tokio::select! {
            biased;
            ear = check => ear?,
            () = &mut driver => return Err(closed()),
        };
        Ok(Checked {
            server,
            commands,
            driver,
            _ear: ear,
        })
    }

    /// Offers the connection until it fails, and says how.
    async fn hold(&mut self, checked: Checked) -> Fault {
        let Checked {
            server,
            commands,
            driver,
            _ear,
        } = checked;
        let line = Line::new(server, commands, self.doubts.clone());
        self.connected();
        self.publish.send_replace(Status::Up(line.clone()));
        // After that: whoever learns of it asks at once.
        self.seek.offered();
        // The driver runs here and not in a task of its own: its end is noticed at once, and so is ours by it.
        tokio::select! {
            biased;
            () = driver => closed(),
            fault = self.watch(&line) => fault,
        }
    }

    async fn watch(&mut self, line: &Line) -> Fault {
        // The first after a while: only a connection that lasts lets the next one be tried without delay.
        let mut checks = interval_at(Instant::now() + CHECK_EVERY, CHECK_EVERY);
        checks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut missed = 0;
        loop {
            tokio::select! {
                Some(doubt) = self.heard.recv() => {
                    if doubt.number == line.number {
                        return doubt.fault;
                    }
                }
                _ = checks.tick() => match self.check(line).await {
                    Some(Ok(())) => {
                        missed = 0;
                        self.backoff.reset();
                    }
                    Some(Err(fault)) if fault.remedy != Remedy::Wait => return fault,
                    Some(Err(_)) | None => missed += 1,
                },
            }
            if missed == CHECKS_TO_MISS {
                return Fault::lost("no answer to pings");
            }
        }
    }

    /// None when there was no answer in time.
    async fn check(&mut self, line: &Line) -> Option<Result<(), Fault>> {
        let asked = Instant::now();
        let check = self.seek.check(line.commands.clone());
        let answer = timeout(self.answer_within, check).await.ok()?;
        self.latency.measured(asked.elapsed());
        Some(answer)
    }

    fn connected(&self) {
        let server = self.server.as_ref().map(display);
        match self.outage.told(Instant::now()) {
            Some(after) => info!(server, ?after, "connected"),
            None => info!(server, "connected"),
        }
    }

    /// Says each change once, and every ten seconds that nothing has changed.
    fn report(&mut self, fault: &Fault) {
        let server = self.server.as_ref().map(display);
        match (
            self.outage.failed(&fault.cause, Instant::now()),
            fault.remedy,
        ) {
            (News::None, _) => {}
            (News::Still(attempts), _) => {
                warn!(server, %fault, attempts, "still trying to connect")
            }
            (News::Cause, Remedy::Configure) => {
                error!(server, %fault, "cannot connect until this is changed");
            }
            (News::Cause, _) => warn!(server, %fault, "not connected"),
        }
    }
}

fn closed() -> Fault {
    Fault::lost("the server closed the connection")
}

const CHECK_EVERY: Duration = Duration::from_millis(500);
const CHECKS_TO_MISS: u32 = 2;
