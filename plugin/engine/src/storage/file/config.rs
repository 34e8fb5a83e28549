//! What an operator may say about the file storage.

use abi::config::ConfigPath;
use schemars::JsonSchema;
use serde::Deserialize;

/// Sessions in a file of this gateway. They are kept over restarts and crashes and not shared with other gateways.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct FileConfig {
    /// A directory for this storage alone, relative to the configuration. It is made when it is not there, for the
    /// gateway's user only, and holds `sessions.redb`. Empty: a fresh temporary directory, which the log names and
    /// which goes with the gateway.
    pub path: ConfigPath,
    /// When a write is answered. The default is the one that keeps every promise: what a client was told, is kept.
    pub durability: Durability,
}

/// When a write is answered.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq)]
#[serde(rename_all = "camelCase")]
pub enum Durability {
    /// When it is on the disk. Writes that wait at the same time share one sync of the disk.
    #[default]
    EveryWrite,
    /// At once; it is on the disk within a second. A crash takes the last second back, logins and logouts alike.
    EverySecond,
}

impl Default for FileConfig {
    fn default() -> Self {
        Self {
            path: ConfigPath::new(""),
            durability: Durability::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_the_documented_ones() {
        let config: FileConfig = serde_json::from_str("{}").unwrap();

        assert_eq!(config, FileConfig::default());
        assert_eq!(
            (config.path.as_os_str().len(), config.durability),
            (0, Durability::EveryWrite)
        );
    }

    #[test]
    fn durability_is_spelled_as_documented() {
        let parsed = |text| serde_json::from_str::<Durability>(text).ok();

        assert_eq!(parsed("\"everyWrite\""), Some(Durability::EveryWrite));
        assert_eq!(parsed("\"everySecond\""), Some(Durability::EverySecond));
        assert_eq!(parsed("\"never\""), None);
    }
}
