//! What a server says that it is.

use redis::aio::MultiplexedConnection;
use redis::{RedisError, Value};

use crate::storage::redis::fault::Fault;

/// The answer to `ROLE`, as far as it matters.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Role {
    /// It decides; it has written so many bytes for its replicas.
    Master { offset: u64 },
    /// It follows a master and has everything up to there.
    Replica { offset: u64 },
    /// A replica without a connection to its master, or something else altogether.
    Other,
}

impl Role {
    pub(super) async fn of(mut commands: MultiplexedConnection) -> Result<Self, Fault> {
        let answer: Result<Value, RedisError> = redis::cmd("ROLE").query_async(&mut commands).await;
        answer
            .map(|answer| Self::parse(&answer))
            .map_err(|error| Fault::of_command(&error))
    }

    fn parse(answer: &Value) -> Self {
        let Value::Array(parts) = answer else {
            return Self::Other;
        };
        match (parts.as_slice(), text(parts.first()).as_deref()) {
            ([_, offset, ..], Some("master")) => Self::Master {
                offset: number(offset),
            },
            ([_, _, _, state, offset], Some("slave"))
                if text(Some(state)).as_deref() == Some("connected") =>
            {
                Self::Replica {
                    offset: number(offset),
                }
            }
            _ => Self::Other,
        }
    }
}

fn text(value: Option<&Value>) -> Option<String> {
    redis::from_redis_value_ref(value?).ok()
}

/// A replica that has nothing yet says -1.
fn number(value: &Value) -> u64 {
    let number: i64 = redis::from_redis_value_ref(value).unwrap_or(0);
    u64::try_from(number).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_answer_is_understood() {
        let master = array(&["master", "3129659", "replicas"]);
        let replica = |state: &str, offset: i64| {
            let mut parts = array(&["slave", "127.0.0.1", "9000", state]);
            parts.push(Value::Int(offset));
            parts
        };
        let cases = [
            (master, Role::Master { offset: 3_129_659 }),
            (replica("connected", 7), Role::Replica { offset: 7 }),
            (replica("connected", -1), Role::Replica { offset: 0 }),
            (replica("connect", 7), Role::Other),
            (array(&["sentinel"]), Role::Other),
            (array(&[]), Role::Other),
        ];
        for (parts, expected) in cases {
            assert_eq!(
                Role::parse(&Value::Array(parts.clone())),
                expected,
                "{parts:?}"
            );
        }
    }

    fn array(parts: &[&str]) -> Vec<Value> {
        parts
            .iter()
            .map(|part| Value::BulkString(part.as_bytes().into()))
            .collect()
    }
}
