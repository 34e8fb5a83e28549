//! Named bundles of defaults, and what may be written beside them.

use std::fmt;

use abi::config::{ConfigDuration, DurationOrNone, Faults};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::LoadSessionConfig;
use crate::cookie::{Prefix, SameSite};
use crate::{KeyLookup, Source};

/// A bundle of defaults that belong together. Keys beside it may ask for more, never for less.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq)]
#[serde(rename_all = "camelCase")]
pub enum Preset {
    /// A `__Host-` cookie that is secure and HttpOnly, sealed data, an absolute life, an inactivity limit, and the end
    /// of a session whose old id is used again.
    Hardened,
    /// NIST SP 800-63B-4, section 5, for authentication assurance level 1: such a cookie, and a new login after 30
    /// days.
    Aal1,
    /// For level 2: a new login after a day, or after an hour without use.
    Aal2,
    /// For level 3: a new login after 12 hours, or after 15 minutes without use.
    Aal3,
}

/// Puts what is written over the bundle of its preset.
pub(super) fn complete(
    written: Map<String, Value>,
) -> Result<Map<String, Value>, serde_json::Error> {
    let name = written.get("preset").unwrap_or(&Value::Null);
    let Some(preset) = Option::<Preset>::deserialize(name)? else {
        return Ok(written);
    };
    let mut completed = preset.bundle();
    completed.extend(written);
    Ok(completed)
}

impl Preset {
    /// What is meant where nothing is written.
    fn bundle(self) -> Map<String, Value> {
        let mut bundle = cookie_bundle();
        bundle.extend(match self {
            Self::Hardened => map(json!({ "expiration": "1d", "inactivity": "1h" })),
            Self::Aal1 => map(json!({ "expiration": "30d" })),
            Self::Aal2 => map(json!({ "expiration": "1d", "inactivity": "1h" })),
            Self::Aal3 => map(json!({ "expiration": "12h", "inactivity": "15m" })),
        });
        bundle
    }

    const fn overall(self) -> Longest {
        match self {
            Self::Hardened => Longest::ANY,
            Self::Aal1 => Longest::hours(30 * 24),
            Self::Aal2 => Longest::hours(24),
            Self::Aal3 => Longest::hours(12),
        }
    }

    /// The longest time without use; none where there need be no limit.
    const fn idle(self) -> Option<Longest> {
        match self {
            Self::Hardened => Some(Longest::ANY),
            Self::Aal1 => None,
            Self::Aal2 => Some(Longest::hours(1)),
            Self::Aal3 => Some(Longest::minutes(15)),
        }
    }

    /// Finds what is weaker than the bundle, which only what somebody wrote can be.
    pub(super) fn check(self, config: &LoadSessionConfig, lookup: Option<&KeyLookup>) -> Faults {
        let mut faults = self.check_cookie(config, lookup);
        faults.extend(self.check_life(config));
        if self == Self::Hardened {
            faults.extend(self.check_storage(config));
        }
        faults
    }

    fn check_cookie(self, config: &LoadSessionConfig, lookup: Option<&KeyLookup>) -> Faults {
        let mut faults = Faults::default();
        let sources = lookup.map(KeyLookup::sources).unwrap_or_default();
        for source in sources.iter().filter(|source| !is_of_one_host(source)) {
            let allowed = "cookies whose names begin with `__Host-`";
            faults.push("keyLookup", self.forbids(source, allowed));
        }
        if !config.cookie_http_only {
            faults.push("cookieHTTPOnly", self.forbids("false", "true"));
        }
        if !config.cookie_secure {
            faults.push("cookieSecure", self.forbids("false", "true"));
        }
        if config.cookie_same_site.0 == SameSite::None {
            faults.push("cookieSameSite", self.forbids("None", "Lax or Strict"));
        }
        faults
    }

    fn check_life(self, config: &LoadSessionConfig) -> Faults {
        let mut faults = Faults::default();
        if !self.overall().allows(config.expiration) {
            let message = self.forbids(config.expiration, self.overall());
            faults.push("expiration", message);
        }
        if let Some(idle) = self.idle().filter(|idle| !idle.allows(config.inactivity)) {
            faults.push("inactivity", self.forbids(config.inactivity, idle));
        }
        let remembered = config.remember_me;
        if remembered == DurationOrNone::NONE {
            return faults;
        }
        if self.idle().is_some() {
            let allowed = "0, because a remembered session may be idle";
            faults.push("rememberMe", self.forbids(remembered, allowed));
        } else if !self.overall().allows(remembered) {
            faults.push("rememberMe", self.forbids(remembered, self.overall()));
        }
        faults
    }

    fn check_storage(self, config: &LoadSessionConfig) -> Faults {
        let mut faults = Faults::default();
        if config.secrets.is_empty() {
            faults.push(
                "secrets",
                format!("missing, preset `{self}` needs one of at least 32 bytes, here or in secretsFile"),
            );
        }
        if !config.revoke_on_reuse {
            faults.push("revokeOnReuse", self.forbids("false", "true"));
        }
        faults
    }

    fn forbids(self, found: impl fmt::Display, allowed: impl fmt::Display) -> String {
        format!("`{found}` is weaker than preset `{self}` allows: {allowed}")
    }
}

impl fmt::Display for Preset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hardened => "hardened",
            Self::Aal1 => "aal1",
            Self::Aal2 => "aal2",
            Self::Aal3 => "aal3",
        })
    }
}

/// The upper bound of a limit that has to exist.
#[derive(Clone, Copy)]
struct Longest(Option<ConfigDuration>);

impl Longest {
    const ANY: Self = Self(None);

    const fn minutes(minutes: u64) -> Self {
        Self(Some(ConfigDuration::of_secs(minutes * 60)))
    }

    const fn hours(hours: u64) -> Self {
        Self::minutes(hours * 60)
    }

    fn allows(self, limit: DurationOrNone) -> bool {
        let Self(longest) = self;
        limit
            .get()
            .is_some_and(|limit| longest.is_none_or(|longest| limit <= longest.get()))
    }
}

impl fmt::Display for Longest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(longest) => write!(f, "at most {longest}, and not 0"),
            None => f.write_str("any duration but 0"),
        }
    }
}

fn cookie_bundle() -> Map<String, Value> {
    map(json!({
        "keyLookup": "cookie:__Host-session",
        "cookieHTTPOnly": true,
        "cookieSecure": true,
        "cookieSameSite": "Lax",
    }))
}

fn map(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

/// Whether browsers bind a session to this host, its whole host, and to nobody's scripts on its siblings.
fn is_of_one_host(source: &Source) -> bool {
    matches!(source, Source::Cookie(name) if Prefix::of(name.as_str()).is_some_and(Prefix::is_of_one_host))
}
