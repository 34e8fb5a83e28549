//! How a link finds its server, and learns that it is the wrong one.

use std::future::pending;
use std::pin::Pin;

use redis::RedisResult;
use redis::aio::MultiplexedConnection;
use tokio::sync::watch;

use crate::storage::redis::connect::{Address, Hearer};
use crate::storage::redis::fault::{Fault, Remedy};

/// Finds the server that a link leads to. Everything here may be dropped midway and asked again.
pub(crate) trait Seek: Send + 'static {
    /// Where the server is now. Asked before every attempt to connect, within the time of the attempt.
    fn find(&mut self) -> impl Future<Output = Result<Address, Fault>> + Send;

    /// Whether the server answers and is the one sought. Asked before the connection is offered to anybody, and every
    /// half second from then on.
    fn check(
        &mut self,
        commands: MultiplexedConnection,
    ) -> impl Future<Output = Result<(), Fault>> + Send {
        ping(commands)
    }

    /// Hears what the server says by itself, where that is not about rows.
    fn hearer(&self) -> Option<Hearer> {
        None
    }

    /// A connection is offered from now on.
    fn offered(&mut self) {}

    /// An attempt to connect failed, or a connection was lost.
    fn failed(&mut self, _: &Fault) {}

    /// Ends, saying why, when the server that was found is to be left, whether it answers or not. Never, unless
    /// something is known of others.
    fn leave(&self) -> Leave {
        Box::pin(pending())
    }
}

/// What [`Seek::leave`] waits for.
pub(crate) type Leave = Pin<Box<dyn Future<Output = Fault> + Send>>;

/// A server that is always at the same place.
#[derive(Debug)]
pub(crate) struct Fixed {
    address: Address,
    returns: Returns,
}

impl Fixed {
    /// Its returns are counted by `moved`.
    pub(crate) fn new(address: &Address, moved: &watch::Sender<u64>) -> Self {
        Self {
            address: address.clone(),
            returns: Returns::new(moved),
        }
    }
}

impl Seek for Fixed {
    async fn find(&mut self) -> Result<Address, Fault> {
        Ok(self.address.clone())
    }

    fn offered(&mut self) {
        self.returns.arrived(&self.address);
    }
}

/// Counts how often a link is back at a server that it had lost. Nothing that our user may ask tells whether the server
/// has started anew meanwhile, and with less than it had acknowledged: so each return counts as if it had.
#[derive(Debug)]
pub(crate) struct Returns {
    moved: watch::Sender<u64>,
    last: Option<Address>,
}

impl Returns {
    pub(crate) fn new(moved: &watch::Sender<u64>) -> Self {
        Self {
            moved: moved.clone(),
            last: None,
        }
    }

    /// The connection that is offered leads there.
    pub(crate) fn arrived(&mut self, server: &Address) {
        if self.last.as_ref() == Some(server) {
            self.moved.send_modify(|moved| *moved += 1);
        }
        self.last = Some(server.clone());
    }
}

/// A server that cannot save its data refuses this command together with all writes (`MISCONF`), and goes on answering
/// reads: what it says of this command alone is no reason to leave it.
async fn ping(mut commands: MultiplexedConnection) -> Result<(), Fault> {
    let answer: RedisResult<()> = redis::cmd("PING").query_async(&mut commands).await;
    match answer.map_err(|error| Fault::of_command(&error)) {
        Err(fault) if fault.remedy == Remedy::None => Ok(()),
        answer => answer,
    }
}
