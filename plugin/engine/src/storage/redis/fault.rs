//! What an error of the server or the connection means for us.
//!
//! Classified by kind and code: the client's own idea of what is recoverable calls a wrong password worth a retry and
//! a failed name resolution not worth a new connection.

use std::{fmt, io};

use abi::storage::Unavailable;
use redis::{ErrorKind, RedisError, ServerErrorKind};

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

    /// A failure to connect. A server that answers and says no means a wrong user, password or database.
    pub(super) fn of_connecting(error: &RedisError) -> Self {
        let fault = Self::of_command(error);
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
            Some("NOREPLICAS") => Remedy::Elsewhere,
            _ => Remedy::None,
        },
        _ => Remedy::None,
    }
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
        (_, Some("LOADING")) => "the server is loading its data".into(),
        (_, Some("MASTERDOWN")) => "the replica has lost its master".into(),
        (_, Some("NOAUTH")) => "the server wants a password".into(),
        (_, Some("NOPERM")) => "the server does not let this user do that".into(),
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
            ("NOREPLICAS", Remedy::Elsewhere),
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

        assert_eq!(Fault::of_connecting(&error).remedy, Remedy::Configure);
    }
}
