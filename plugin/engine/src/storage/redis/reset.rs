//! Removing every row, and nothing else that lives on the server.

use abi::storage::{Key, Unavailable};
use futures_util::future::try_join_all;

use super::{Aim, Command, Patience, RedisStorage};

impl RedisStorage {
    /// In slices, so that the servers answer others meanwhile. Not atomic: a row written during this may stay.
    pub(super) async fn remove_all(&self) -> Result<u64, Unavailable> {
        let mut removed = 0;
        let patience = Patience::OfOutage(self.patience);
        for part in &self.deployment.parts(patience).await? {
            removed += self.remove_at(Aim::Part(part)).await?;
        }
        Ok(removed)
    }

    async fn remove_at(&self, master: Aim<'_>) -> Result<u64, Unavailable> {
        let names = &self.target.names;
        let pattern = format!("{}*", escape(names.prefix()));
        let (mut cursor, mut removed) = (0_u64, 0);
        loop {
            let mut scan = redis::cmd("SCAN");
            scan.arg(cursor)
                .arg("MATCH")
                .arg(&pattern)
                .arg("COUNT")
                .arg(1000);
            let (next, found) = self
                .run::<(u64, Vec<Vec<u8>>)>(master, Command::Repeatable(scan))
                .await?;
            let rows = found.iter().filter_map(|name| names.key(name));
            let unlinked = try_join_all(rows.map(|key| self.unlink(key))).await?;
            removed += unlinked.into_iter().sum::<u64>();
            if next == 0 {
                return Ok(removed);
            }
            cursor = next;
        }
    }

    /// By a command of its own: on a Cluster, two rows are rarely at the same place.
    async fn unlink(&self, key: Key) -> Result<u64, Unavailable> {
        let mut unlink = redis::cmd("UNLINK");
        unlink.arg(self.target.names.of(&key));
        self.run(Aim::Row(&key), Command::Repeatable(unlink)).await
    }
}

/// The prefix as a pattern that matches only itself.
fn escape(prefix: &str) -> String {
    let special = |char| matches!(char, '*' | '?' | '[' | ']' | '^' | '\\');
    prefix
        .chars()
        .flat_map(|char| special(char).then_some('\\').into_iter().chain([char]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_matches_only_itself() {
        assert_eq!(escape("session:"), "session:");
        assert_eq!(escape(r"a*[b]?\^"), r"a\*\[b\]\?\\\^");
    }
}
