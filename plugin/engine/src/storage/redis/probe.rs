//! Is the server there, may we write, and do we read what we wrote?

use abi::storage::Unavailable;

use super::{Aim, Command, Patience, RedisStorage};
use crate::session::Nonce;

impl RedisStorage {
    /// On every master, under a name of its own that no row can have, so that gateways do not probe each other's.
    pub(super) async fn write_and_read_back(&self) -> Result<(), Unavailable> {
        // Right after the start there is no connection yet, and nobody waits: as long as a command may take.
        let patience = Patience::FromNow(self.target.timeout);
        for master in (0..self.deployment.masters()).map(Aim::Master) {
            self.deployment.line(master, patience, None).await?;
            self.probe_at(master).await?;
        }
        Ok(())
    }

    async fn probe_at(&self, master: Aim<'_>) -> Result<(), Unavailable> {
        let mark = Nonce::generate().map_err(|error| Unavailable::new(error.to_string()))?;
        let mark = u64::from_be_bytes(*mark.as_bytes().first_chunk().unwrap_or(&[0; 8]));
        let name = format!("{}probe:{mark:016x}", self.target.names.prefix());
        let mut set = redis::cmd("SET");
        set.arg(&name).arg(mark).arg("PX").arg(10_000);
        let get = redis::Cmd::get(&name);
        let del = redis::Cmd::del(&name);
        self.run::<()>(master, Command::Repeatable(set)).await?;
        let read = self
            .run::<Option<u64>>(master, Command::Repeatable(get))
            .await?;
        self.run::<()>(master, Command::Repeatable(del)).await?;
        match read == Some(mark) {
            true => Ok(()),
            false => Err(Unavailable::new(
                "the server does not return what was written",
            )),
        }
    }
}
