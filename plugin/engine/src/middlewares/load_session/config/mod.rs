//! What an operator may say about loading sessions, as written and, in [`Settings`], as meant.

mod cache;
mod choices;
mod cookies;
mod ineffective;
mod path_globs;
mod policy;
mod preset;
mod rules;
mod settings;
mod terms;
mod text;
mod weakness;

use abi::config::{ByteSize, ConfigDuration, DurationOrNone, Secret};
use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::{self, Deserializer};
use serde_json::{Map, Value};

use crate::cookie::SameSite;

pub use self::choices::{CookieCacheConfig, OnLimit, OnStorageFailure, SnapshotEncoding, Strategy};
pub use self::path_globs::{GlobError, PathGlob, PathGlobs};
pub use self::preset::Preset;
pub use self::text::{KeyLookupText, SameSiteText};

pub(super) use self::cache::SnapshotCookie;
pub(super) use self::settings::Settings;
pub(super) use self::terms::Terms;

/// Where the session id is, where the session is kept, and how long it lives.
///
/// Deserialised with the bundle of its preset under what is written.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(
    default,
    deny_unknown_fields,
    remote = "Self",
    rename_all = "camelCase"
)]
#[schemars(rename = "LoadSessionConfig")]
pub struct LoadSessionConfig {
    /// A name from `storages`. Absent: in the memory of this gateway, not recommended for production.
    pub storage: Option<String>,
    /// Where the session id is: `cookie:<name>`, `header:<name>` or `query:<name>`, or a list tried in order.
    pub key_lookup: KeyLookupText,
    /// Whether scripts are kept from reading the cookie. `true` is recommended.
    #[serde(rename = "cookieHTTPOnly")]
    pub cookie_http_only: bool,
    /// Whether the cookie stays off plain HTTP. `true` is recommended.
    pub cookie_secure: bool,
    /// When the browser sends the cookie along with requests that another site caused.
    pub cookie_same_site: SameSiteText,
    /// Whether the cookie ends with the browser. The stored session lives as long as otherwise.
    pub cookie_session_only: bool,
    /// How long the cookie and the stored session live from their last renewal on.
    pub cookie_expiration: ConfigDuration,
    /// Whether a session keeps its id and its end for its whole life.
    pub disable_auto_renew: bool,
    /// A session older than this gets a new id and a fresh `cookieExpiration`; its data stays.
    pub auto_renew_after: ConfigDuration,
    /// Whether later middlewares and the action see no session.
    pub disable_session_forward: bool,
    /// A named bundle of defaults. What is written beside it counts, and must not be weaker.
    pub preset: Option<Preset>,
    /// The domain whose hosts share the cookie. Empty: the host that set it, alone. Refused when it is a public suffix.
    pub cookie_domain: String,
    /// The path below which the browser sends the cookie.
    pub cookie_path: String,
    /// Whether a page that embeds this site has a cookie of its own for it. Needs `cookieSecure`.
    pub cookie_partitioned: bool,
    /// Whether the session's cookie, header or query parameter reaches the upstream. Whoever has it is the user.
    pub forward_session_key: bool,
    /// What stored data is sealed and stored ids are keyed with, the newest first; all are read, so that the list can
    /// change without a logout. At least 32 bytes each. `secretsFile` has one in each line. Empty: ids are hashed,
    /// data is not sealed.
    pub secrets: Vec<Secret>,
    /// How long a session lives from its login on, whatever happens. 0: no such limit.
    pub expiration: DurationOrNone,
    /// How long a session lives without being used. 0: no such limit.
    pub inactivity: DurationOrNone,
    /// How long a session lives whose attribute `remember_me` is `true`, in place of `cookieExpiration` and
    /// `expiration`; it may be idle. 0: not offered.
    pub remember_me: DurationOrNone,
    /// How long an old id works after a renewal, for requests in flight: at most 5 minutes and `autoRenewAfter`; 0: not
    /// at all. Absent: 10 seconds.
    pub rotation_grace: Option<DurationOrNone>,
    /// Whether an id that is used after its grace, so by somebody who copied it, ends the session.
    pub revoke_on_reuse: bool,
    /// How exactly the last use of a session is known: it is written at most this often, by all gateways together.
    /// 0: at every request.
    pub touch_interval: DurationOrNone,
    /// Where sessions are read from. `cookieCache` needs `secrets` and a cookie in `keyLookup`.
    pub strategy: Strategy,
    /// How far snapshots are trusted with `strategy: cookieCache`.
    pub cookie_cache: CookieCacheConfig,
    /// Whether a renewal gives a fresh life. If not, it gives a new id, and the end stays.
    pub sliding_expiration: bool,
    /// Paths that are always answered from the storage, never from a snapshot or a copy: `*` is any part of a segment, `**` any number of segments,
    /// and `/admin/*` everything below and `/admin` itself. Compared in the spelling of routes.
    pub sensitive_paths: Vec<String>,
    /// The attribute that names the user: sessions are listed, revoked and counted by it, and a change of it gives a
    /// new session. Empty: sessions belong to nobody.
    pub principal: String,
    /// How many sessions a user may have at once. 0: as many as a roster holds, a thousand.
    pub max_sessions_per_principal: u32,
    /// What becomes of a login beyond `maxSessionsPerPrincipal`. Absent: `evictOldest`.
    pub on_limit: Option<OnLimit>,
    /// How large the data of one session may be.
    pub max_bytes: ByteSize,
    /// What becomes of a request whose session cannot be read because the storage does not answer. In no case a cookie is
    /// set or cleared, and on `sensitivePaths` it is always `refuse`. `stale` needs a storage with a `localCache`.
    pub on_storage_failure: OnStorageFailure,
    /// The response header by which an upstream writes the session, for example `X-Session-Set`: a JSON object is
    /// merged into the attributes, `null` removes one, the word `destroy` ends the session. It never reaches the
    /// client. Empty: upstreams cannot write.
    pub response_header: String,
}

/// The documented defaults; where one is weak, starting says so.
impl Default for LoadSessionConfig {
    fn default() -> Self {
        Self {
            storage: None,
            key_lookup: KeyLookupText::One("cookie:session_id".to_owned()),
            cookie_http_only: false,
            cookie_secure: false,
            cookie_same_site: SameSiteText(SameSite::Lax),
            cookie_session_only: false,
            cookie_expiration: ConfigDuration::of_secs(2 * 60 * 60),
            disable_auto_renew: false,
            auto_renew_after: ConfigDuration::of_secs(30 * 60),
            disable_session_forward: false,
            preset: None,
            cookie_domain: String::new(),
            cookie_path: "/".to_owned(),
            cookie_partitioned: false,
            forward_session_key: false,
            secrets: Vec::new(),
            expiration: DurationOrNone::NONE,
            inactivity: DurationOrNone::NONE,
            remember_me: DurationOrNone::NONE,
            rotation_grace: None,
            revoke_on_reuse: true,
            touch_interval: DurationOrNone::of_secs(60),
            strategy: Strategy::Storage,
            cookie_cache: CookieCacheConfig::default(),
            sliding_expiration: true,
            sensitive_paths: Vec::new(),
            principal: "user_id".to_owned(),
            max_sessions_per_principal: 0,
            on_limit: None,
            max_bytes: ByteSize::of_kib(64),
            on_storage_failure: OnStorageFailure::Refuse,
            response_header: String::new(),
        }
    }
}

impl<'de> Deserialize<'de> for LoadSessionConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = Map::deserialize(deserializer)?;
        // Not this function again: `remote = "Self"` gives the type one of its own, which knows no presets.
        let completed = preset::complete(written).map_err(de::Error::custom)?;
        Self::deserialize(Value::Object(completed)).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests;
