//! How a storage was opened.

use sha2::{Digest as _, Sha256};

use crate::storage::{FileConfig, MemoryConfig, RedisConfig};

/// What says whether a storage can serve another configuration as it is.
#[derive(PartialEq)]
pub(super) enum Settings {
    Memory(MemoryConfig),
    File(FileConfig),
    /// With what is in the files that it names, which may have changed under the same names.
    Redis(Box<RedisConfig>, Vec<Option<Digest>>),
}

// Of what is in a file: it may be a private key, which is not kept twice.
type Digest = sha2::digest::Output<Sha256>;

impl Settings {
    pub(super) fn redis(config: &RedisConfig) -> Self {
        let files = config.tls.files();
        let digest = |file| std::fs::read(file).ok().map(Sha256::digest);
        Self::Redis(Box::new(config.clone()), files.map(digest).collect())
    }

    /// Whether both are for one file. Each that is temporary is another.
    pub(super) fn is_same_file(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::File(one), Self::File(other)) => {
                !one.path.as_os_str().is_empty() && one.path == other.path
            }
            _ => false,
        }
    }
}
