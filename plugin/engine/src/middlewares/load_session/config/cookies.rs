//! How the cookies are set.

use abi::config::{Fault, Faults};

use super::LoadSessionConfig;
use super::settings::{noted, quoted};
use crate::cookie::{
    CookieAttribute, CookieDomain, CookieName, CookiePath, CookieRules, CookieRulesError,
};
use crate::{KeyLookup, Source};

/// The hosts and the paths that cookies are sent to.
type Scope = (Option<CookieDomain>, CookiePath);

impl LoadSessionConfig {
    /// The rules for each cookie that is looked for.
    pub(super) fn cookies(
        &self,
        lookup: Option<&KeyLookup>,
        faults: &mut Faults,
    ) -> Box<[CookieRules]> {
        let scope = self.scope(faults);
        let names = lookup.into_iter().flat_map(cookie_names);
        let cookies: Box<[_]> = names.map(|name| self.cookie(name, &scope)).collect();
        faults.extend(contradictions(&cookies));
        cookies
    }

    /// The widest that is possible in place of what is wrong.
    fn scope(&self, faults: &mut Faults) -> Scope {
        let text = self.cookie_domain.as_str();
        let domain = (!text.is_empty()).then(|| CookieDomain::parse(text));
        let domain = domain.map(|domain| domain.map_err(|error| quoted(text, &error)));
        let domain = domain.and_then(|domain| noted(domain, "cookieDomain", faults));
        let path = CookiePath::parse(&self.cookie_path);
        let path = path.map_err(|error| quoted(&self.cookie_path, &error));
        (
            domain,
            noted(path, "cookiePath", faults).unwrap_or_default(),
        )
    }

    fn cookie(&self, name: &CookieName, (domain, path): &Scope) -> CookieRules {
        CookieRules {
            name: name.clone(),
            http_only: self.cookie_http_only,
            secure: self.cookie_secure,
            same_site: self.cookie_same_site.0,
            session_only: self.cookie_session_only,
            domain: domain.clone(),
            path: path.clone(),
            partitioned: self.cookie_partitioned,
        }
    }
}

/// Whether any of the places is a cookie.
pub(super) fn has_cookie(lookup: &KeyLookup) -> bool {
    cookie_names(lookup).next().is_some()
}

/// The places that are cookies.
pub(super) fn cookie_names(lookup: &KeyLookup) -> impl Iterator<Item = &CookieName> {
    lookup.sources().iter().filter_map(|source| match source {
        Source::Cookie(name) => Some(name),
        Source::Header(_) | Source::Query(_) => None,
    })
}

/// What browsers would drop the cookies for; what is wrong with several is said once.
fn contradictions(cookies: &[CookieRules]) -> Vec<Fault> {
    let mut faults = Vec::new();
    let errors = cookies.iter().filter_map(|cookie| cookie.check().err());
    for error in errors.flatten() {
        let fault = Fault::new(key_of(&error), error.to_string());
        if !faults.contains(&fault) {
            faults.push(fault);
        }
    }
    faults
}

/// Where to write what would make the cookie acceptable.
const fn key_of(error: &CookieRulesError) -> &'static str {
    match error.attribute() {
        CookieAttribute::Domain => "cookieDomain",
        CookieAttribute::HttpOnly => "cookieHTTPOnly",
        CookieAttribute::Name => "keyLookup",
        CookieAttribute::Partitioned => "cookiePartitioned",
        CookieAttribute::Path => "cookiePath",
        CookieAttribute::SameSite => "cookieSameSite",
        CookieAttribute::Secure => "cookieSecure",
    }
}
