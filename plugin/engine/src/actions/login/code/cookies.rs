//! The cookies of attempts: short-lived, few, and sent to nobody but the login.

use abi::{Exchange, Failure, HeaderName, Services, ServicesError, Side};
use cookie::time::Duration as CookieDuration;
use cookie::{Cookie, SameSite};

use super::attempt::Attempt;
use crate::session::{Errands, Timestamp};

/// Keeps attempts with the browsers that began them.
pub(super) struct AttemptCookies {
    errands: Errands,
    cookie: HeaderName,
    set_cookie: HeaderName,
}

impl AttemptCookies {
    pub(super) fn new(errands: Errands, services: &Services) -> Result<Self, ServicesError> {
        Ok(Self {
            errands,
            cookie: services.header("cookie")?,
            set_cookie: services.header("set-cookie")?,
        })
    }

    /// Gives the browser an attempt to keep. Of those it has already, the oldest go when there are too many.
    ///
    /// # Errors
    /// When the operating system has no random bytes.
    pub(super) fn keep(
        &self,
        exchange: &mut Exchange<'_>,
        path: &str,
        attempt: &Attempt,
    ) -> Result<(), Failure> {
        for name in self.superfluous(exchange, attempt.began) {
            self.forget_named(exchange, path, &name)?;
        }
        let name = name(exchange, &attempt.state);
        let text =
            serde_json::to_vec(attempt).map_err(|error| Failure::internal(error.to_string()))?;
        let sealed = self.errands.close(&name, &text);
        let sealed = sealed.map_err(|error| Failure::internal(error.to_string()))?;
        let cookie = shape(exchange, path, &name, sealed, CookieDuration::seconds(LIFE));
        self.set(exchange, &cookie)
    }

    /// The attempt that a browser began with this state, if it is not too old.
    pub(super) fn find(
        &self,
        exchange: &Exchange<'_>,
        state: &str,
        now: Timestamp,
    ) -> Option<Attempt> {
        let name = name(exchange, state);
        let all = self.all(exchange);
        let mut same = all.iter().filter(|(known, _)| *known == name);
        let (_, text) = same.next()?;
        let attempt = self.read(&name, text, now)?;
        // The name has a part of it only.
        (attempt.state == state).then_some(attempt)
    }

    /// Lets the browser forget an attempt: each is good for one answer.
    pub(super) fn forget(
        &self,
        exchange: &mut Exchange<'_>,
        path: &str,
        state: &str,
    ) -> Result<(), Failure> {
        let name = name(exchange, state);
        self.forget_named(exchange, path, &name)
    }

    fn forget_named(
        &self,
        exchange: &mut Exchange<'_>,
        path: &str,
        name: &str,
    ) -> Result<(), Failure> {
        let cookie = shape(exchange, path, name, String::new(), CookieDuration::ZERO);
        self.set(exchange, &cookie)
    }

    /// Attempts that nobody can end any more, and the oldest of too many.
    fn superfluous(&self, exchange: &Exchange<'_>, now: Timestamp) -> Vec<String> {
        let mut ages: Vec<_> = self
            .all(exchange)
            .into_iter()
            .map(|(name, text)| {
                let attempt = self.read(&name, &text, now);
                (attempt.map(|attempt| attempt.began), name)
            })
            .collect();
        ages.sort();
        let dead = ages.iter().filter(|(began, _)| began.is_none()).count();
        let superfluous = (ages.len() + 1).saturating_sub(MOST).max(dead);
        let gone = ages.into_iter().take(superfluous);
        gone.map(|(_, name)| name).collect()
    }

    fn read(&self, name: &str, text: &str, now: Timestamp) -> Option<Attempt> {
        let opened = self.errands.open(name, text)?;
        let attempt: Attempt = serde_json::from_slice(&opened).ok()?;
        let life = std::time::Duration::from_secs(LIFE.unsigned_abs());
        (now.since(attempt.began) < life).then_some(attempt)
    }

    /// The names and values of all cookies that could be ours.
    fn all(&self, exchange: &Exchange<'_>) -> Vec<(String, String)> {
        let headers = exchange.headers(Side::Request, self.cookie);
        let texts = headers.filter_map(|header| std::str::from_utf8(header).ok());
        let pairs = texts.flat_map(|text| text.split(';'));
        pairs
            .filter_map(|pair| pair.trim_matches(' ').split_once('='))
            .filter(|(name, _)| name.starts_with(PREFIX) || name.starts_with(SECURE_PREFIX))
            .take(MOST_READ)
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    }

    fn set(&self, exchange: &mut Exchange<'_>, cookie: &str) -> Result<(), Failure> {
        let set = exchange.append_header(Side::Response, self.set_cookie, cookie);
        set.map_err(|error| Failure::internal(format!("the cookie of an attempt: {error}")))
    }
}

/// Beginning with what browsers let nobody plant without TLS, where there is TLS.
fn name(exchange: &Exchange<'_>, state: &str) -> String {
    let prefix = match exchange.scheme() {
        "https" => SECURE_PREFIX,
        _ => PREFIX,
    };
    // As much of it as tells attempts apart: the rest is a secret between us and the provider.
    let part = state.get(..NAME_LENGTH).unwrap_or_default();
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_');
    match part.chars().all(is_plain) {
        true => format!("{prefix}{part}"),
        false => prefix.to_owned(),
    }
}

fn shape(
    exchange: &Exchange<'_>,
    path: &str,
    name: &str,
    value: String,
    life: CookieDuration,
) -> String {
    // A path that cannot stand in a cookie is no reason to do without one.
    let path = if path.contains(';') { "/" } else { path };
    Cookie::build((name.to_owned(), value))
        .path(path.to_owned())
        .http_only(true)
        .secure(exchange.scheme() == "https")
        // Not `Strict`: the browser comes back from the provider's site.
        .same_site(SameSite::Lax)
        .max_age(life)
        .build()
        .to_string()
}

/// In seconds: people look for their second factor.
const LIFE: i64 = 600;
/// Beyond that, headers would become too long for other servers.
const MOST: usize = 8;
const MOST_READ: usize = 64;
const NAME_LENGTH: usize = 11;
const PREFIX: &str = "login-";
const SECURE_PREFIX: &str = "__Secure-login-";
