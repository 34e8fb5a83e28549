//! Snapshots of sessions in cookies: `strategy: cookieCache`.

use super::{LoadSessionConfig, SnapshotEncoding, Strategy};
use crate::cookie::{CookieName, CookieRules};
use crate::session::{Encoding, Secrets, SnapshotRules, Snapshots};

/// The cookie that brings the snapshots of the sessions of another cookie.
#[derive(Clone, Debug)]
pub(crate) struct SnapshotCookie {
    /// How it is set: like the cookie of the id, under a name of its own.
    pub(crate) rules: CookieRules,
    /// What is in it.
    pub(crate) snapshots: Snapshots,
}

impl LoadSessionConfig {
    /// The snapshots that belong to each of the cookies, if there are any.
    pub(super) fn snapshots(
        &self,
        cookies: &[CookieRules],
        secrets: Option<&Secrets>,
    ) -> Box<[SnapshotCookie]> {
        let secrets = secrets.filter(|_| self.strategy == Strategy::CookieCache);
        let cookies = secrets.into_iter().flat_map(|secrets| {
            cookies
                .iter()
                .filter_map(|cookie| self.snapshot(cookie, secrets.clone()))
        });
        cookies.collect()
    }

    fn snapshot(&self, cookie: &CookieRules, secrets: Secrets) -> Option<SnapshotCookie> {
        let name = snapshot_name(&cookie.name)?;
        let rules = SnapshotRules {
            cookie: name.as_str().into(),
            encoding: self.cookie_cache.encoding.into(),
            trust: self.cookie_cache.trust().get(),
            principal: self.principal(),
        };
        Some(SnapshotCookie {
            rules: CookieRules {
                name,
                ..cookie.clone()
            },
            snapshots: Snapshots::new(secrets, rules),
        })
    }
}

/// Where the snapshots of the sessions of a cookie are.
pub(super) fn snapshot_name(cookie: &CookieName) -> Option<CookieName> {
    CookieName::parse(&format!("{cookie}_cache")).ok()
}

impl From<SnapshotEncoding> for Encoding {
    fn from(encoding: SnapshotEncoding) -> Self {
        match encoding {
            SnapshotEncoding::Compact => Self::Compact,
            SnapshotEncoding::Jwt => Self::Jwt,
        }
    }
}
