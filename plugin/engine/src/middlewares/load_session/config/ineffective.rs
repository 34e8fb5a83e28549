//! What is written and changes nothing.

use abi::config::DurationOrNone;

use super::LoadSessionConfig;
use super::cookies::has_cookie;
use crate::KeyLookup;
use crate::cookie::SameSite;

/// One line that names every key that another one keeps from having an effect. None when each has one.
///
/// A default that is written out says nothing. What is left does no harm and may come from a template for several, so that
/// it is no fault.
pub(super) fn warning(config: &LoadSessionConfig, lookup: &KeyLookup) -> Option<String> {
    let mut found: Vec<_> = [clocks(config), cookies(config, lookup)].concat();
    if config.disable_auto_renew && config.auto_renew_after != usual().auto_renew_after {
        found.push("autoRenewAfter, as disableAutoRenew is true".to_owned());
    }
    (!found.is_empty()).then(|| format!("without effect: {}", found.join("; ")))
}

/// Idle time begins with the last use, which is no earlier than what the lives begin with.
fn clocks(config: &LoadSessionConfig) -> Vec<String> {
    let lives: [(_, DurationOrNone); 2] = [
        ("cookieExpiration", config.cookie_expiration.into()),
        ("expiration", config.expiration),
    ];
    let ended_before = lives.into_iter().find(|(_, life)| {
        let idle = config.inactivity.get();
        idle.is_some_and(|idle| life.get().is_some_and(|life| life <= idle))
    });
    let idle = ended_before.map(|(key, life)| {
        let inactivity = config.inactivity;
        format!("inactivity (`{inactivity}`), as {key} (`{life}`) ends every session before it")
    });
    idle.into_iter().collect()
}

fn cookies(config: &LoadSessionConfig, lookup: &KeyLookup) -> Vec<String> {
    let offers_to_remember = config.remember_me != DurationOrNone::NONE;
    if has_cookie(lookup) {
        let ends_early = offers_to_remember && config.cookie_session_only;
        let text = "rememberMe in browsers, as cookieSessionOnly ends the cookie with them";
        return ends_early.then(|| text.to_owned()).into_iter().collect();
    }
    let written = [
        (config.cookie_http_only, "cookieHTTPOnly"),
        (config.cookie_secure, "cookieSecure"),
        (config.cookie_same_site.0 != SameSite::Lax, "cookieSameSite"),
        (config.cookie_session_only, "cookieSessionOnly"),
        (!config.cookie_domain.is_empty(), "cookieDomain"),
        (config.cookie_path != usual().cookie_path, "cookiePath"),
        (config.cookie_partitioned, "cookiePartitioned"),
    ];
    let keys = written.into_iter().filter(|(is_written, _)| *is_written);
    keys.map(|(_, key)| format!("{key}, as keyLookup has no cookie"))
        .collect()
}

fn usual() -> LoadSessionConfig {
    LoadSessionConfig::default()
}
