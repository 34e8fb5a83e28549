//! What is sent to a server, and what may be done when it fails.

use redis::{Arg, Cmd, ErrorKind, FromRedisValue, RedisError, RedisResult, ServerErrorKind};

use super::fault::{Fault, Remedy};
use super::link::Line;

/// A command, and what its second execution would mean.
pub(super) enum Command<'a> {
    /// Its second execution could be mistaken for somebody else's.
    Once(Cmd),
    /// Does the same however often it is executed.
    Repeatable(Cmd),
    /// A conditional write, so as good as `Once`. The command names the script, which the server may not know yet.
    Script(&'a Script, Cmd),
}

impl Command<'_> {
    /// Whether it may be sent again after it failed like this.
    pub(super) fn is_repeatable(&self, fault: &Fault) -> bool {
        match (self, fault.remedy) {
            (_, Remedy::Elsewhere | Remedy::Wait) | (Self::Repeatable(_), Remedy::Reconnect) => {
                true
            }
            (_, Remedy::Configure | Remedy::None | Remedy::Reconnect) => false,
        }
    }

    pub(super) async fn send<T: FromRedisValue>(&self, line: &Line) -> RedisResult<T> {
        let (Self::Once(command) | Self::Repeatable(command) | Self::Script(_, command)) = self;
        let answer = line.query(command).await;
        match (self, answer) {
            (Self::Script(script, command), Err(error)) if is_unknown_script(&error) => {
                Box::pin(line.query(&script.in_full(command))).await
            }
            (_, answer) => answer,
        }
    }
}

fn is_unknown_script(error: &RedisError) -> bool {
    error.kind() == ErrorKind::Server(ServerErrorKind::NoScript)
}

/// A script that servers know by its hash once they have seen it.
#[derive(Debug)]
pub(super) struct Script {
    code: &'static str,
    hash: String,
}

impl Script {
    pub(super) fn new(code: &'static str) -> Self {
        Self {
            code,
            hash: redis::Script::new(code).get_hash().to_owned(),
        }
    }

    /// The beginning of a call on one row.
    pub(super) fn on(&self, name: String) -> Cmd {
        let mut call = redis::cmd("EVALSHA");
        call.arg(&self.hash).arg(1).arg(name);
        call
    }

    /// The same call for a server that has not seen the script: it came up empty, or is another one. It knows the
    /// script from then on.
    fn in_full(&self, call: &Cmd) -> Cmd {
        let mut full = redis::cmd("EVAL");
        full.arg(self.code);
        for argument in call.args_iter().skip(2) {
            if let Arg::Simple(argument) = argument {
                full.arg(argument);
            }
        }
        full
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_in_full_differs_only_in_how_it_names_the_script() {
        let script = Script::new("return 1");
        let mut call = script.on("key".into());
        call.arg(b"\0\xff").arg(7);

        let full = script.in_full(&call);

        let mut expected = redis::cmd("EVAL");
        expected
            .arg("return 1")
            .arg(1)
            .arg("key")
            .arg(b"\0\xff")
            .arg(7);
        assert_eq!(full.get_packed_command(), expected.get_packed_command());
    }

    #[test]
    fn only_a_read_is_repeated_when_nobody_knows_whether_it_was_executed() {
        let (lost, refused) = (Fault::lost("x"), Fault::elsewhere("x"));
        let (read, write) = (Command::Repeatable(Cmd::new()), Command::Once(Cmd::new()));

        assert!(read.is_repeatable(&lost) && read.is_repeatable(&refused));
        assert!(!write.is_repeatable(&lost) && write.is_repeatable(&refused));
    }
}
