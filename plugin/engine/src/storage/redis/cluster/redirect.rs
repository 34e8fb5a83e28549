//! What a node answers when it is not the one to ask.

use redis::{ErrorKind, RedisError, ServerErrorKind};

use super::address::parse;
use crate::storage::redis::connect::Address;

/// Another node than the asked one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Redirect {
    /// The slot is being moved and this row may have arrived at its new place: only this command goes there, announced
    /// by `ASKING`.
    Ask(Address),
    /// The slot has moved: this and all later commands go there.
    Moved(Address),
}

impl Redirect {
    /// From an answer of the node `asked`. It may know that a slot is not its own before it knows how to reach the one
    /// whose it is: then it is to be asked again.
    pub(super) fn of(error: &RedisError, asked: &Address) -> Option<Self> {
        let ErrorKind::Server(kind) = error.kind() else {
            return None;
        };
        let host = asked.host().unwrap_or_default();
        let told = error
            .redirect_node()
            .and_then(|(address, _)| parse(address, host));
        match (kind, told) {
            (ServerErrorKind::Ask, Some(address)) => Some(Self::Ask(address)),
            (ServerErrorKind::Moved, Some(address)) => Some(Self::Moved(address)),
            (ServerErrorKind::Ask | ServerErrorKind::Moved, None) => {
                Some(Self::Moved(asked.clone()))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use redis::parse_redis_value;

    use super::*;

    #[test]
    fn both_redirects_are_understood() {
        let address = |text| parse(text, "").unwrap();

        assert_eq!(
            redirect("-MOVED 3999 127.0.0.1:6381\r\n"),
            Some(Redirect::Moved(address("127.0.0.1:6381")))
        );
        assert_eq!(
            redirect("-ASK 3999 node.example:6381\r\n"),
            Some(Redirect::Ask(address("node.example:6381")))
        );
        assert_eq!(
            redirect("-MOVED 3999 :6381\r\n"),
            Some(Redirect::Moved(address("asked:6381")))
        );
    }

    #[test]
    fn a_node_that_does_not_know_where_is_asked_again() {
        let again = Some(Redirect::Moved(asked()));

        for answer in [
            "-MOVED\r\n",
            "-MOVED 3999\r\n",
            "-MOVED x 127.0.0.1:6381\r\n",
            "-MOVED 3999 ?:6381\r\n",
            "-ASK 3999 ?:6381\r\n",
        ] {
            assert_eq!(redirect(answer), again, "{answer}");
        }
    }

    #[test]
    fn anything_else_is_no_redirect() {
        for answer in [
            "-TRYAGAIN Multiple keys request during rehashing of slot\r\n",
            "-CLUSTERDOWN Hash slot not served\r\n",
            "-ERR 3999 127.0.0.1:6381\r\n",
        ] {
            assert_eq!(redirect(answer), None, "{answer}");
        }
    }

    fn redirect(answer: &str) -> Option<Redirect> {
        let error = parse_redis_value(answer.as_bytes())
            .and_then(redis::Value::extract_error)
            .expect_err("an answer of an error");
        Redirect::of(&error, &asked())
    }

    fn asked() -> Address {
        Address::tcp("asked", 6379)
    }
}
