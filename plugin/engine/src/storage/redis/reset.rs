//! Removing every row, and nothing else that lives on the server.

use abi::storage::Unavailable;

use super::{Command, RedisStorage};

impl RedisStorage {
    /// In slices, so that the server answers others meanwhile. Not atomic: a row written during this may stay.
    pub(super) async fn remove_all(&self) -> Result<u64, Unavailable> {
        let pattern = format!("{}*", escape(&self.target.prefix));
        let (mut cursor, mut removed) = (0_u64, 0);
        loop {
            let mut scan = redis::cmd("SCAN");
            scan.arg(cursor)
                .arg("MATCH")
                .arg(&pattern)
                .arg("COUNT")
                .arg(1000);
            let (next, names) = self
                .run::<(u64, Vec<Vec<u8>>)>(Command::Repeatable(scan))
                .await?;
            removed += self
                .unlink(names.into_iter().filter(|name| self.is_row(name)))
                .await?;
            if next == 0 {
                return Ok(removed);
            }
            cursor = next;
        }
    }

    async fn unlink(&self, names: impl Iterator<Item = Vec<u8>>) -> Result<u64, Unavailable> {
        let names: Vec<_> = names.collect();
        if names.is_empty() {
            return Ok(0);
        }
        let mut unlink = redis::cmd("UNLINK");
        unlink.arg(names);
        self.run(Command::Repeatable(unlink)).await
    }

    /// Somebody else may use a longer prefix that begins with ours.
    fn is_row(&self, name: &[u8]) -> bool {
        let is_base64url = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_".contains(byte);
        name.strip_prefix(self.target.prefix.as_bytes())
            .is_some_and(|rest| rest.len() == 43 && rest.iter().all(is_base64url))
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
