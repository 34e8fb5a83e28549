//! What must hold between keys, each of which is right by itself.

use std::time::Duration;

use abi::config::{DurationOrNone, Fault, Faults};

use super::cache::snapshot_name;
use super::cookies::{cookie_names, has_cookie};
use super::{CookieCacheConfig, LoadSessionConfig, Strategy};
use crate::KeyLookup;
use crate::cookie::{CookieName, MAX_AGE};

/// Everything that contradicts itself. Without a `lookup`, because it is wrong by itself, nothing is said about it.
pub(super) fn check(config: &LoadSessionConfig, lookup: Option<&KeyLookup>) -> Faults {
    [
        config.preset.map(|preset| preset.check(config, lookup)),
        lookup.is_some_and(has_cookie).then(|| cookie_lives(config)),
        Some(rotation(config)),
        Some(idle_clock(config)),
        Some(remembering(config)),
        Some(match config.strategy {
            Strategy::CookieCache => cookie_cache(config, lookup),
            Strategy::Storage => no_cookie_cache(config),
        }),
        Some(principals(config)),
    ]
    .into_iter()
    .flatten()
    .flatten()
    .collect()
}

/// A life that no browser keeps a cookie for would end early, in silence.
fn cookie_lives(config: &LoadSessionConfig) -> Faults {
    let lives = [
        ("cookieExpiration", config.cookie_expiration.into()),
        ("expiration", config.expiration),
        ("rememberMe", config.remember_me),
    ];
    let too_long = |(_, life): &(_, DurationOrNone)| life.get() > Some(MAX_AGE);
    if config.cookie_session_only {
        return Faults::default();
    }
    lives
        .into_iter()
        .filter(too_long)
        .map(|(key, life)| {
            let message = format!(
                "`{life}` is longer than browsers keep a cookie; at most 400d, or cookieSessionOnly: true"
            );
            Fault::new(key, message)
        })
        .collect()
}

/// Only of a grace that was written: the usual one does no harm where sessions are renewed every second.
fn rotation(config: &LoadSessionConfig) -> Faults {
    let mut faults = Faults::default();
    let Some(grace) = config.rotation_grace else {
        return faults;
    };
    if grace.get() > Some(LONGEST_GRACE) {
        let message = format!("`{grace}` is too long for an id that was replaced; at most 5m");
        faults.push("rotationGrace", message);
    }
    if !config.disable_auto_renew && grace.get() > Some(config.auto_renew_after.get()) {
        let message = format!(
            "`{grace}` is longer than autoRenewAfter (`{}`): two old ids would work at once; at most that",
            config.auto_renew_after
        );
        faults.push("rotationGrace", message);
    }
    faults
}

/// Of two uses within one touch interval only the first is known, and idle time is counted from that. Snapshots make
/// it no coarser: they are passed over when a use is to be written down.
fn idle_clock(config: &LoadSessionConfig) -> Faults {
    let touch = config.touch_interval.get().unwrap_or_default();
    if config
        .inactivity
        .get()
        .is_none_or(|inactivity| touch < inactivity)
    {
        return Faults::default();
    }
    let message = format!(
        "`{}` is not below inactivity (`{}`): who is active would count as idle",
        config.touch_interval, config.inactivity
    );
    Faults::at("touchInterval", message)
}

/// Who asks to be remembered is not to be forgotten sooner.
fn remembering(config: &LoadSessionConfig) -> Faults {
    let Some(remembered) = config.remember_me.get() else {
        return Faults::default();
    };
    let lives: [(_, DurationOrNone); 2] = [
        ("cookieExpiration", config.cookie_expiration.into()),
        ("expiration", config.expiration),
    ];
    let lives = lives.into_iter().filter(|(_, life)| life.get().is_some());
    let usual = lives.min_by_key(|(_, life)| life.get());
    let longer = usual.filter(|(_, life)| life.get() > Some(remembered));
    let fault = longer.map(|(key, life)| {
        let message = format!(
            "`{}` is shorter than {key} (`{life}`): who is remembered would be forgotten sooner; at least that, or 0",
            config.remember_me
        );
        Fault::new("rememberMe", message)
    });
    fault.into_iter().collect()
}

/// Only of what is not usual: a default may be written out.
fn no_cookie_cache(config: &LoadSessionConfig) -> Faults {
    match config.cookie_cache == CookieCacheConfig::default() {
        true => Faults::default(),
        false => Faults::at("cookieCache", "needs `strategy: cookieCache`"),
    }
}

fn cookie_cache(config: &LoadSessionConfig, lookup: Option<&KeyLookup>) -> Faults {
    let mut faults = Faults::default();
    if config.secrets.is_empty() {
        faults.push(
            "strategy",
            "`cookieCache` needs secrets, or anybody could write a snapshot",
        );
    }
    if !lookup.is_none_or(has_cookie) {
        faults.push(
            "strategy",
            "`cookieCache` needs a cookie in keyLookup, for browsers to bring the snapshot along",
        );
    }
    faults.extend(lookup.map(snapshots_in_the_way).unwrap_or_default());
    faults
}

fn snapshots_in_the_way(lookup: &KeyLookup) -> Faults {
    let is_taken = |name: &CookieName| cookie_names(lookup).any(|taken| taken == name);
    let clash = |name: &CookieName| {
        let snapshots = snapshot_name(name).filter(is_taken)?;
        let message = format!(
            "`cookie:{snapshots}` is where the snapshots of `cookie:{name}` are; expected another name"
        );
        Some(Fault::new("keyLookup", message))
    };
    cookie_names(lookup).filter_map(clash).collect()
}

fn principals(config: &LoadSessionConfig) -> Faults {
    let mut faults = Faults::default();
    let has_limit = config.max_sessions_per_principal > 0;
    if has_limit && config.principal.is_empty() {
        faults.push(
            "maxSessionsPerPrincipal",
            "needs principal, the attribute that names the user; or 0",
        );
    }
    if !has_limit && config.on_limit.is_some() {
        faults.push("onLimit", "needs a maxSessionsPerPrincipal above 0");
    }
    if config.max_bytes.bytes() == 0 {
        faults.push(
            "maxBytes",
            "`0` would refuse all data; expected a size such as `64KiB`",
        );
    }
    faults
}

// As long as a revoked row stays: nothing in flight is older than both.
const LONGEST_GRACE: Duration = Duration::from_secs(5 * 60);
