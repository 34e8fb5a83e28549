//! How a link finds its server, and learns that it is the wrong one.

use std::future::pending;
use std::pin::Pin;

use redis::RedisResult;
use redis::aio::MultiplexedConnection;

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
pub(crate) struct Fixed(pub(crate) Address);

impl Seek for Fixed {
    async fn find(&mut self) -> Result<Address, Fault> {
        Ok(self.0.clone())
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
