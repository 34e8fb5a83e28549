//! What an operator may say about copies of rows in the gateway.

use std::num::NonZeroU32;

use abi::config::{ConfigDuration, Faults};
use schemars::JsonSchema;
use serde::Deserialize;

/// Rows that were read stay in this process until the server tells that they changed. Spares the round trip.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct LocalCacheConfig {
    /// Whether there is one. It needs a server that tells of changes: Redis 6 or any Valkey.
    pub enabled: bool,
    /// How many rows it holds.
    pub entries: NonZeroU32,
    /// How old a row may be at most, for the case that the server goes silent without anybody noticing.
    pub max_staleness: ConfigDuration,
}

impl Default for LocalCacheConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            entries: NonZeroU32::MIN.saturating_add(99_999),
            max_staleness: ConfigDuration::of_secs(2),
        }
    }
}

impl LocalCacheConfig {
    /// Whether there is one.
    ///
    /// # Errors
    /// When something is said of one that there is not.
    pub(super) fn checked(&self) -> Result<bool, Faults> {
        let default = Self::default();
        let mut faults = Faults::default();
        for (key, is_given) in [
            ("entries", self.entries != default.entries),
            ("maxStaleness", self.max_staleness != default.max_staleness),
        ] {
            if is_given && !self.enabled {
                faults.push(key, "does nothing with enabled: false");
            }
        }
        faults.or(self.enabled)
    }
}
