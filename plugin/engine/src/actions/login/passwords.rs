//! Whether a password is the user's, asked where waiting holds up nobody else.

use std::sync::Arc;
use std::thread::available_parallelism;

use abi::config::{ConfigPath, Faults};

use super::code::{identify, of_grant};
use super::credentials::Credentials;
use super::identity::Identity;
use super::problem::Problem;
use super::users::UsersFile;
use crate::clock::Clock;
use crate::runtime::{Busy, Workers};
use crate::tokens::{GrantError, Provider};

/// Who knows the passwords.
#[derive(Debug)]
pub(super) enum Passwords {
    File(FileUsers),
    /// A provider, which is told them (RFC 6749, section 4.3).
    Grant(Arc<Provider>),
}

/// The users of a file, and threads that try their hashes.
#[derive(Debug)]
pub(super) struct FileUsers {
    file: Arc<UsersFile>,
    workers: Workers,
}

/// What became of a password.
pub(super) enum Verdict {
    Right(Identity),
    Wrong,
    /// Nobody looked, or nobody said.
    Unknown(Problem),
    /// Somebody may have looked, and said what nobody here understands.
    Unclear(Problem),
}

impl Passwords {
    pub(super) async fn check(
        &self,
        credentials: &Credentials,
        (principal, clock): (&str, &dyn Clock),
    ) -> Verdict {
        match self {
            Self::File(users) => users.check(credentials, principal).await,
            Self::Grant(provider) => ask(provider, credentials, (principal, clock)).await,
        }
    }
}

impl FileUsers {
    pub(super) fn open(path: &ConfigPath) -> Result<Self, Faults> {
        let file = UsersFile::open(path)?;
        let workers = Workers::start("session-login", threads(), MOST_WAITING)
            .map_err(|error| Faults::at("", format!("cannot start threads for it: {error}")))?;
        Ok(Self {
            file: Arc::new(file),
            workers,
        })
    }

    async fn check(&self, credentials: &Credentials, principal: &str) -> Verdict {
        let file = Arc::clone(&self.file);
        let (name, password) = (credentials.username.clone(), credentials.password.clone());
        let checked = self.workers.run(move || {
            let users = file.users();
            users.check(&name, |hash| hash.verify(password.reveal()))
        });
        match checked.await {
            Ok(true) => Verdict::Right(Identity::named(principal, &credentials.username)),
            Ok(false) => Verdict::Wrong,
            Err(Busy) => Verdict::Unknown(Problem::Busy),
        }
    }
}

async fn ask(
    provider: &Arc<Provider>,
    credentials: &Credentials,
    whom: (&str, &dyn Clock),
) -> Verdict {
    let (name, password) = (&credentials.username, credentials.password.reveal());
    let response = match provider.password_grant(name, password).await {
        Ok(response) => response,
        Err(GrantError::Refused) => return Verdict::Wrong,
        Err(error) => {
            let problem = of_grant(provider, &error);
            return match error.reason() {
                "unexpected-answer" => Verdict::Unclear(problem),
                _ => Verdict::Unknown(problem),
            };
        }
    };
    match identify(provider, response, None, whom).await {
        Ok(identity) => Verdict::Right(identity),
        Err(problem) => Verdict::Unknown(problem),
    }
}

/// Half of the processors, so that requests go on however many people log in.
fn threads() -> usize {
    available_parallelism().map_or(1, |all| all.get().div_ceil(2))
}

/// At some 50 ms each, the last one waits for a few seconds.
const MOST_WAITING: usize = 64;
