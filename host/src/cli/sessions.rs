//! `gateway sessions`: the sessions of one user, seen and ended by an operator.
//!
//! It opens the configured storage as a gateway does and listens to nothing. What it ends is written as a gateway writes
//! it, so running gateways hear of it in the same way. No id and no attribute is printed: neither crosses to here.

use std::fmt::Write as _;
use std::io;
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime};

use abi::failure::Kind;
use abi::session::SessionEntry;
use abi::{Failure, Maybe, SessionStore};
use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

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

/// For people or for programs.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Output {
    /// Columns.
    Table,
    /// One JSON document.
    Json,
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

impl Output {
    fn list(self, principal: &str, entries: &[SessionEntry]) -> String {
        match self {
            Self::Json => {
                let sessions: Vec<_> = entries.iter().map(document).collect();
                format!(
                    "{:#}\n",
                    json!({ "principal": principal, "sessions": sessions })
                )
            }
            Self::Table => table(entries),
        }
    }

    fn one(self, entry: &SessionEntry) -> String {
        match self {
            Self::Json => format!("{:#}\n", document(entry)),
            Self::Table => table(std::slice::from_ref(entry)),
        }
    }

    fn ended(self, count: u64) -> String {
        match (self, count) {
            (Self::Json, _) => format!("{}\n", json!({ "ended": count })),
            (Self::Table, 1) => "1 session ended\n".to_owned(),
            (Self::Table, _) => format!("{count} sessions ended\n"),
        }
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

/// The names that `SessionsAction` uses.
fn document(entry: &SessionEntry) -> Value {
    json!({
        "id": entry.handle,
        "createdAt": rfc3339(entry.created_at),
        "lastSeenAt": rfc3339(entry.seen_at),
        "expiresAt": rfc3339(entry.expires_at),
        "ip": entry.ip,
        "userAgent": entry.user_agent,
    })
}

fn table(entries: &[SessionEntry]) -> String {
    let head = [
        "HANDLE",
        "SIGNED IN",
        "LAST USED",
        "ENDS",
        "ADDRESS",
        "CLIENT",
    ]
    .map(str::to_owned);
    let rows: Vec<_> = [head].into_iter().chain(entries.iter().map(row)).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths: [usize; 6] = std::array::from_fn(|column| width(column).unwrap_or(0));
    let mut text = String::new();
    for row in &rows {
        let cells = row.iter().zip(widths);
        let line: Vec<_> = cells
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{}", line.join("  ").trim_end());
    }
    text
}

fn row(entry: &SessionEntry) -> [String; 6] {
    let time = |time| rfc3339(time).unwrap_or_else(|| "-".to_owned());
    let ip = entry.ip.map_or_else(|| "-".to_owned(), |ip| ip.to_string());
    let agent = entry.user_agent.as_deref().unwrap_or("-");
    [
        printable(&entry.handle),
        time(entry.created_at),
        time(entry.seen_at),
        time(entry.expires_at),
        ip,
        printable(agent),
    ]
}

/// A client writes no escape sequences into an operator's terminal.
fn printable(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).collect()
}

/// To the second, in UTC.
fn rfc3339(time: SystemTime) -> Option<String> {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    let seconds = i64::try_from(since.as_secs()).ok()?;
    let date = OffsetDateTime::from_unix_timestamp(seconds).ok()?;
    date.format(&Rfc3339).ok()
}

/// Longer than any connection takes that comes at all.
const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(50);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_shows_what_is_known_and_no_escape_sequence() {
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        let entries = [
            SessionEntry::new("5b1f7f0c2d9a4e63", at(1_000_000_000)..at(1_000_007_200))
                .from_address("192.0.2.7".parse().ok())
                .from_agent(Some("\u{1b}[2Jcurl/8.5.0".to_owned())),
            SessionEntry::new("0000000000000001", at(0)..at(1)),
        ];

        let table = table(&entries);

        let expected = "\
HANDLE            SIGNED IN             LAST USED             ENDS                  ADDRESS    CLIENT
5b1f7f0c2d9a4e63  2001-09-09T01:46:40Z  2001-09-09T01:46:40Z  2001-09-09T03:46:40Z  192.0.2.7  [2Jcurl/8.5.0
0000000000000001  1970-01-01T00:00:00Z  1970-01-01T00:00:00Z  1970-01-01T00:00:01Z  -          -
";
        assert_eq!(table, expected);
    }
}
