//! The rules of the engine.

use abi::config::Faults;

use super::{LoadSessionConfig, OnLimit};
use crate::Policy;
use crate::session::{Excess, Keyring, Lifetime, Limit, Secrets};

impl LoadSessionConfig {
    pub(super) fn policy(&self, faults: &mut Faults) -> Policy {
        Policy {
            keyring: self.keyring(faults),
            lifetime: self.lifetime(),
            grace: self.rotation_grace.get().unwrap_or_default(),
            revokes_on_reuse: self.revoke_on_reuse,
            principal: (!self.principal.is_empty()).then(|| self.principal.as_str().into()),
            limit: self.limit(),
            max_bytes: usize::try_from(self.max_bytes.bytes()).unwrap_or(usize::MAX),
        }
    }

    fn lifetime(&self) -> Lifetime {
        Lifetime {
            life: self.cookie_expiration.get(),
            renew_after: (!self.disable_auto_renew).then(|| self.auto_renew_after.get()),
            is_sliding: self.sliding_expiration,
            absolute: self.expiration.get(),
            idle: self.inactivity.get(),
            remembered: self.remember_me.get(),
            touch_every: self.touch_interval.get().unwrap_or_default(),
        }
    }

    fn limit(&self) -> Option<Limit> {
        let sessions = usize::try_from(self.max_sessions_per_principal).ok()?;
        let excess = match self.on_limit.unwrap_or_default() {
            OnLimit::EvictOldest => Excess::EvictOldest,
            OnLimit::Refuse => Excess::Refuse,
        };
        (sessions > 0).then_some(Limit { sessions, excess })
    }

    /// Nothing is sealed in place of what is wrong.
    fn keyring(&self, faults: &mut Faults) -> Keyring {
        let secrets = Secrets::parse(&self.secrets).map_err(|found| found.under("secrets"));
        let secrets = faults.absorb(secrets).flatten();
        secrets.map_or_else(Keyring::plain, Keyring::sealed)
    }
}
