//! One connection to one server: the stream, what secures it, and the handshake.
//!
//! The streams are ours and not the client's: only so every option of TLS holds, on every server of a deployment, and
//! only so the connection ends when we drop it.

mod address;
mod introduced;
mod stream;
mod tls;
mod wire;

use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use abi::EventLoop;
use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, ErrorKind, ProtocolVersion, PushInfo, RedisConnectionInfo, RedisError,
    RedisResult,
};

pub(super) use self::address::Address;
use self::introduced::Introduced;
use self::stream::Waiter;
pub(super) use self::tls::{Identity, Oldest, Tls};
pub use self::wire::reply;
pub(super) use self::wire::{Driver as WireDriver, Wire, read};
use super::fault::{Fault, Remedy};
use super::keys::Keys;

/// How the servers of a deployment let us in. Cheap to clone.
#[derive(Clone)]
pub(super) struct Access {
    /// The user, the password and the database.
    pub(super) login: RedisConnectionInfo,
    /// None for connections in the clear.
    pub(super) tls: Option<Tls>,
    /// How long an attempt to connect may take, until the first command is answered.
    pub(super) limit: Duration,
    /// Where the user, the password and the database are written.
    pub(super) keys: Keys,
}

/// A connection that works for as long as somebody polls its driver, and ends when that is dropped.
pub(super) struct Connection {
    pub(super) commands: MultiplexedConnection,
    pub(super) driver: Driver,
    /// Whether the server can speak up by itself on it.
    pub(super) is_heard: bool,
}

/// Carries bytes between the commands and the server. Ends when the server ends the connection.
pub(super) type Driver = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Hears what the server says without being asked. Called while the connection is read: it must not wait.
pub(super) type Hearer = Box<dyn Fn(PushInfo) + Send + Sync>;

impl Access {
    /// Connects and introduces us. Takes as long as the network likes: the caller has a limit for all it does.
    ///
    /// With a `hearer`, in the protocol that lets servers speak up, unless this one is too old for it.
    pub(super) async fn connect(
        &self,
        address: &Address,
        hearer: Option<Hearer>,
    ) -> Result<Connection, Fault> {
        if let Some(hearer) = hearer {
            match self.shake_hands(address, Some(hearer)).await? {
                Err(error) if is_too_old(&error) => {}
                shaken => return shaken.map_err(|error| self.refused(&error)),
            }
        }
        let shaken = self.shake_hands(address, None).await?;
        shaken.map_err(|error| self.refused(&error))
    }

    /// Connects for the thread of `event_loop`, on which the driver has to be polled. The server does not speak up on
    /// such a connection.
    pub(super) async fn lend(
        &self,
        address: &Address,
        event_loop: EventLoop,
    ) -> Result<(Wire, WireDriver), Fault> {
        let waiter = Waiter::Gateway(event_loop);
        let stream = stream::open(address, self.terms(), &waiter).await?;
        let introduced = Introduced::new(stream);
        let login = self.login.clone().set_protocol(ProtocolVersion::RESP2);
        let shaken =
            MultiplexedConnection::new_with_config(&login, introduced.clone(), settings(None));
        // It has said who we are, and is not needed for more.
        shaken
            .await
            .map(drop)
            .map_err(|error| self.refused(&error))?;
        Ok(Wire::over(introduced.into_stream()?))
    }

    /// What to say of an attempt that took too long.
    pub(super) fn late(&self) -> Fault {
        let limit = self.limit;
        match self.tls {
            None => Fault::lost(format!("no connection within {limit:?}")),
            Some(_) => Fault::lost(format!(
                "no connection within {limit:?}; a port that speaks no TLS never answers: see {}",
                self.keys.tls()
            )),
        }
    }

    /// A port that speaks TLS hangs up on who does not.
    fn refused(&self, error: &RedisError) -> Fault {
        let fault = Fault::of_connecting(error, self.keys);
        match (fault.remedy, &self.tls) {
            (Remedy::Reconnect, None) => Fault::lost(format!(
                "{fault}; if the port speaks TLS, change {}",
                self.keys.tls()
            )),
            _ => fault,
        }
    }

    /// On which a stream is opened.
    fn terms(&self) -> (Option<&Tls>, Duration) {
        (self.tls.as_ref(), self.limit)
    }

    async fn shake_hands(
        &self,
        address: &Address,
        hearer: Option<Hearer>,
    ) -> Result<RedisResult<Connection>, Fault> {
        let stream = stream::open(address, self.terms(), &Waiter::Ours).await?;
        let is_heard = hearer.is_some();
        let protocol = match is_heard {
            true => ProtocolVersion::RESP3,
            false => ProtocolVersion::RESP2,
        };
        let login = self.login.clone().set_protocol(protocol);
        let shaken = MultiplexedConnection::new_with_config(&login, stream, settings(hearer)).await;
        Ok(shaken.map(|(commands, driver)| Connection {
            commands,
            driver: Box::pin(driver),
            is_heard,
        }))
    }
}

fn is_too_old(error: &RedisError) -> bool {
    error.kind() == ErrorKind::RESP3NotSupported
        || error.code() == Some("NOPROTO")
        || error
            .detail()
            .is_some_and(|detail| detail.starts_with("unknown command"))
}

/// Without the client's timeout for responses: its timers would be polled outside of their runtime. Ours cover the
/// command as a whole.
fn settings(hearer: Option<Hearer>) -> AsyncConnectionConfig {
    let settings = AsyncConnectionConfig::new().set_response_timeout(None);
    match hearer {
        Some(hearer) => settings.set_push_sender(move |push| {
            hearer(push);
            Ok::<(), ()>(())
        }),
        None => settings,
    }
}

/// Without the password.
impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access")
            .field("tls", &self.tls)
            .finish_non_exhaustive()
    }
}
