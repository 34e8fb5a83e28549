//! Asking nodes what they believe.

use std::time::Duration;

use futures_util::future::join_all;
use futures_util::stream::{FuturesUnordered, StreamExt};
use redis::aio::MultiplexedConnection;
use redis::{RedisError, Value};
use tokio::time::timeout;

use super::view::View;
use crate::storage::redis::connect::{Access, Address, Connection};
use crate::storage::redis::fault::Fault;
use crate::storage::redis::link::Line;

/// What those nodes say that answer soon. One that hangs must not keep us from what the others know.
pub(super) async fn ask_acquaintances(lines: Vec<(Address, Line)>) -> Vec<View> {
    let asked = lines.into_iter().map(|(address, line)| async move {
        let answer = ask(&address, line.commands);
        timeout(ANSWER_WITHIN, answer).await.ok()?.ok()
    });
    join_all(asked).await.into_iter().flatten().collect()
}

/// What nodes say that we have no connection to. Once one has answered, the others are not waited for much longer.
///
/// # Errors
/// With the reason of the last one when none answers.
pub(super) async fn ask_strangers(
    addresses: &[Address],
    access: &Access,
) -> Result<Vec<View>, Fault> {
    let asked = addresses.iter().map(|address| meet(address, access));
    let mut answers: FuturesUnordered<_> = asked.collect();
    let mut last = Fault::lost("no node is known");
    while let Some(answer) = answers.next().await {
        match answer {
            Ok(view) => {
                let mut views = vec![view];
                let others = async {
                    while let Some(answer) = answers.next().await {
                        views.extend(answer.ok());
                    }
                };
                // Those that were in time are among the views.
                let _ = timeout(ANSWER_WITHIN, others).await;
                return Ok(views);
            }
            Err(fault) => last = fault,
        }
    }
    Err(last)
}

/// Connects for this one question.
async fn meet(address: &Address, access: &Access) -> Result<View, Fault> {
    let meeting = async {
        let Connection {
            commands, driver, ..
        } = access.connect(address, None).await?;
        tokio::select! {
            view = ask(address, commands) => view,
            () = driver => Err(Fault::lost("the server closed the connection")),
        }
    };
    match timeout(access.limit, meeting).await {
        Ok(met) => met,
        Err(_) => Err(access.late()),
    }
}

/// Epochs first: should a failover come between the answers, then its winner seems older than it is, and whoever knows
/// better is believed.
async fn ask(address: &Address, mut commands: MultiplexedConnection) -> Result<View, Fault> {
    let mut cluster = async |what: &str| -> Result<Value, Fault> {
        let mut command = redis::cmd("CLUSTER");
        let answer = command.arg(what).query_async(&mut commands).await;
        answer.map_err(|error| refused(&error))
    };
    let nodes = cluster("NODES").await?;
    let slots = cluster("SLOTS").await?;
    let malformed = |error: redis::ParsingError| refused(&error.into());
    let nodes: String = redis::from_redis_value(nodes).map_err(malformed)?;
    View::parse(&slots, &nodes, address.host().unwrap_or_default()).map_err(malformed)
}

/// A server that knows no cluster calls the question itself an error.
fn refused(error: &RedisError) -> Fault {
    match error.kind() {
        redis::ErrorKind::Server(redis::ServerErrorKind::ResponseError) => {
            Fault::configure("the server is not part of a cluster")
        }
        _ => Fault::of_command(error),
    }
}

const ANSWER_WITHIN: Duration = Duration::from_millis(300);
