//! The names by which a provider finds the sessions of its logins again when it ends them.
//!
//! A login has the provider's `sid` if its id token had one, and always its `sub`. Names of one provider mean nothing at
//! another.

use std::time::Duration;

use abi::{Failure, Session};
use tracing::warn;

use crate::engine::Link;
use crate::middlewares::Keeper;
use crate::tokens::Claims;

/// The names of a login with these claims.
pub(super) fn of_login(provider: &str, claims: &Claims) -> Vec<String> {
    let (sid, sub) = said(claims);
    let narrow = match sid {
        Some(sid) => Some(name("sid", provider, sid)),
        None => sub.map(|sub| name("sub-alone", provider, sub)),
    };
    let wide = sub.map(|sub| name("sub", provider, sub));
    narrow.into_iter().chain(wide).collect()
}

/// The names of the logins that a logout with these claims means. With a `sid` that is one login; and those of the user
/// that have none, for nobody can say that they are others.
pub(super) fn of_logout(provider: &str, claims: &Claims) -> Vec<String> {
    match said(claims) {
        (None, sub) => sub
            .map(|sub| name("sub", provider, sub))
            .into_iter()
            .collect(),
        (Some(sid), sub) => {
            let without = sub.map(|sub| name("sub-alone", provider, sub));
            let narrow = [name("sid", provider, sid)];
            narrow.into_iter().chain(without).collect()
        }
    }
}

/// The name of a logout token that has done its work.
pub(super) fn of_token(provider: &str, claims: &Claims) -> Option<String> {
    let jti = claims.text("jti").filter(|jti| !jti.is_empty())?;
    Some(name("jti", provider, jti))
}

/// Stores a session that somebody has just logged in to, and lets the names lead to it.
///
/// # Errors
/// When the storage does not answer: the provider could not end this login.
pub(super) async fn link(
    session: &Session,
    keeper: &Keeper,
    names: &[String],
) -> Result<(), Failure> {
    session.save().wait().await?;
    let handle = session.handle().and_then(|handle| handle.parse().ok());
    let (Some(principal), Some(family)) = (session.principal(), handle) else {
        warn!(target: TARGET, "a login that its provider cannot end: `principal` of LoginAction and LoadSessionMiddleware differ");
        return Ok(());
    };
    let engine = keeper.engine();
    let lifetime = engine.policy().lifetime;
    let longest = lifetime.absolute.unwrap_or(ENDLESS);
    let keep = longest.max(lifetime.remembered.unwrap_or_default());
    let link = Link { principal, family };
    for name in names {
        engine.link(name, &link, keep.max(lifetime.life)).await?;
    }
    Ok(())
}

fn said(claims: &Claims) -> (Option<&str>, Option<&str>) {
    let sid = claims.text("sid").filter(|sid| !sid.is_empty());
    (sid, claims.subject())
}

fn name(kind: &str, provider: &str, value: &str) -> String {
    format!("{kind}\0{provider}\0{value}")
}

/// How long a session is found that may be renewed for ever.
const ENDLESS: Duration = Duration::from_secs(90 * 24 * 60 * 60);
const TARGET: &str = "session";
