//! `Set-Cookie`: give the browser an id, or take it away.

use std::time::Duration;

use cookie::time::{Duration as CookieDuration, OffsetDateTime};
use cookie::{Cookie, CookieBuilder};

use super::name::CookieName;
use crate::session::{SessionId, Timestamp};

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
}

impl CookieRules {
    /// Checks the attributes against each other.
    ///
    /// # Errors
    /// When browsers would silently drop the cookie.
    pub fn check(&self) -> Result<(), CookieRulesError> {
        if self.same_site == SameSite::None && !self.secure {
            return Err(CookieRulesError::NoneNeedsSecure);
        }
        Ok(())
    }

    /// The header value that gives the browser `id` for as long as the session has left.
    ///
    /// `Max-Age` and `Expires` both: the first is immune to a wrong clock in the browser, the second is all that
    /// old clients know.
    pub fn issue(&self, id: &SessionId, remaining: Duration, now: Timestamp) -> String {
        let cookie = self.with_value(id.encode());
        if self.session_only {
            return cookie.build().to_string();
        }
        cookie
            .max_age(CookieDuration::seconds(whole_seconds(remaining)))
            .expires(date(now.after(remaining)))
            .build()
            .to_string()
    }

    /// The header value that makes the browser forget the cookie.
    pub fn clear(&self) -> String {
        self.with_value(String::new())
            .max_age(CookieDuration::ZERO)
            .expires(OffsetDateTime::UNIX_EPOCH)
            .build()
            .to_string()
    }

    fn with_value(&self, value: String) -> CookieBuilder<'_> {
        Cookie::build((self.name.as_str(), value))
            .path("/")
            .http_only(self.http_only)
            .secure(self.secure)
            .same_site(self.same_site.into())
    }
}

/// Attributes that contradict each other.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum CookieRulesError {
    /// RFC 6265bis, section 5.7: browsers ignore such a cookie.
    #[error("SameSite=None needs a secure cookie, or browsers drop it")]
    NoneNeedsSecure,
}

impl From<SameSite> for cookie::SameSite {
    fn from(same_site: SameSite) -> Self {
        match same_site {
            SameSite::Lax => Self::Lax,
            SameSite::None => Self::None,
            SameSite::Strict => Self::Strict,
        }
    }
}

/// Rounded up: a cookie that is gone before its session would log somebody out, and one of 0 seconds never is.
fn whole_seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos().div_ceil(1_000_000_000)).unwrap_or(i64::MAX)
}

/// Years beyond 9999 have no HTTP date; the last one that has does as well.
fn date(at: Timestamp) -> OffsetDateTime {
    let seconds = i64::try_from(at.as_millis().div_ceil(1000)).unwrap_or(i64::MAX);
    OffsetDateTime::from_unix_timestamp(seconds.min(END_OF_9999))
        .unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

const END_OF_9999: i64 = 253_402_300_799;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_never_gone_before_its_session() {
        let issued = |millis| rules().issue(&id(), Duration::from_millis(millis), NOW);

        assert!(issued(300).contains("; Max-Age=1; "), "{}", issued(300));
        assert!(
            issued(59_001).contains("; Max-Age=60; "),
            "{}",
            issued(59_001)
        );
    }

    #[test]
    fn an_issued_cookie_lives_as_long_as_the_session() {
        assert_eq!(
            rules().issue(&id(), Duration::from_secs(7200), NOW),
            format!(
                "sid={}; SameSite=Lax; Path=/; Max-Age=7200; Expires=Tue, 14 Nov 2023 22:13:20 GMT",
                id().encode()
            )
        );
    }

    #[test]
    fn a_session_only_cookie_has_no_date() {
        let rules = CookieRules {
            session_only: true,
            ..rules()
        };

        let cookie = rules.issue(&id(), Duration::from_secs(7200), NOW);

        assert_eq!(
            cookie,
            format!("sid={}; SameSite=Lax; Path=/", id().encode())
        );
    }

    #[test]
    fn the_flags_appear_when_they_are_set() {
        let rules = CookieRules {
            http_only: true,
            secure: true,
            same_site: SameSite::Strict,
            ..rules()
        };

        let cookie = rules.issue(&id(), Duration::from_secs(1), NOW);

        assert!(
            cookie.contains("; HttpOnly; SameSite=Strict; Secure; Path=/;"),
            "{cookie}"
        );
    }

    #[test]
    fn clearing_repeats_the_attributes() {
        let rules = CookieRules {
            http_only: true,
            secure: true,
            same_site: SameSite::None,
            ..rules()
        };

        assert_eq!(
            rules.clear(),
            "sid=; HttpOnly; SameSite=None; Secure; Path=/; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT"
        );
    }

    #[test]
    fn same_site_none_needs_secure() {
        let open = CookieRules {
            same_site: SameSite::None,
            ..rules()
        };

        assert_eq!(open.check(), Err(CookieRulesError::NoneNeedsSecure));
        assert_eq!(
            CookieRules {
                secure: true,
                ..open
            }
            .check(),
            Ok(())
        );
    }

    #[test]
    fn a_life_without_end_still_has_a_date() {
        let cookie = rules().issue(&id(), Duration::MAX, NOW);

        assert!(
            cookie.contains("Expires=Fri, 31 Dec 9999 23:59:59 GMT"),
            "{cookie}"
        );
    }

    fn rules() -> CookieRules {
        CookieRules {
            name: CookieName::parse("sid").unwrap(),
            http_only: false,
            secure: false,
            same_site: SameSite::Lax,
            session_only: false,
        }
    }

    fn id() -> SessionId {
        SessionId::parse("A".repeat(43).as_bytes()).unwrap()
    }

    const NOW: Timestamp = Timestamp::from_millis(1_699_992_800_000);
}
