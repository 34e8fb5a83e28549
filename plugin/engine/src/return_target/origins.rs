//! `allowedReturnOrigins`: other sites that visitors may be sent back to.

use std::str::FromStr;

use crate::cookie::CookieDomain;
use crate::origin::Origin;

/// Origins of which one has to match.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ReturnOrigins(Box<[ReturnOrigin]>);

/// One origin, or all hosts below a domain with the same scheme and port: `https://*.example.com`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ReturnOrigin {
    /// The origin itself, or the domain that hosts must lie below.
    origin: Origin,
    is_domain: bool,
}

/// Why a text is no origin to return to.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ReturnOriginError {
    /// Not scheme, host and port.
    #[error(
        "`{0}` is no origin; expected `https://app.example.com`, or `https://*.example.com` for all hosts below a domain, without a path"
    )]
    Form(String),
    /// Everybody can have a host below it.
    #[error("`{0}` would allow hosts of strangers; a domain of one's own is allowed")]
    TooWide(String),
}

impl ReturnOrigins {
    /// Whether visitors may be sent to an origin.
    pub fn allows(&self, origin: &Origin) -> bool {
        self.0.iter().any(|allowed| allowed.matches(origin))
    }
}

impl FromIterator<ReturnOrigin> for ReturnOrigins {
    fn from_iter<I: IntoIterator<Item = ReturnOrigin>>(origins: I) -> Self {
        Self(origins.into_iter().collect())
    }
}

impl ReturnOrigin {
    fn matches(&self, origin: &Origin) -> bool {
        if !self.is_domain {
            return self.origin == *origin;
        }
        let above = origin.host().strip_suffix(self.origin.host());
        self.origin.scheme() == origin.scheme()
            && self.origin.port() == origin.port()
            && above.is_some_and(|above| above.ends_with('.'))
    }
}

impl FromStr for ReturnOrigin {
    type Err = ReturnOriginError;

    fn from_str(text: &str) -> Result<Self, ReturnOriginError> {
        let whole = text.strip_suffix('/').unwrap_or(text);
        let written = whole.replacen("://*.", "://", 1);
        let is_domain = written.len() < whole.len();
        let origin =
            Origin::parse(&written).ok_or_else(|| ReturnOriginError::Form(text.to_owned()))?;
        // The rules for the domain of a cookie are the rules for whom one shares things with.
        if is_domain && CookieDomain::parse(origin.host()).is_err() {
            return Err(ReturnOriginError::TooWide(text.to_owned()));
        }
        Ok(Self { origin, is_domain })
    }
}
