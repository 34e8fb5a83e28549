//! A configuration as it is meant: parsed, complete, and free of contradictions.

use std::fmt;

use abi::config::Faults;

use super::cache::SnapshotCookie;
use super::path_globs::PathGlobs;
use super::terms::Terms;
use super::{LoadSessionConfig, OnStorageFailure, ineffective, rules, weakness};
use crate::cookie::{CookieName, CookieRules, SameSite};
use crate::session::Secrets;
use crate::{KeyLookup, Policy};

/// What the middleware works by.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// Where session ids are.
    pub(crate) lookup: KeyLookup,
    /// The rules for the sessions.
    pub(crate) policy: Policy,
    /// Whether session ids reach the upstream.
    pub(crate) forwards_key: bool,
    /// The paths that are always answered from the storage.
    pub(crate) sensitive_paths: PathGlobs,
    /// What becomes of requests in an outage.
    pub(crate) on_storage_failure: OnStorageFailure,
    /// What is weak, and what has no effect, in one line each.
    pub(crate) warnings: Box<[String]>,
    /// What sessions are promised.
    pub(crate) terms: Terms,
    /// One for each cookie that is looked for.
    cookies: Box<[CookieRules]>,
    /// One for each of them, or none at all.
    snapshots: Box<[SnapshotCookie]>,
}

impl Settings {
    /// How the cookie of this name is set.
    pub(crate) fn cookie(&self, name: &CookieName) -> Option<&CookieRules> {
        self.cookies.iter().find(|cookie| cookie.name == *name)
    }

    /// Whether browsers bring the session only from pages of its own site.
    pub(crate) fn is_strict(&self) -> bool {
        let mut cookies = self.cookies.iter();
        cookies.any(|cookie| cookie.same_site == SameSite::Strict)
    }

    /// The snapshots that belong to the cookie of this name, with `strategy: cookieCache`.
    pub(crate) fn snapshot(&self, name: &CookieName) -> Option<&SnapshotCookie> {
        let mut pairs = self.cookies.iter().zip(&self.snapshots);
        pairs.find_map(|(cookie, snapshot)| (cookie.name == *name).then_some(snapshot))
    }
}

impl LoadSessionConfig {
    /// Parses what is text and holds each key against the others.
    ///
    /// # Errors
    /// Everything that is wrong.
    pub(crate) fn settle(&self) -> Result<Settings, Faults> {
        let mut faults = Faults::default();
        let lookup = noted(self.key_lookup.parse(), "keyLookup", &mut faults);
        let cookies = self.cookies(lookup.as_ref(), &mut faults);
        let secrets = Secrets::parse(&self.secrets).map_err(|found| found.under("secrets"));
        let secrets = faults.absorb(secrets).flatten();
        let sensitive_paths = self.globs(&mut faults);
        faults.extend(rules::check(self, lookup.as_ref()));
        match lookup {
            Some(lookup) if faults.is_empty() => Ok(Settings {
                warnings: self.warnings(&lookup),
                terms: self.terms(),
                lookup,
                snapshots: self.snapshots(&cookies, secrets.as_ref()),
                policy: self.policy(secrets),
                forwards_key: self.forward_session_key,
                sensitive_paths,
                on_storage_failure: self.on_storage_failure,
                cookies,
            }),
            _ => Err(faults),
        }
    }

    fn warnings(&self, lookup: &KeyLookup) -> Box<[String]> {
        let lines = [weakness::warning, ineffective::warning];
        let lines = lines
            .into_iter()
            .filter_map(|warning| warning(self, lookup));
        lines.collect()
    }

    fn globs(&self, faults: &mut Faults) -> PathGlobs {
        let texts = self.sensitive_paths.iter().enumerate();
        texts
            .filter_map(|(index, text)| {
                let glob = text.parse().map_err(|error| quoted(text, &error));
                noted(glob, &format!("sensitivePaths[{index}]"), faults)
            })
            .collect()
    }
}

/// The value; else none, and a fault.
pub(super) fn noted<T>(
    parsed: Result<T, impl fmt::Display>,
    key: &str,
    faults: &mut Faults,
) -> Option<T> {
    parsed
        .map_err(|error| faults.push(key, error.to_string()))
        .ok()
}

/// What is wrong, behind what it is about.
pub(super) fn quoted(text: &str, error: &dyn fmt::Display) -> String {
    format!("`{text}`: {error}")
}
