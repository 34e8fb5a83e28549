//! Is the server there, may we write, and do we read what we wrote?

use abi::storage::Unavailable;

use super::deployment::{Aim, Part};
use super::{Command, Patience, RedisStorage};
use crate::session::Nonce;

impl RedisStorage {
    /// On every master, under a name of its own that no row can have, so that gateways do not probe each other's.
    pub(super) async fn write_and_read_back(&self) -> Result<(), Unavailable> {
        // Right after the start there is no connection yet, and nobody waits: as long as a command may take.
        let patience = Patience::FromNow(self.target.timeout);
        for part in &self.deployment.parts(patience).await? {
            self.deployment
                .line(Aim::Part(part), patience, None)
                .await?;
            self.probe_at(part).await?;
        }
        Ok(())
    }

    async fn probe_at(&self, part: &Part) -> Result<(), Unavailable> {
        let mark = Nonce::generate().map_err(|error| Unavailable::new(error.to_string()))?;
        let mark = u64::from_be_bytes(*mark.as_bytes().first_chunk().unwrap_or(&[0; 8]));
        let name = self.name_at(part, mark)?;
        let master = Aim::Part(part);
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

    /// The first name from `mark` on that is at home there. A master has one name in thousands, or more.
    fn name_at(&self, part: &Part, mark: u64) -> Result<String, Unavailable> {
        let prefix = self.target.names.prefix();
        (0..1 << 20)
            .map(|offset| format!("{prefix}probe:{:016x}", mark.wrapping_add(offset)))
            .find(|name| part.holds(name))
            .ok_or_else(|| Unavailable::new("no name is at home at one of the masters"))
    }
}
