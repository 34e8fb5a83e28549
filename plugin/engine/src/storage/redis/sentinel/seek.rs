//! How links find the master and its replicas.

use std::sync::Arc;

use redis::aio::MultiplexedConnection;
use tokio::sync::watch;

use super::council::{Council, Verdict};
use super::progress::Progress;
use super::role::Role;
use crate::storage::redis::connect::Address;
use crate::storage::redis::fault::Fault;
use crate::storage::redis::link::{Leave, Returns, Seek};

/// Seeks whichever server is the master.
#[derive(Debug)]
pub(super) struct Master {
    council: Council,
    verdict: watch::Receiver<Verdict>,
    found: Option<Address>,
    returns: Returns,
    progress: Arc<Progress>,
}

/// Seeks a replica that keeps up with its master.
#[derive(Debug)]
pub(super) struct Replica {
    pub(super) address: Address,
    pub(super) progress: Arc<Progress>,
}

impl Master {
    pub(super) fn new(council: &Council, progress: &Arc<Progress>) -> Self {
        Self {
            council: council.clone(),
            verdict: council.verdict(),
            found: None,
            returns: council.returns(),
            progress: Arc::clone(progress),
        }
    }
}

impl Master {
    /// Unless the master has moved again: another link may be there already.
    fn tell_arrival(&self) {
        if let (Some(found), Ok(master)) = (&self.found, self.verdict.borrow().master())
            && found == master
        {
            self.council.arrived(found);
        }
    }
}

impl Seek for Master {
    async fn find(&mut self) -> Result<Address, Fault> {
        // Never closed: we have a sender of our own.
        let _ = self.verdict.wait_for(Verdict::is_passed).await;
        let master = self.verdict.borrow_and_update().master()?.clone();
        Ok(self.found.insert(master).clone())
    }

    async fn check(&mut self, commands: MultiplexedConnection) -> Result<(), Fault> {
        match Role::of(commands).await? {
            Role::Master { offset } => {
                self.progress.reached(offset);
                self.tell_arrival();
                Ok(())
            }
            Role::Replica { .. } | Role::Other => Err(Fault::elsewhere(
                "the server that the sentinels name is not the master",
            )),
        }
    }

    fn offered(&mut self) {
        // That another server is the master has been counted with its arrival.
        if let Some(found) = &self.found {
            self.returns.arrived(found);
        }
    }

    fn leave(&self) -> Leave {
        let (mut verdict, found) = (self.verdict.clone(), self.found.clone());
        Box::pin(async move {
            let is_elsewhere = |verdict: &Verdict| {
                verdict
                    .master()
                    .is_ok_and(|master| Some(master) != found.as_ref())
            };
            let _ = verdict.wait_for(is_elsewhere).await;
            Fault::elsewhere("another server is the master now")
        })
    }
}

impl Seek for Replica {
    async fn find(&mut self) -> Result<Address, Fault> {
        Ok(self.address.clone())
    }

    async fn check(&mut self, commands: MultiplexedConnection) -> Result<(), Fault> {
        match Role::of(commands).await? {
            Role::Replica { offset } if self.progress.is_followed(offset) => Ok(()),
            Role::Replica { .. } => Err(Fault::elsewhere("the replica is behind its master")),
            Role::Master { .. } | Role::Other => {
                Err(Fault::elsewhere("the server follows no master"))
            }
        }
    }
}
