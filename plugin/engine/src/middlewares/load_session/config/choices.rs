//! Values that are one of a few words.

use abi::config::ConfigDuration;
use schemars::JsonSchema;
use serde::Deserialize;

/// Where sessions are read from.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq)]
#[serde(rename_all = "camelCase")]
pub enum Strategy {
    /// From the storage, at every request.
    #[default]
    Storage,
    /// From a snapshot in a second cookie while it is young enough, else from the storage.
    CookieCache,
}

/// How far snapshots of sessions in cookies are trusted, and what they look like.
///
/// What happens to a session in the storage, its end included, is noticed only when the snapshot has aged: within the
/// shorter of `ttl` and `updateAge`.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct CookieCacheConfig {
    /// How long a snapshot is taken for the session.
    pub ttl: ConfigDuration,
    /// What the cookie's value is.
    pub encoding: SnapshotEncoding,
    /// The age from which a session is read from the storage again, whatever `ttl` says.
    pub update_age: ConfigDuration,
}

impl CookieCacheConfig {
    /// The age up to which a snapshot is taken for the session.
    pub fn trust(&self) -> ConfigDuration {
        self.ttl.min(self.update_age)
    }
}

impl Default for CookieCacheConfig {
    fn default() -> Self {
        Self {
            ttl: ConfigDuration::of_secs(5 * 60),
            encoding: SnapshotEncoding::Compact,
            update_age: ConfigDuration::of_secs(10 * 60),
        }
    }
}

/// The form of a snapshot.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq)]
#[serde(rename_all = "camelCase")]
pub enum SnapshotEncoding {
    /// Encrypted and short.
    #[default]
    Compact,
    /// A JSON Web Token signed with HMAC-SHA-256: whoever has the cookie can read it.
    Jwt,
}

/// What becomes of a login that would be one too many.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq)]
#[serde(rename_all = "camelCase")]
pub enum OnLimit {
    /// It ends the oldest session of the user.
    #[default]
    EvictOldest,
    /// It does not happen.
    Refuse,
}
