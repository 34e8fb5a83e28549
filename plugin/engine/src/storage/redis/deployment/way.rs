//! The way of one command to the server that executes it.

use std::time::Duration;

use abi::storage::Unavailable;
use redis::RedisError;
use tokio::time::{Instant, sleep};

use super::{Aim, Deployment};
use crate::storage::redis::cluster::Detour;
use crate::storage::redis::command::Command;
use crate::storage::redis::fault::{Fault, Remedy};
use crate::storage::redis::link::{Line, Patience};

/// Finds one line after the other until a command is executed, or nobody knows whether it was. Whoever goes it has a
/// limit for the time that it takes.
#[derive(Debug)]
pub(in crate::storage::redis) struct Way<'a> {
    deployment: &'a Deployment,
    aim: Aim<'a>,
    patience: Patience,
    broken: Option<u64>,
    detour: Option<Detour>,
    detours: u32,
    /// When to wait no longer for a server that has told us to.
    waits_until: Option<Instant>,
}

impl<'a> Way<'a> {
    pub(super) fn new(deployment: &'a Deployment, aim: Aim<'a>, patience: Patience) -> Self {
        Self {
            deployment,
            aim,
            patience,
            broken: None,
            detour: None,
            detours: 0,
            waits_until: None,
        }
    }

    /// Where to send the command now.
    pub(in crate::storage::redis) async fn line(&self) -> Result<Line, Unavailable> {
        let Self {
            aim,
            patience,
            broken,
            ..
        } = *self;
        match &self.detour {
            Some(detour) => Box::pin(detour.line(aim)).await,
            None => self.deployment.line(aim, patience, broken).await,
        }
    }

    /// After the command failed on `line`. Sent again is what a server says it has not executed, for as long as a young
    /// outage is waited out, and once, on another connection, what is repeatable and whose connection broke: servers
    /// close idle ones.
    ///
    /// # Errors
    /// With any other failure. It may have come after the command was executed, and is for the caller to judge.
    pub(in crate::storage::redis) async fn failed(
        &mut self,
        command: &Command<'_>,
        line: &Line,
        error: &RedisError,
    ) -> Result<(), Unavailable> {
        self.detour = self.deployment.detour(error, line);
        if self.detour.is_some() {
            self.rest().await;
            return Ok(());
        }
        let fault = Fault::of_command(error);
        let is_left = line.doubt(&fault);
        if fault.remedy == Remedy::Wait && self.waits() {
            sleep(PAUSE).await;
        } else if is_left && self.broken.is_none() && command.is_repeatable(&fault) {
            self.broken = Some(line.number);
        } else {
            return Err(fault.cause);
        }
        Ok(())
    }

    fn waits(&mut self) -> bool {
        let now = Instant::now();
        let deadline = self.patience.deadline(now);
        now < *self.waits_until.get_or_insert(deadline)
    }

    /// Nodes that do not agree yet would send us to and fro as fast as we can run.
    async fn rest(&mut self) {
        self.detours += 1;
        if self.detours > AT_ONCE {
            sleep(PAUSE).await;
        }
    }
}

/// Between two attempts while a Cluster is in motion.
const PAUSE: Duration = Duration::from_millis(20);
/// One redirect for routes that are out of date, one for a slot that is on its way.
const AT_ONCE: u32 = 2;
