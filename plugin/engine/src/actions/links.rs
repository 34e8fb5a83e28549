//! The names by which a provider finds the sessions of its logins again when it ends them.
//!
//! A login has the provider's `sid` if its id token had one, and always its `sub`. Names of one provider mean nothing at
//! another.

use std::time::Duration;

use abi::storage::Unavailable;
use abi::{Failure, Session};
use tracing::warn;

use crate::engine::{Engine, Link, Linked, Linking, Revoked};
use crate::middlewares::Keeper;
use crate::session::Timestamp;
use crate::tokens::Claims;

/// A login, as its provider may speak of it later.
#[derive(Debug, Default)]
pub(super) struct Login {
    pub(super) names: Vec<String>,
    pub(super) issued_at: Timestamp,
}

/// Logins that a provider ends.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Logout {
    pub(super) name: String,
    /// Of the logins under this name, those that were issued until then.
    pub(super) issued_until: Timestamp,
}

impl Login {
    /// A login with these claims.
    pub(super) fn of(provider: &str, claims: &Claims) -> Self {
        let (sid, sub) = said(claims);
        let narrow = match sid {
            Some(sid) => Some(name("sid", provider, sid)),
            None => sub.map(|sub| name("sub-alone", provider, sub)),
        };
        let wide = sub.map(|sub| name("sub", provider, sub));
        Self {
            names: narrow.into_iter().chain(wide).collect(),
            // One that does not say when it was is older than any logout.
            issued_at: issued_at(claims).unwrap_or_default(),
        }
    }

    /// Stores a session that somebody has just logged in to, and lets its names lead to it.
    ///
    /// # Errors
    /// When the storage does not answer: the provider could not end this login.
    pub(super) async fn link(&self, session: &Session, keeper: &Keeper) -> Result<Linked, Failure> {
        session.save().wait().await?;
        let handle = session.handle().and_then(|handle| handle.parse().ok());
        let (Some(principal), Some(family)) = (session.principal(), handle) else {
            warn!(target: TARGET, "a login that its provider cannot end: `principal` of LoginAction and LoadSessionMiddleware differ");
            return Ok(Linked::Done);
        };
        let engine = keeper.engine();
        let linking = Linking {
            issued_at: self.issued_at,
            keep: longest_life(engine),
        };
        let link = Link { principal, family };
        for name in &self.names {
            if engine.link(name, &link, linking).await? == Linked::Over {
                return Ok(Linked::Over);
            }
        }
        Ok(Linked::Done)
    }

    /// Whether its provider can speak of it.
    pub(super) const fn has_names(&self) -> bool {
        !self.names.is_empty()
    }
}

impl Logout {
    /// The logins that a logout with these claims means. With a `sid` that is one login; and those of the user that have
    /// none, for nobody can say that they are others.
    pub(super) fn of(provider: &str, claims: &Claims) -> Vec<Self> {
        let until_now = |name| Self {
            name,
            issued_until: issued_at(claims).unwrap_or(FOR_GOOD),
        };
        match said(claims) {
            (None, sub) => sub
                .map(|sub| until_now(name("sub", provider, sub)))
                .into_iter()
                .collect(),
            (Some(sid), sub) => {
                let without = sub.map(|sub| until_now(name("sub-alone", provider, sub)));
                let narrow = [Self::of_sid(provider, sid)];
                narrow.into_iter().chain(without).collect()
            }
        }
    }

    /// The login with this `sid`. There is no other one with it later.
    pub(super) fn of_sid(provider: &str, sid: &str) -> Self {
        Self {
            name: name("sid", provider, sid),
            issued_until: FOR_GOOD,
        }
    }

    /// Ends the logins, and says how many sessions that were. One that is under way is over as well.
    ///
    /// # Errors
    /// When the storage does not answer: some may have ended.
    pub(super) async fn end(&self, engine: &Engine) -> Result<u64, Unavailable> {
        let mut ended = 0;
        let logins = (self.issued_until, REMEMBERED);
        for Link { principal, family } in engine.end_logins(&self.name, logins).await? {
            match engine.revoke_one(&principal, family).await {
                Revoked::Done => ended += 1,
                Revoked::Absent => {}
                Revoked::Unavailable(cause) => return Err(cause),
            }
        }
        Ok(ended)
    }
}

/// The name of a logout token that has done its work.
pub(super) fn of_token(provider: &str, claims: &Claims) -> Option<String> {
    let jti = claims.text("jti").filter(|jti| !jti.is_empty())?;
    Some(name("jti", provider, jti))
}

fn longest_life(engine: &Engine) -> Duration {
    let lifetime = engine.policy().lifetime;
    let longest = lifetime.absolute.unwrap_or(ENDLESS);
    let longest = longest.max(lifetime.remembered.unwrap_or_default());
    longest.max(lifetime.life)
}

fn said(claims: &Claims) -> (Option<&str>, Option<&str>) {
    let sid = claims.text("sid").filter(|sid| !sid.is_empty());
    (sid, claims.subject())
}

fn issued_at(claims: &Claims) -> Option<Timestamp> {
    let seconds = claims.issued_at()?;
    Some(Timestamp::from_millis(seconds.saturating_mul(1000)))
}

fn name(kind: &str, provider: &str, value: &str) -> String {
    format!("{kind}\0{provider}\0{value}")
}

/// How long a session is found that may be renewed for ever.
const ENDLESS: Duration = Duration::from_secs(90 * 24 * 60 * 60);
/// How long a logout is remembered for logins that are under way: an attempt may take ten minutes, and writing it down
/// takes less than a tombstone lasts.
const REMEMBERED: Duration = Duration::from_secs(15 * 60);
const FOR_GOOD: Timestamp = Timestamp::from_millis(u64::MAX);
const TARGET: &str = "session";
