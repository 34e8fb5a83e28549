//! Rows on a Redis or Valkey server.
//!
//! A row is one value (`blob.rs`), named by the prefix and the key in base64url. It is created by `SET NX PX` and
//! replaced by a script that compares the version and writes value and time of life in one step. There is no key
//! without a time of life, and no command that deletes a row: it is replaced by a tombstone, which expires.
//!
//! The server's user needs `get`, `set`, `getrange`, `del`, `ping`, `evalsha`, `eval`, for the local cache
//! `client|tracking`, with Sentinels `role`, in a Cluster `cluster|slots`, `cluster|nodes` and `asking`, and for a reset
//! `scan` and `unlink`. The Sentinels' user needs `sentinel|get-master-addr-by-name`, `sentinel|master`, `subscribe` to
//! `+switch-master`, and `sentinel|replicas` when rows are read from replicas.

mod blob;
mod cluster;
mod command;
mod config;
mod connect;
mod deployment;
mod fault;
mod keys;
mod link;
mod name;
mod probe;
mod read;
mod reset;
mod sentinel;
#[cfg(any(test, feature = "conformance"))]
pub mod server;
mod target;

use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use abi::Maybe;
use abi::config::Faults;
use abi::storage::{Expected, Key, Loaded, Row, Storage, Unavailable, Written};
use redis::FromRedisValue;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::timeout;

use self::command::{Command, Script};
use self::deployment::{Aim, Deployment};
use self::link::{Hearing, Patience, Terms};
use self::target::Target;
use super::changes::Changes;
use crate::runtime::{Runtime, entered};

pub use connect::reply;

pub use config::{
    HighAvailabilityConfig, Hosts, LocalCacheConfig, Mode, RedisConfig, SentinelConfig, TlsConfig,
    TlsVersion,
};

/// Keeps rows on servers. Commands share few connections; none of them blocks one.
pub struct RedisStorage {
    target: Target,
    deployment: Deployment,
    changes: Changes,
    replace: Script,
    patience: Duration,
    io: Handle,
    // Declared last: the threads outlive what runs on them.
    _runtime: Arc<Runtime>,
}

impl RedisStorage {
    /// Begins to connect, and goes on for as long as the storage lives. Whether the server can be reached is for
    /// [`probe`](Storage::probe) to say: a gateway may start before its server.
    ///
    /// # Errors
    /// With the faults of the configuration, or when the threads cannot be started.
    pub fn open(config: &RedisConfig, runtime: Arc<Runtime>) -> Result<Self, Faults> {
        let target = config.target()?;
        let changes = Changes::default();
        let terms = Terms {
            access: target.access.clone(),
            hearing: (target.is_cached)
                .then(|| Hearing::new(target.names.clone(), changes.clone())),
            silence: target.timeout,
            runtime: Arc::clone(&runtime),
        };
        let failed = |error| {
            Faults::at(
                "",
                format!("cannot start threads for the connection: {error}"),
            )
        };
        Ok(Self {
            deployment: Deployment::open(&target, &terms).map_err(failed)?,
            io: runtime.start().map_err(failed)?.clone(),
            replace: Script::new(REPLACE),
            patience: PATIENCE,
            changes,
            target,
            _runtime: runtime,
        })
    }

    /// What is heard of the writes of others. Nothing, unless the local cache is enabled.
    pub fn changes(&self) -> Changes {
        self.changes.clone()
    }

    /// Counts the failovers: how often another server has become the master of rows, or a connection to the same one
    /// was lost and made again. It may lack the last writes that were acknowledged before.
    pub fn moved(&self) -> watch::Receiver<u64> {
        self.deployment.moved()
    }

    /// Makes work on this storage something that any thread may poll.
    fn task<'a, T: Send>(&'a self, work: impl Future<Output = T> + Send + 'a) -> Maybe<'a, T> {
        Maybe::task(entered(self.io.clone(), work))
    }

    /// Runs a command, within the time that a command may take.
    async fn run<T: FromRedisValue>(
        &self,
        aim: Aim<'_>,
        command: Command<'_>,
    ) -> Result<T, Unavailable> {
        self.in_time(self.complete(aim, &command)).await
    }

    async fn in_time<T>(
        &self,
        work: impl Future<Output = Result<T, Unavailable>>,
    ) -> Result<T, Unavailable> {
        let limit = self.target.timeout;
        // Pinned here, where it stays: a timeout that owns it would be moved with it, and it is large.
        match timeout(limit, pin!(work)).await {
            Ok(answer) => answer,
            Err(_) => Err(self.late()),
        }
    }

    fn late(&self) -> Unavailable {
        let limit = self.target.timeout;
        Unavailable::new(format!("no answer within {limit:?}"))
    }

    /// Goes on until the command is executed, or nobody knows whether it was.
    async fn complete<T: FromRedisValue>(
        &self,
        aim: Aim<'_>,
        command: &Command<'_>,
    ) -> Result<T, Unavailable> {
        let mut way = self.deployment.way(aim, Patience::OfOutage(self.patience));
        loop {
            let line = way.line().await?;
            match command.send(&line).await {
                Ok(answer) => return Ok(answer),
                Err(error) => Box::pin(way.failed(command, &line, &error)).await?,
            }
        }
    }

    async fn create(&self, key: &Key, row: &Row, millis: u64) -> Result<bool, Unavailable> {
        let mut set = redis::cmd("SET");
        set.arg(self.target.names.of(key))
            .arg(blob::join(row))
            .arg("NX")
            .arg("PX")
            .arg(millis);
        let answer = self
            .run::<Option<String>>(Aim::Row(key), Command::Once(set))
            .await?;
        Ok(answer.is_some())
    }

    async fn replace(
        &self,
        key: &Key,
        version: u64,
        row: &Row,
        millis: u64,
    ) -> Result<bool, Unavailable> {
        let mut call = self.replace.on(self.target.names.of(key));
        call.arg(&blob::header(version))
            .arg(blob::join(row))
            .arg(millis);
        self.run(Aim::Row(key), Command::Script(&self.replace, call))
            .await
    }
}

impl Storage for RedisStorage {
    fn load<'a>(&'a self, key: &'a Key) -> Maybe<'a, Loaded<Row>> {
        self.task(self.read(key))
    }

    fn write<'a>(
        &'a self,
        key: &'a Key,
        expected: Expected,
        row: Row,
        keep: Duration,
    ) -> Maybe<'a, Written> {
        self.task(async move {
            let millis = whole_millis(keep);
            self.deployment.wrote(key);
            let done = match expected {
                Expected::Absent => self.create(key, &row, millis).await,
                Expected::Version(version) => self.replace(key, version, &row, millis).await,
            };
            self.deployment.wrote(key);
            match done {
                Ok(true) => Written::Done,
                Ok(false) => Written::Conflict,
                Err(cause) => Written::Unavailable(cause),
            }
        })
    }

    fn probe(&self) -> Maybe<'_, Result<(), Unavailable>> {
        self.task(self.write_and_read_back())
    }

    fn reset(&self) -> Maybe<'_, Result<u64, Unavailable>> {
        self.task(self.remove_all())
    }
}

impl fmt::Debug for RedisStorage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStorage")
            .field("target", &self.target)
            .finish_non_exhaustive()
    }
}

/// Rounded up, and within what the server can add to its clock.
fn whole_millis(keep: Duration) -> u64 {
    let millis = keep
        .as_nanos()
        .div_ceil(1_000_000)
        .clamp(1, u128::from(u64::MAX / 4));
    u64::try_from(millis).unwrap_or(u64::MAX / 4)
}

const REPLACE: &str = "\
if redis.call('GETRANGE', KEYS[1], 0, 8) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1";

/// How long a request waits for a connection when there is none.
const PATIENCE: Duration = Duration::from_millis(50);

#[cfg(test)]
pub(crate) mod tests;
