//! What an error of the server or the connection means for us.
//!
//! Classified by kind and code: the client's own idea of what is recoverable calls a wrong password worth a retry and
//! a failed name resolution not worth a new connection.

use std::{fmt, io};

use abi::storage::Unavailable;
use redis::{ErrorKind, RedisError, ServerErrorKind};

use super::keys::Keys;

/// A failure and what may help.
#[derive(Clone, Debug)]
pub(super) struct Fault {
    pub(super) remedy: Remedy,
    pub(super) cause: Unavailable,
}

/// What may help.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Remedy {
    /// An operator has to change something, here or on the server.
    Configure,
    /// Another server, or this one later: it says that it is not the one to ask now, and has executed nothing.
    Elsewhere,
    /// Nothing that could be done from here: the command failed, others may not.
    None,
    /// Another connection: this one is broken, and nobody knows what was executed.
    Reconnect,
    /// The command was not executed and will be if asked again in a moment.
    Wait,
}

impl Fault {
    pub(super) fn configure(cause: impl Into<String>) -> Self {
        Self {
            remedy: Remedy::Configure,
            cause: Unavailable::new(cause),
        }
    }

    pub(super) fn elsewhere(cause: impl Into<String>) -> Self {
        Self {
            remedy: Remedy::Elsewhere,
            cause: Unavailable::new(cause),
        }
    }

    pub(super) fn lost(cause: impl Into<String>) -> Self {
        Self {
            remedy: Remedy::Reconnect,
            cause: Unavailable::new(cause),
        }
    }

    /// A failure of a command.
    pub(super) fn of_command(error: &RedisError) -> Self {
        Self {
            remedy: remedy(error),
            cause: Unavailable::new(text(error)),
        }
    }

    /// A failure to connect. A server that answers and says no means a wrong user, password or database, which is
    /// written at `keys`.
    pub(super) fn of_connecting(error: &RedisError, keys: Keys) -> Self {
        let fault = Self {
            remedy: remedy(error),
            cause: Unavailable::new(refusal(error, keys).unwrap_or_else(|| text(error))),
        };
        match fault.remedy {
            Remedy::None => Self {
                remedy: Remedy::Configure,
                ..fault
            },
            Remedy::Configure | Remedy::Elsewhere | Remedy::Reconnect | Remedy::Wait => fault,
        }
    }

    /// A failure of the network, below the protocol.
    pub(super) fn of_stream(error: &io::Error) -> Self {
        Self::lost(error.to_string())
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.cause.fmt(f)
    }
}

fn remedy(error: &RedisError) -> Remedy {
    match error.kind() {
        ErrorKind::AuthenticationFailed | ErrorKind::InvalidClientConfig => Remedy::Configure,
        ErrorKind::Io | ErrorKind::Parse => Remedy::Reconnect,
        ErrorKind::Server(kind) => match kind {
            ServerErrorKind::NoPerm => Remedy::Configure,
            ServerErrorKind::BusyLoading
            | ServerErrorKind::MasterDown
            | ServerErrorKind::ReadOnly => Remedy::Elsewhere,
            ServerErrorKind::ClusterDown | ServerErrorKind::TryAgain => Remedy::Wait,
            _ => Remedy::None,
        },
        ErrorKind::Extension => match error.code() {
            Some("NOAUTH" | "WRONGPASS") => Remedy::Configure,
            _ => Remedy::None,
        },
        _ => Remedy::None,
    }
}

/// What a server says to who introduces themselves, if it can be mended with one of the keys.
fn refusal(error: &RedisError, keys: Keys) -> Option<String> {
    let detail = error.detail().unwrap_or_default();
    let (login, database) = (keys.login(), keys.database());
    let is_login = error.kind() == ErrorKind::AuthenticationFailed;
    Some(match error.code() {
        _ if detail.contains("DB index is out of range") => {
            format!("the server has no such database: change {database}")
        }
        _ if detail.contains("SELECT is not allowed in cluster mode") => {
            format!(
                "the server is part of a cluster, which has only database 0: change {database}, and `mode`"
            )
        }
        Some("WRONGPASS") => format!("the server refused the user or password: change {login}"),
        Some("NOAUTH") => format!("the server wants a password: add {login}"),
        // By its text alone: the client library drops the code of this answer.
        _ if command(detail) == Some("select") => format!(
            "the server does not let this user choose a database (select): allow it there, or leave out {database}"
        ),
        _ if is_login => format!("the server refused the user or password: change {login}"),
        _ if error.kind() == ErrorKind::Parse => format!(
            "what the server speaks is not its protocol in the clear: is the port right, and {}?",
            keys.tls()
        ),
        _ => return None,
    })
}

/// What a server does not let the user do. Of its text no more than the name of a command: that it is about keys is
/// known by the words around.
fn forbidden(detail: &str) -> String {
    if let Some(command) = command(detail) {
        return format!(
            "the server does not let this user run the command {command}: allow it in the server's access control list"
        );
    }
    if detail.contains("key") {
        return "the server does not let this user use keys that begin with `prefix`: allow them in its access control \
                list, or change `prefix` or `username`"
            .to_owned();
    }
    "the server does not let this user do that: see its access control list, or change `username`"
        .to_owned()
}

/// The command in `... has no permissions to run the 'client|tracking' command ...`.
fn command(detail: &str) -> Option<&str> {
    let (_, rest) = detail.split_once("to run the '")?;
    let (command, _) = rest.split_once('\'')?;
    let is_name = |byte: u8| byte.is_ascii_lowercase() || b"|_-".contains(&byte);
    command.bytes().all(is_name).then_some(command)
}

/// The code of the server's answer, never its text: that names keys and users. Of everything else, the text.
fn text(error: &RedisError) -> String {
    match (error.kind(), error.code()) {
        (ErrorKind::AuthenticationFailed, _) | (_, Some("WRONGPASS")) => {
            "the server refused the user or password".into()
        }
        (_, Some("MOVED" | "ASK")) => {
            "the server is part of a cluster: `mode: cluster` is for that".into()
        }
        (_, Some("CLUSTERDOWN")) => "the cluster is down".into(),
        (_, Some("LOADING")) => "the server is loading its data".into(),
        (_, Some("MASTERDOWN")) => "the replica has lost its master".into(),
        (_, Some("MISCONF")) => "the server cannot save its data, and refuses writes".into(),
        (_, Some("NOAUTH")) => "the server wants a password".into(),
        (_, Some("NOPERM")) => forbidden(error.detail().unwrap_or_default()),
        (_, Some("NOREPLICAS")) => "the server has too few replicas to write".into(),
        (_, Some("OOM")) => "the server is out of memory".into(),
        (_, Some("READONLY")) => "the server is a replica that nobody may write to".into(),
        (_, Some(code)) => format!("the server answered {code}"),
        (ErrorKind::Io, None) => error.to_string(),
        (_, None) => format!("{} from the server", error.category()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_answer_has_its_remedy() {
        let cases = [
            ("WRONGPASS", Remedy::Configure),
            ("NOAUTH", Remedy::Configure),
            ("NOREPLICAS", Remedy::None),
            ("MISCONF", Remedy::None),
            ("OOM", Remedy::None),
            ("WRONGTYPE", Remedy::None),
        ];
        for (code, expected) in cases {
            let error = redis::make_extension_error(code.into(), Some("key secret-name".into()));
            let fault = Fault::of_command(&error);
            assert_eq!(fault.remedy, expected, "{code}");
            assert!(!fault.to_string().contains("secret-name"), "{fault}");
        }
    }

    #[test]
    fn every_failure_of_the_connection_asks_for_another() {
        use std::io::{Error, ErrorKind};

        for kind in [
            ErrorKind::BrokenPipe,
            ErrorKind::TimedOut,
            ErrorKind::NotFound,
            ErrorKind::Other,
        ] {
            let error = RedisError::from(Error::from(kind));
            assert_eq!(
                Fault::of_command(&error).remedy,
                Remedy::Reconnect,
                "{kind:?}"
            );
        }
    }

    #[test]
    fn a_server_that_refuses_the_handshake_needs_an_operator() {
        let error =
            redis::make_extension_error("ERR".into(), Some("DB index is out of range".into()));

        let fault = Fault::of_connecting(&error, Keys::Parts);
        assert_eq!(fault.remedy, Remedy::Configure);
    }

    #[test]
    fn what_a_user_may_not_is_said_without_what_the_server_says_of_it() {
        for (detail, expected) in [
            (
                "User anna has no permissions to run the 'client|tracking' command",
                "the server does not let this user run the command client|tracking: ",
            ),
            (
                "No permissions to access a key",
                "the server does not let this user use keys that begin with `prefix`: ",
            ),
            (
                "User anna has no permissions to run the 'anna X' command",
                "the server does not let this user do that: ",
            ),
        ] {
            let error = redis::make_extension_error("NOPERM".into(), Some(detail.into()));
            let text = Fault::of_command(&error).to_string();

            assert!(text.starts_with(expected), "{text}");
            assert!(!text.contains("anna"), "{text}");
        }
    }

    #[test]
    fn the_keys_that_can_be_changed_are_those_that_are_written() {
        for (keys, expected) in [
            (Keys::Parts, "change `username` and `password`"),
            (
                Keys::Sentinels,
                "change `sentinelUsername` and `sentinelPassword`",
            ),
            (Keys::Url, "change user and password in `url`"),
        ] {
            let error = redis::make_extension_error("WRONGPASS".into(), None);
            let text = Fault::of_connecting(&error, keys).to_string();

            assert!(text.ends_with(expected), "{text}");
        }
    }
}
