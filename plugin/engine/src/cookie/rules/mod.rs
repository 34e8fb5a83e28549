//! The attributes of a session cookie, and whether browsers accept them together.

use std::time::Duration;

use super::domain::CookieDomain;
use super::name::CookieName;
use super::path::CookiePath;
use super::prefix::Prefix;
use crate::session::SessionId;

/// The longest life that browsers give a cookie, 400 days; a longer one is cut (RFC 6265bis, section 5.5).
pub const MAX_AGE: Duration = Duration::from_secs(400 * 24 * 60 * 60);

/// The most bytes that name and value have together; browsers drop a larger cookie (RFC 6265bis, section 5.6).
pub const MAX_PAIR: usize = 4096;

/// When a browser sends the cookie along with requests that another site caused.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum SameSite {
    /// Only when the user follows a link.
    #[default]
    Lax,
    /// Always. Browsers accept this with `Secure` only.
    None,
    /// Never.
    Strict,
}

/// How the session cookie is set. The cookie that clears it repeats the same attributes, or the browser keeps it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CookieRules {
    /// Its name.
    pub name: CookieName,
    /// Whether scripts are kept from reading it.
    pub http_only: bool,
    /// Whether it stays off plain HTTP.
    pub secure: bool,
    /// Whether other sites make the browser send it.
    pub same_site: SameSite,
    /// Whether it ends with the browser instead of with the session.
    pub session_only: bool,
    /// The domain whose hosts share it; none for the host that set it alone.
    pub domain: Option<CookieDomain>,
    /// The path below which it is sent.
    pub path: CookiePath,
    /// Whether a page that embeds this site has a cookie of its own for it, apart from all others (CHIPS). Of use with
    /// [`SameSite::None`] only: browsers send no other cookie to what a foreign page embeds.
    pub partitioned: bool,
}

impl CookieRules {
    /// Checks the attributes against each other and against the name.
    ///
    /// # Errors
    /// Every reason for which browsers would drop the cookie, without a word to anybody.
    pub fn check(&self) -> Result<(), Vec<CookieRulesError>> {
        use CookieRulesError as Error;

        let rules = [
            (self.same_site == SameSite::None && !self.secure).then_some(Error::NoneNeedsSecure),
            (self.partitioned && !self.secure).then_some(Error::PartitionedNeedsSecure),
            (self.pair_len() > MAX_PAIR).then(|| Error::NameTooLong(self.name.as_str().len())),
        ];
        let prefix = Prefix::of(self.name.as_str());
        let promises = prefix.into_iter().flat_map(|prefix| self.broken(prefix));
        let errors: Vec<_> = rules.into_iter().flatten().chain(promises).collect();
        match errors.is_empty() {
            true => Ok(()),
            false => Err(errors),
        }
    }

    /// What the name promises and the attributes do not keep.
    fn broken(&self, prefix: Prefix) -> impl Iterator<Item = CookieRulesError> {
        use CookieRulesError as Error;

        let is_bound = prefix.is_of_one_host();
        let promises = [
            (!self.secure).then_some(Error::PrefixNeedsSecure(prefix)),
            (prefix.is_http_only() && !self.http_only)
                .then_some(Error::PrefixNeedsHttpOnly(prefix)),
            (is_bound && !self.path.is_root()).then_some(Error::PrefixNeedsRoot(prefix)),
            (is_bound && self.domain.is_some()).then_some(Error::PrefixForbidsDomain(prefix)),
        ];
        promises.into_iter().flatten()
    }

    fn pair_len(&self) -> usize {
        self.name.as_str().len() + SessionId::ENCODED_LEN
    }
}

/// Attributes that contradict each other, or the name.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum CookieRulesError {
    /// More than [`MAX_PAIR`] together with a session id.
    #[error("a cookie's name of {0} bytes is too long; {MAX_NAME} are allowed")]
    NameTooLong(usize),
    /// RFC 6265bis, section 5.7.
    #[error("SameSite=None needs a secure cookie, or browsers drop it")]
    NoneNeedsSecure,
    /// CHIPS: draft-cutler-httpbis-partitioned-cookies.
    #[error("a partitioned cookie has to be secure, or browsers drop it")]
    PartitionedNeedsSecure,
    /// It belongs to one host.
    #[error("a cookie named {0}… must not have a domain, or browsers drop it")]
    PrefixForbidsDomain(Prefix),
    /// Only a server sets it.
    #[error("a cookie named {0}… has to be HttpOnly, or browsers drop it")]
    PrefixNeedsHttpOnly(Prefix),
    /// It belongs to a host as a whole.
    #[error("a cookie named {0}… needs the path /, or browsers drop it")]
    PrefixNeedsRoot(Prefix),
    /// All prefixes ask for it.
    #[error("a cookie named {0}… has to be secure, or browsers drop it")]
    PrefixNeedsSecure(Prefix),
}

/// An attribute, for whoever knows what it is called where the rules were written down.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum CookieAttribute {
    /// Its hosts.
    Domain,
    /// Out of reach of scripts.
    HttpOnly,
    /// Not an attribute, but part of the rules.
    Name,
    /// Apart for each embedding site.
    Partitioned,
    /// Its paths.
    Path,
    /// With requests from other sites.
    SameSite,
    /// Over secure connections only.
    Secure,
}

impl CookieRulesError {
    /// The attribute that is to blame: the one that goes too far, or the one without which the name is a lie.
    pub const fn attribute(&self) -> CookieAttribute {
        match self {
            Self::NameTooLong(_) => CookieAttribute::Name,
            Self::NoneNeedsSecure => CookieAttribute::SameSite,
            Self::PartitionedNeedsSecure => CookieAttribute::Partitioned,
            Self::PrefixForbidsDomain(_) => CookieAttribute::Domain,
            Self::PrefixNeedsHttpOnly(_) => CookieAttribute::HttpOnly,
            Self::PrefixNeedsRoot(_) => CookieAttribute::Path,
            Self::PrefixNeedsSecure(_) => CookieAttribute::Secure,
        }
    }
}

const MAX_NAME: usize = MAX_PAIR - SessionId::ENCODED_LEN;

#[cfg(test)]
mod tests;
