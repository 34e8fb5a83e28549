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

/// What becomes of a request whose session cannot be read because the storage does not answer.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq)]
#[serde(rename_all = "camelCase")]
pub enum OnStorageFailure {
    /// It ends with 503 and `Retry-After`.
    #[default]
    Refuse,
    /// It goes on without its session, as that of a stranger for whom nothing can be stored: what would write a
    /// session, a login above all, ends with 503.
    Anonymous,
    /// It is served from a copy in this gateway, to be read, as long as copies count there: `localCache.maxStaleness`.
    /// A session that was ended meanwhile lives on for so long. Without a copy it ends with 503.
    Stale,
}

impl OnStorageFailure {
    /// The word in configurations and logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Refuse => "refuse",
            Self::Anonymous => "anonymous",
            Self::Stale => "stale",
        }
    }
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
