//! Reading rows: one, or two of one server with one message.

use abi::Maybe;
use abi::storage::{Key, Loaded, Row, Unavailable};
use redis::Cmd;
use tokio::time::{Instant, timeout, timeout_at};

use super::command::Command;
use super::deployment::Aim;
use super::fault::Fault;
use super::link::Line;
use super::{RedisStorage, blob};
use crate::storage::Together;

impl RedisStorage {
    pub(super) async fn read(&self, key: &Key) -> Loaded<Row> {
        row(self.in_time(self.find(key)).await)
    }

    async fn read_at_master(&self, key: &Key) -> Loaded<Row> {
        row(self.in_time(self.find_at_master(key)).await)
    }

    async fn read_both(&self, keys: [Key; 2]) -> [Loaded<Row>; 2] {
        let deadline = Instant::now() + self.target.timeout;
        if let Some(line) = self.deployment.line_to_both(&keys) {
            match line.get_both((&self.target.names, &keys), deadline).await {
                Ok(blobs) => return blobs.map(|blob| row(Ok(blob))),
                Err(error) if error.is_timeout() => return self.both_late(),
                // Whatever is in the way, each finds its own way around it.
                Err(_) => {}
            }
        }
        let found = Box::pin(timeout_at(deadline, self.find_each(&keys))).await;
        found.map_or_else(|_| self.both_late(), |found| found.map(row))
    }

    fn both_late(&self) -> [Loaded<Row>; 2] {
        [(); 2].map(|()| Loaded::Unavailable(self.late()))
    }

    async fn find_each(&self, keys: &[Key; 2]) -> [Result<Option<Vec<u8>>, Unavailable>; 2] {
        let [first, second] = keys.each_ref().map(|key| Box::pin(self.find(key)));
        tokio::join!(first, second).into()
    }

    fn get(&self, key: &Key) -> Cmd {
        let name = self.target.names.of(key);
        let mut get = Cmd::with_capacity(2, "GET".len() + name.len());
        get.arg("GET").arg(name);
        get
    }

    async fn find(&self, key: &Key) -> Result<Option<Vec<u8>>, Unavailable> {
        if let Some(replica) = self.deployment.replica(key) {
            let near = Box::pin(self.find_near(&replica, key)).await;
            if near.is_some() {
                return Ok(near);
            }
        }
        self.find_at_master(key).await
    }

    async fn find_at_master(&self, key: &Key) -> Result<Option<Vec<u8>>, Unavailable> {
        let get = Command::Repeatable(self.get(key));
        self.complete(Aim::Row(key), &get).await
    }

    /// What a replica has. It gets half of the time, so that the master can be asked when it does not answer.
    async fn find_near(&self, replica: &Line, key: &Key) -> Option<Vec<u8>> {
        let get = Command::Repeatable(self.get(key));
        let answer = timeout(
            self.target.timeout / 2,
            get.send::<Option<Vec<u8>>>(replica),
        )
        .await;
        match answer.ok()? {
            Ok(blob) => blob,
            Err(error) => {
                replica.doubt(&Fault::of_command(&error));
                None
            }
        }
    }
}

/// Rows of one server come with one message to it.
impl Together for RedisStorage {
    fn load_together(&self, keys: [Key; 2]) -> Option<Maybe<'_, [Loaded<Row>; 2]>> {
        Some(self.task(self.read_both(keys)))
    }

    fn reread<'a>(&'a self, key: &'a Key) -> Maybe<'a, Loaded<Row>> {
        self.task(self.read_at_master(key))
    }
}

/// What an answer means. A value that is not a row may stand under our name. It is handed on as a row that says nothing,
/// and so it is quarantined where every row is that nobody can read.
fn row(found: Result<Option<Vec<u8>>, Unavailable>) -> Loaded<Row> {
    match found {
        Ok(None) => Loaded::Absent,
        Ok(Some(blob)) => Loaded::Found(blob::split(blob).unwrap_or(Row {
            version: 0,
            payload: Vec::new(),
        })),
        Err(cause) => Loaded::Unavailable(cause),
    }
}
