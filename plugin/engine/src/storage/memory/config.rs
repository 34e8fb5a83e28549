//! What an operator may say about the memory storage.

use abi::config::{ByteSize, Faults};
use schemars::JsonSchema;
use serde::Deserialize;

use super::room::Share;

/// Sessions in the memory of the gateway. They end with it and are not shared with others.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct MemoryConfig {
    /// How many rows are kept. When there are more, the one idle longest goes first. The default is what a busy site
    /// has in sessions.
    pub max_entries: u32,
    /// How many bytes the rows may take, their overhead included.
    pub max_bytes: ByteSize,
}

impl Default for MemoryConfig {
    fn default() -> Self {
        Self {
            max_entries: 1_000_000,
            max_bytes: ByteSize::of_kib(1024 * 1024),
        }
    }
}

impl MemoryConfig {
    /// The number of shards, a power of two, and what each of them may hold.
    ///
    /// As many shards as leave each a share large enough that chance does not fill one long before the others.
    pub(super) fn shares(&self) -> Result<(usize, Share), Faults> {
        self.check()?;
        let rows = self.max_entries as usize;
        let bytes = usize::try_from(self.max_bytes.bytes()).unwrap_or(usize::MAX);
        let affordable = (rows / MIN_ROWS)
            .min(bytes / MIN_BYTES)
            .clamp(1, MAX_SHARDS);
        let shards = 1 << affordable.ilog2();
        Ok((
            shards,
            Share {
                rows: rows / shards,
                bytes: bytes / shards,
            },
        ))
    }

    fn check(&self) -> Result<(), Faults> {
        let mut faults = Faults::default();
        if self.max_entries == 0 {
            faults.push("maxEntries", "must not be 0: nobody could have a session");
        }
        if self.max_bytes.bytes() == 0 {
            faults.push("maxBytes", "must not be 0: nobody could have a session");
        }
        faults.or(())
    }
}

const MAX_SHARDS: usize = 256;
const MIN_ROWS: usize = 1024;
const MIN_BYTES: usize = 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_the_documented_ones() {
        let config: MemoryConfig = serde_json::from_str("{}").unwrap();

        assert_eq!(config, MemoryConfig::default());
        assert_eq!(
            (config.max_entries, config.max_bytes.to_string()),
            (1_000_000, "1GiB".into())
        );
    }

    #[test]
    fn shards_come_with_size() {
        let shards = |max_entries, max_bytes| {
            MemoryConfig {
                max_entries,
                max_bytes,
            }
            .shares()
            .unwrap()
            .0
        };

        assert_eq!(shards(1_000_000, ByteSize::of_kib(1024 * 1024)), 256);
        assert_eq!(shards(3, ByteSize::of_kib(1024 * 1024)), 1);
        assert_eq!(shards(1_000_000, ByteSize::of_kib(5 * 1024)), 4);
        assert_eq!(shards(u32::MAX, ByteSize::of_bytes(u64::MAX)), 256);
    }

    #[test]
    fn no_room_at_all_is_a_fault_for_each_limit() {
        let config = MemoryConfig {
            max_entries: 0,
            max_bytes: ByteSize::of_bytes(0),
        };

        let faults = config.shares().unwrap_err();

        let paths: Vec<_> = faults.iter().map(|fault| fault.path.as_str()).collect();
        assert_eq!(paths, ["maxEntries", "maxBytes"]);
    }
}
