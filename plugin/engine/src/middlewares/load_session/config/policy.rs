//! The rules of the engine.

use std::time::Duration;

use abi::config::DurationOrNone;

use super::{LoadSessionConfig, OnLimit};
use crate::Policy;
use crate::session::{Excess, Keyring, Lifetime, Limit, Secrets};

impl LoadSessionConfig {
    pub(super) fn policy(&self, secrets: Option<Secrets>) -> Policy {
        Policy {
            keyring: secrets.map_or_else(Keyring::plain, Keyring::sealed),
            lifetime: self.lifetime(),
            grace: self.grace(),
            revokes_on_reuse: self.revoke_on_reuse,
            principal: self.principal(),
            limit: self.limit(),
            max_bytes: usize::try_from(self.max_bytes.bytes()).unwrap_or(usize::MAX),
        }
    }

    fn grace(&self) -> Duration {
        let written = self.rotation_grace.map(DurationOrNone::get);
        written.map_or(USUAL_GRACE, Option::unwrap_or_default)
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

    pub(super) fn principal(&self) -> Option<Box<str>> {
        (!self.principal.is_empty()).then(|| self.principal.as_str().into())
    }
}

// Slow requests are in flight for seconds; a thief has as long.
const USUAL_GRACE: Duration = Duration::from_secs(10);
