//! One sentinel: asked every half second, and heard when it speaks up.

use std::collections::HashMap;
use std::sync::Arc;

use redis::aio::MultiplexedConnection;
use redis::{FromRedisValue, PushInfo, PushKind, RedisResult};

use super::council::{Council, Opinion, Switch};
use crate::storage::redis::connect::{Address, Hearer};
use crate::storage::redis::fault::Fault;
use crate::storage::redis::link::Seek;

/// Reports to the council from its seat.
#[derive(Debug)]
pub(super) struct Guard {
    pub(super) sentinel: Address,
    pub(super) seat: usize,
    pub(super) council: Council,
    pub(super) question: Question,
    /// Whether the connection is one that it does not know yet to speak up on.
    pub(super) is_new: bool,
}

/// What a sentinel is asked. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Question {
    /// What the sentinels call the master.
    pub(super) name: Arc<str>,
    /// Whether rows are read from replicas.
    pub(super) wants_replicas: bool,
}

impl Seek for Guard {
    async fn find(&mut self) -> Result<Address, Fault> {
        self.is_new = true;
        Ok(self.sentinel.clone())
    }

    async fn check(&mut self, mut commands: MultiplexedConnection) -> Result<(), Fault> {
        if self.is_new {
            // One that is too old for it is only asked.
            let _ = commands.subscribe(SWITCH).await;
            self.is_new = false;
        }
        let opinion = self.question.ask(&mut commands).await?;
        self.council.asked(self.seat, opinion);
        Ok(())
    }

    fn hearer(&self) -> Option<Hearer> {
        let (council, name, seat) = (
            self.council.clone(),
            Arc::clone(&self.question.name),
            self.seat,
        );
        Some(Box::new(move |push| {
            if let Some(switch) = switched(&push, &name) {
                council.switched(seat, switch);
            }
        }))
    }

    fn failed(&mut self, fault: &Fault) {
        self.council.lost(self.seat, fault.cause.clone());
    }
}

impl Question {
    async fn ask(&self, commands: &mut MultiplexedConnection) -> Result<Opinion, Fault> {
        // Asked apart from all else it says of the master: while a failover is under way, only this answer names the
        // new one already.
        let named: Option<(String, u16)> = self.about("GET-MASTER-ADDR-BY-NAME", commands).await?;
        let Some((host, port)) = named else {
            return Err(Fault::configure(format!(
                "it knows no master called `{}`",
                self.name
            )));
        };
        let known: HashMap<String, String> = self.about("MASTER", commands).await?;
        let epoch = known
            .get("config-epoch")
            .and_then(|epoch| epoch.parse().ok());
        let replicas = match self.wants_replicas {
            true => self.about("REPLICAS", commands).await?,
            false => Vec::new(),
        };
        Ok(Opinion {
            master: Address::tcp(host, port),
            epoch: epoch.unwrap_or(0),
            replicas: addresses(&replicas),
        })
    }

    async fn about<T: FromRedisValue>(
        &self,
        what: &str,
        commands: &mut MultiplexedConnection,
    ) -> Result<T, Fault> {
        let mut ask = redis::cmd("SENTINEL");
        ask.arg(what).arg(&*self.name);
        let answer: RedisResult<T> = ask.query_async(commands).await;
        answer.map_err(|error| Fault::of_command(&error))
    }
}

/// Sorted, so that all gateways have the same list.
fn addresses(replicas: &[HashMap<String, String>]) -> Vec<Address> {
    let address = |replica: &HashMap<String, String>| {
        let port = replica.get("port")?.parse().ok()?;
        Some(Address::tcp(replica.get("ip")?, port))
    };
    let mut addresses: Vec<_> = replicas.iter().filter_map(address).collect();
    addresses.sort_unstable();
    addresses
}

/// `<name> <old host> <old port> <new host> <new port>`, if it is about this `name`.
fn switched(push: &PushInfo, name: &str) -> Option<Switch> {
    let (PushKind::Message, [_channel, message]) = (&push.kind, push.data.as_slice()) else {
        return None;
    };
    let message: String = redis::from_redis_value_ref(message).ok()?;
    match *message.split(' ').collect::<Vec<_>>() {
        [of, old, old_port, new, new_port] if of == name => Some(Switch {
            from: Address::tcp(old, old_port.parse().ok()?),
            to: Address::tcp(new, new_port.parse().ok()?),
        }),
        _ => None,
    }
}

const SWITCH: &str = "+switch-master";

#[cfg(test)]
mod tests {
    use redis::Value;

    use super::*;

    #[test]
    fn a_switch_names_both_masters() {
        let switch = Switch {
            from: Address::tcp("a", 1),
            to: Address::tcp("b", 2),
        };
        let cases = [
            ("mymaster a 1 b 2", Some(switch)),
            ("other a 1 b 2", None),
            ("mymaster a 1 b", None),
            ("mymaster a 1 b x", None),
        ];
        for (message, expected) in cases {
            let data = [SWITCH, message].map(|text| Value::BulkString(text.into()));
            let push = PushInfo {
                kind: PushKind::Message,
                data: data.into(),
            };
            assert_eq!(switched(&push, "mymaster"), expected, "{message}");
        }
    }
}
