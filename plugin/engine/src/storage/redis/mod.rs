//! Rows on a Redis or Valkey server.
//!
//! A row is one value (`blob.rs`), named by the prefix and the key in base64url. It is created by `SET NX PX` and
//! replaced by a script that compares the version and writes value and time of life in one step. There is no key
//! without a time of life, and no command that deletes a row: it is replaced by a tombstone, which expires.
//!
//! The server's user needs `get`, `set`, `getrange`, `del`, `ping`, `evalsha`, `script|load`, and for a reset `scan`
//! and `unlink`.

mod backoff;
mod blob;
mod config;
mod fault;
mod link;
mod probe;
mod reset;
#[cfg(any(test, feature = "conformance"))]
pub mod server;
mod target;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use abi::Maybe;
use abi::config::Faults;
use abi::storage::{Expected, Key, Loaded, Row, Storage, Unavailable, Written};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use redis::{Cmd, FromRedisValue, Script, ScriptInvocation};
use tokio::runtime::Handle;
use tokio::time::{sleep, timeout};

use self::fault::{Fault, Remedy};
use self::link::Link;
use self::target::Target;
use crate::runtime::{Runtime, entered};

pub use config::RedisConfig;

/// Keeps rows on a server. All commands share one connection; none of them blocks it.
pub struct RedisStorage {
    target: Target,
    link: Link,
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
        let failed = |error| {
            Faults::at(
                "",
                format!("cannot start threads for the connection: {error}"),
            )
        };
        Ok(Self {
            link: Link::open(&target, &runtime).map_err(failed)?,
            io: runtime.start().map_err(failed)?.clone(),
            replace: Script::new(REPLACE),
            patience: PATIENCE,
            target,
            _runtime: runtime,
        })
    }

    fn name(&self, key: &Key) -> String {
        let mut name = self.target.prefix.clone();
        URL_SAFE_NO_PAD.encode_string(key.as_bytes(), &mut name);
        name
    }

    /// Makes work on this storage something that any thread may poll.
    fn task<'a, T: Send>(&'a self, work: impl Future<Output = T> + Send + 'a) -> Maybe<'a, T> {
        Maybe::task(entered(self.io.clone(), work))
    }

    /// Runs a command, within the time that a command may take.
    async fn run<T: FromRedisValue>(&self, command: Command<'_>) -> Result<T, Unavailable> {
        let limit = self.target.timeout;
        match timeout(limit, self.repeat(command)).await {
            Ok(answer) => answer,
            Err(_) => Err(Unavailable::new(format!("no answer within {limit:?}"))),
        }
    }

    /// Repeats a command that the server says it has not executed, and once, on another connection, a repeatable one
    /// whose connection broke: servers close idle ones. Any other failure may have come after the command was
    /// executed, and is for the caller to judge.
    async fn repeat<T: FromRedisValue>(&self, command: Command<'_>) -> Result<T, Unavailable> {
        let mut broken = None;
        loop {
            let line = self.link.line(self.patience, broken).await?;
            let error = match command.send(line.connection.clone()).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let fault = Fault::of_command(&error);
            match fault.remedy {
                Remedy::Wait => sleep(PAUSE).await,
                Remedy::Reconnect => {
                    self.link.doubt(&line, fault.clone());
                    if broken.is_some() || !command.is_repeatable() {
                        return Err(fault.cause);
                    }
                    broken = Some(line.number);
                }
                Remedy::Configure | Remedy::None => return Err(fault.cause),
            }
        }
    }

    async fn read(&self, key: &Key) -> Loaded<Row> {
        let mut get = redis::cmd("GET");
        get.arg(self.name(key));
        match self.run::<Option<Vec<u8>>>(Command::Repeatable(get)).await {
            Ok(None) => Loaded::Absent,
            Ok(Some(blob)) => Loaded::Found(blob::split(&blob).unwrap_or_else(foreign)),
            Err(cause) => Loaded::Unavailable(cause),
        }
    }

    async fn create(&self, key: &Key, row: &Row, millis: u64) -> Result<bool, Unavailable> {
        let mut set = redis::cmd("SET");
        set.arg(self.name(key))
            .arg(blob::join(row))
            .arg("NX")
            .arg("PX")
            .arg(millis);
        let answer = self.run::<Option<String>>(Command::Once(set)).await?;
        Ok(answer.is_some())
    }

    async fn replace(
        &self,
        key: &Key,
        version: u64,
        row: &Row,
        millis: u64,
    ) -> Result<bool, Unavailable> {
        let mut script = self.replace.key(self.name(key));
        script
            .arg(&blob::header(version))
            .arg(blob::join(row))
            .arg(millis);
        self.run(Command::Script(script)).await
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
            let done = match expected {
                Expected::Absent => self.create(key, &row, millis).await,
                Expected::Version(version) => self.replace(key, version, &row, millis).await,
            };
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

/// What can be sent.
enum Command<'a> {
    /// Its second execution could be mistaken for somebody else's.
    Once(Cmd),
    /// Does the same however often it is executed.
    Repeatable(Cmd),
    /// A conditional write, so as good as `Once`.
    Script(ScriptInvocation<'a>),
}

impl Command<'_> {
    fn is_repeatable(&self) -> bool {
        match self {
            Self::Repeatable(_) => true,
            Self::Once(_) | Self::Script(_) => false,
        }
    }

    async fn send<T: FromRedisValue>(
        &self,
        mut connection: redis::aio::MultiplexedConnection,
    ) -> redis::RedisResult<T> {
        match self {
            Self::Once(command) | Self::Repeatable(command) => {
                command.query_async(&mut connection).await
            }
            Self::Script(script) => script.invoke_async(&mut connection).await,
        }
    }
}

/// A value that is not a row stands under our name. It is handed on as a row that says nothing, and so it is
/// quarantined where every row is that nobody can read.
fn foreign() -> Row {
    Row {
        version: 0,
        payload: Vec::new(),
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
/// Between two attempts while the server loads its data.
const PAUSE: Duration = Duration::from_millis(20);

#[cfg(test)]
pub(crate) mod tests;
