//! `gateway sessions`: the sessions of one user, seen and ended by an operator.
//!
//! It opens the configured storage as a gateway does and listens to nothing. What it ends is written as a gateway writes
//! it, so running gateways hear of it in the same way. No id and no attribute is printed: neither crosses to here.

mod output;

use std::io;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use abi::failure::Kind;
use abi::session::SessionEntry;
use abi::{Failure, Maybe, SessionStore};
use clap::{Args, Subcommand};

pub use self::output::Output;
use super::Directory;
use crate::Gateway;

/// What to do about a user's sessions.
#[derive(Clone, Debug, Subcommand)]
pub enum Sessions {
    /// Print the live sessions of a user, the youngest login first.
    #[command(after_help = "Example: gateway sessions list --config /etc/gateway --principal anna")]
    List(Whose),
    /// Print one of them. Exits with 3 when there is no such session.
    #[command(
        after_help = "Example: gateway sessions show --config /etc/gateway --principal anna --handle 5b1f7f0c2d9a4e63"
    )]
    Show(Named),
    /// End one of them, or all. From then on every gateway refuses it. Exits with 3 when there is no such session.
    #[command(
        after_help = "Examples:\n  gateway sessions revoke --config /etc/gateway --principal anna --handle 5b1f7f0c2d9a4e63\n  gateway sessions revoke --config /etc/gateway --principal anna --all"
    )]
    Revoke(Meant),
}

/// Whose sessions, and how to print them.
#[derive(Args, Clone, Debug)]
pub struct Whose {
    #[command(flatten)]
    directory: Directory,
    /// The user: the value of the attribute that `principal` of the LoadSessionMiddleware names, `user_id` usually.
    #[arg(long, value_name = "NAME")]
    principal: String,
    /// The LoadSessionMiddleware whose sessions are meant, by its name in the configuration. Needed when there are several.
    #[arg(long, value_name = "NAME")]
    middleware: Option<String>,
    /// How to print.
    #[arg(long, value_enum, default_value_t = Output::Table)]
    output: Output,
}

/// One session.
#[derive(Args, Clone, Debug)]
pub struct Named {
    #[command(flatten)]
    whose: Whose,
    /// The handle that `list` prints: no id, it opens nothing.
    #[arg(long, value_name = "HANDLE")]
    handle: String,
}

/// One session or all of them.
#[derive(Args, Clone, Debug)]
pub struct Meant {
    #[command(flatten)]
    whose: Whose,
    #[command(flatten)]
    which: Which,
}

/// Exactly one of them.
#[derive(Args, Clone, Debug)]
#[group(required = true, multiple = false)]
pub struct Which {
    /// The handle that `list` prints.
    #[arg(long, value_name = "HANDLE")]
    handle: Option<String>,
    /// Every session of the user.
    #[arg(long)]
    all: bool,
}

/// Why nothing came of it.
#[derive(Debug, thiserror::Error)]
pub enum SessionsError {
    /// No middleware has sessions.
    #[error("no middleware of this configuration loads sessions")]
    NoStore,
    /// The user has no session of this handle.
    #[error(
        "`{principal}` has no session with this handle; `gateway sessions list` prints those there are"
    )]
    NoSuchSession {
        /// Who was asked for.
        principal: String,
    },
    /// The sessions are in another process.
    #[error(
        "the sessions of `{middleware}` live in the process that serves them, and no other sees them; \
         keep them in a storage that is shared, such as RedisStorage, or let users end them with SessionsAction"
    )]
    Private {
        /// Whose they are.
        middleware: String,
    },
    /// There are threads missing.
    #[error("cannot wait for the storage")]
    Runtime(#[from] io::Error),
    /// Somebody has to choose.
    #[error("several middlewares load sessions; say which with --middleware: {}", .0.join(", "))]
    Several(Vec<String>),
    /// The storage did not do it.
    #[error("{0}")]
    Storage(Failure),
    /// There is no such middleware.
    #[error("no middleware called `{name}` loads sessions; there are: {}", .known.join(", "))]
    Unknown {
        /// What was asked for.
        name: String,
        /// What there is.
        known: Vec<String>,
    },
}

impl Sessions {
    /// The directory of the configuration.
    pub const fn directory(&self) -> &Directory {
        &self.whose().directory
    }

    const fn whose(&self) -> &Whose {
        match self {
            Self::List(whose)
            | Self::Show(Named { whose, .. })
            | Self::Revoke(Meant { whose, .. }) => whose,
        }
    }

    /// Does it, and says what to print.
    ///
    /// # Errors
    /// When it cannot be done, with the reason.
    pub fn run(&self, gateway: &Gateway) -> Result<String, SessionsError> {
        let store = self.whose().store(gateway)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        runtime.block_on(self.act(&store))
    }

    async fn act(&self, store: &SessionStore) -> Result<String, SessionsError> {
        let Whose {
            principal, output, ..
        } = self.whose();
        match self {
            Self::List(_) => Ok(output.list(principal, &sessions(store, principal).await?)),
            Self::Show(Named { handle, .. }) => {
                let sessions = sessions(store, principal).await?;
                let found = sessions.iter().find(|entry| entry.handle == *handle);
                found
                    .map(|entry| output.one(entry))
                    .ok_or_else(|| self.no_such_session())
            }
            Self::Revoke(Meant { which, .. }) => {
                let ended = match &which.handle {
                    Some(handle) => answered(|| store.revoke(principal, handle)).await?.into(),
                    None => answered(|| store.revoke_all(principal)).await?,
                };
                match (ended, &which.handle) {
                    (0, Some(_)) => Err(self.no_such_session()),
                    (ended, _) => Ok(output.ended(ended)),
                }
            }
        }
    }

    fn no_such_session(&self) -> SessionsError {
        let principal = self.whose().principal.clone();
        SessionsError::NoSuchSession { principal }
    }
}

impl Whose {
    fn store(&self, gateway: &Gateway) -> Result<SessionStore, SessionsError> {
        let mut stores = gateway.session_stores();
        let known = || {
            gateway
                .session_stores()
                .into_iter()
                .map(|(name, _)| name)
                .collect()
        };
        let (name, store) = match &self.middleware {
            Some(name) => {
                let found = stores.into_iter().find(|(known, _)| known == name);
                found.ok_or_else(|| SessionsError::Unknown {
                    name: name.clone(),
                    known: known(),
                })?
            }
            None => match (stores.pop(), stores.is_empty()) {
                (None, _) => return Err(SessionsError::NoStore),
                (Some(only), true) => only,
                (Some(_), false) => return Err(SessionsError::Several(known())),
            },
        };
        match store.is_shared() {
            true => Ok(store),
            false => Err(SessionsError::Private { middleware: name }),
        }
    }
}

impl SessionsError {
    /// 3 for a session that is not there, 1 for everything else; 2 is the command line's own.
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::NoSuchSession { .. } => 3,
            _ => 1,
        }
    }
}

impl From<SessionsError> for ExitCode {
    fn from(error: SessionsError) -> Self {
        error.exit_code().into()
    }
}

async fn sessions(
    store: &SessionStore,
    principal: &str,
) -> Result<Vec<SessionEntry>, SessionsError> {
    answered(|| store.sessions(principal)).await
}

/// Asks until the storage answers: its connections have only just begun to be made. All that is asked can be repeated.
async fn answered<'a, T: 'a>(
    ask: impl Fn() -> Maybe<'a, Result<T, Failure>>,
) -> Result<T, SessionsError> {
    let began = Instant::now();
    loop {
        match ask().wait().await {
            Err(failure) if failure.kind() == Kind::UNAVAILABLE && began.elapsed() < PATIENCE => {
                tokio::time::sleep(PAUSE).await;
            }
            answer => return answer.map_err(SessionsError::Storage),
        }
    }
}

/// Longer than any connection takes that comes at all.
const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(50);
