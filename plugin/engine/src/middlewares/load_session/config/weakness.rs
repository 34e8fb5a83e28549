//! What an operator should know before going into production.

use super::cookies::has_cookie;
use super::{LoadSessionConfig, SnapshotEncoding, Strategy};
use crate::cookie::SameSite;
use crate::{KeyLookup, Source};

/// One line that names all that is weak, what comes of it, and what to do about it. None when nothing is.
pub(super) fn warning(config: &LoadSessionConfig, lookup: &KeyLookup) -> Option<String> {
    let weak: Vec<&str> = cookie_weaknesses(config, lookup)
        .into_iter()
        .chain(other_weaknesses(config, lookup))
        .filter_map(|(is_weak, text)| is_weak.then_some(text))
        .collect();
    if weak.is_empty() {
        return None;
    }
    let advice = match config.preset {
        Some(_) => "",
        None => "; `preset: hardened` is a safe start",
    };
    Some(format!("weak configuration: {}{advice}", weak.join("; ")))
}

type Weakness = (bool, &'static str);

fn cookie_weaknesses(config: &LoadSessionConfig, lookup: &KeyLookup) -> [Weakness; 4] {
    let weaknesses = [
        (
            !config.cookie_http_only,
            "cookieHTTPOnly is false, so scripts can read the cookie: set it",
        ),
        (
            !config.cookie_secure,
            "cookieSecure is false, so the cookie travels over plain HTTP: set it",
        ),
        (
            config.cookie_same_site.0 == SameSite::None,
            "cookieSameSite is None, so other sites can send requests in the user's name: use Lax",
        ),
        (
            !config.cookie_domain.is_empty(),
            "cookieDomain is set, so every host below it gets the cookie and can plant one: leave it out",
        ),
    ];
    weaknesses.map(|(is_weak, text)| (is_weak && has_cookie(lookup), text))
}

fn other_weaknesses(config: &LoadSessionConfig, lookup: &KeyLookup) -> [Weakness; 6] {
    let is_query = |source: &Source| matches!(source, Source::Query(_));
    let is_endless = config.expiration.get().is_none()
        && config.sliding_expiration
        && !config.disable_auto_renew;
    let is_readable = config.strategy == Strategy::CookieCache
        && config.cookie_cache.encoding == SnapshotEncoding::Jwt;
    let is_never_renewed = !config.disable_auto_renew
        && config.cookie_expiration <= config.auto_renew_after
        && config.remember_me.get() <= Some(config.auto_renew_after.get());
    [
        (
            config.storage.is_none(),
            "storage is not set, so sessions are in memory and end with this gateway: name one",
        ),
        (
            config.secrets.is_empty(),
            "secrets is empty, so stored data is not sealed: give one of at least 32 bytes",
        ),
        (
            is_endless,
            "expiration is 0, so a session in use never ends: set it",
        ),
        (
            is_never_renewed,
            "autoRenewAfter is not below cookieExpiration, so no session is ever renewed: lower it",
        ),
        (
            lookup.sources().iter().any(is_query),
            "keyLookup has a query, so ids are in histories and logs: use a cookie",
        ),
        (
            is_readable,
            "cookieCache.encoding is jwt, so whoever has the browser can read the session: use compact",
        ),
    ]
}
