//! Is the server there, may we write, and do we read what we wrote?

use abi::storage::Unavailable;

use super::{Command, RedisStorage};
use crate::session::Nonce;

impl RedisStorage {
    /// Under a name of its own that no row can have, so that gateways do not probe each other's.
    pub(super) async fn write_and_read_back(&self) -> Result<(), Unavailable> {
        // Right after the start there is no connection yet, and nobody waits: as long as a command may take.
        self.link.line(self.target.timeout, None).await?;
        let mark = Nonce::generate().map_err(|error| Unavailable::new(error.to_string()))?;
        let mark = u64::from_be_bytes(*mark.as_bytes().first_chunk().unwrap_or(&[0; 8]));
        let name = format!("{}probe:{mark:016x}", self.target.prefix);
        let mut set = redis::cmd("SET");
        set.arg(&name).arg(mark).arg("PX").arg(10_000);
        self.run::<()>(Command::Repeatable(set)).await?;
        let read = self
            .run::<Option<u64>>(Command::Repeatable(redis::Cmd::get(&name)))
            .await?;
        self.run::<()>(Command::Repeatable(redis::Cmd::del(&name)))
            .await?;
        if read != Some(mark) {
            return Err(Unavailable::new(
                "the server does not return what was written",
            ));
        }
        Ok(())
    }
}
