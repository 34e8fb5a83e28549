//! What sessions are promised, held against what another middleware on the same storage promises.

use abi::config::Secret;

use super::{LoadSessionConfig, OnLimit};

/// What decides over the sessions of a storage.
#[derive(Clone, Debug)]
pub(crate) struct Terms {
    /// Without a name, all share one in memory.
    storage: Option<String>,
    secrets: Vec<Secret>,
    /// Each limit by its key.
    limits: [(&'static str, String); 8],
}

impl LoadSessionConfig {
    pub(super) fn terms(&self) -> Terms {
        let most = match (self.max_sessions_per_principal, self.on_limit) {
            (0, _) => "0".to_owned(),
            (most, None | Some(OnLimit::EvictOldest)) => format!("{most}, evictOldest"),
            (most, Some(OnLimit::Refuse)) => format!("{most}, refuse"),
        };
        Terms {
            storage: self.storage.clone(),
            secrets: self.secrets.clone(),
            limits: [
                ("cookieExpiration", self.cookie_expiration.to_string()),
                ("expiration", self.expiration.to_string()),
                ("inactivity", self.inactivity.to_string()),
                ("rememberMe", self.remember_me.to_string()),
                ("revokeOnReuse", self.revoke_on_reuse.to_string()),
                ("principal", self.principal.clone()),
                ("maxSessionsPerPrincipal", most),
                ("maxBytes", self.max_bytes.to_string()),
            ],
        }
    }
}

impl Terms {
    /// What differs, if an id of one is good in the other: both values of each key, and none of secrets.
    pub(crate) fn difference(&self, other: &Self) -> Option<String> {
        if self.storage != other.storage || !self.has_secret_of(other) {
            return None;
        }
        let pairs = self.limits.iter().zip(&other.limits);
        let limits = pairs.filter(|(one, other)| one != other);
        let limits = limits.map(|((key, one), (_, other))| format!("{key} (`{one}`, `{other}`)"));
        let secrets = (self.secrets != other.secrets).then(|| "secrets".to_owned());
        let differing: Vec<_> = limits.chain(secrets).collect();
        (!differing.is_empty()).then(|| differing.join(", "))
    }

    /// Ids that are hashed otherwise lead nowhere.
    fn has_secret_of(&self, other: &Self) -> bool {
        let is_shared = |secret| other.secrets.contains(secret);
        match (self.secrets.is_empty(), other.secrets.is_empty()) {
            (true, true) => true,
            _ => self.secrets.iter().any(is_shared),
        }
    }
}
