//! `Set-Cookie`: give the browser an id, or take it away.

use std::time::Duration;

use cookie::time::{Duration as CookieDuration, OffsetDateTime};
use cookie::{Cookie, CookieBuilder};

use super::domain::CookieDomain;
use super::rules::{CookieRules, MAX_AGE, SameSite};
use crate::session::{SessionId, Timestamp};

impl CookieRules {
    /// The header value that gives the browser `id` for as long as the session has left, at most [`MAX_AGE`].
    ///
    /// `Max-Age` and `Expires` both: the first is immune to a wrong clock in the browser, the second is all that
    /// old clients know.
    pub fn issue(&self, id: &SessionId, remaining: Duration, now: Timestamp) -> String {
        self.issue_text(id.encode(), remaining, now)
    }

    /// The same with a value of another kind, which is sent as it is: it has to fit the grammar of cookies.
    pub fn issue_text(&self, text: String, remaining: Duration, now: Timestamp) -> String {
        let cookie = self.with_value(text, self.domain.as_ref());
        if self.session_only {
            return cookie.build().to_string();
        }
        let age = remaining.min(MAX_AGE);
        cookie
            .max_age(CookieDuration::seconds(whole_seconds(age)))
            .expires(date(now.after(age)))
            .build()
            .to_string()
    }

    /// The header values that make the browser forget the cookie, to be sent together.
    ///
    /// For a cookie of a domain there are two: the second is for the cookie of the same name that belongs to this host
    /// alone, which the browser keeps apart. It is left over from before a domain was configured, or planted by a
    /// script, and would go on being sent. RFC 6265bis, section 4.1.1 wants each name once in a response, lest the order
    /// matters; these two leave the same behind in either.
    pub fn clear(&self) -> impl Iterator<Item = String> {
        [self.expired(self.domain.as_ref())]
            .into_iter()
            .chain(self.clear_twin())
    }

    /// The header value that makes the browser forget the twin, for a cookie of a domain. To be sent before the one that
    /// [issues](Self::issue) the cookie, for clients that do not tell the two apart.
    pub fn clear_twin(&self) -> Option<String> {
        self.domain.as_ref().map(|_| self.expired(None))
    }

    fn expired(&self, domain: Option<&CookieDomain>) -> String {
        self.with_value(String::new(), domain)
            .max_age(CookieDuration::ZERO)
            .expires(OffsetDateTime::UNIX_EPOCH)
            .build()
            .to_string()
    }

    fn with_value<'a>(
        &'a self,
        value: String,
        domain: Option<&'a CookieDomain>,
    ) -> CookieBuilder<'a> {
        let cookie = Cookie::build((self.name.as_str(), value))
            .path(self.path.as_str())
            .http_only(self.http_only)
            .secure(self.secure)
            .same_site(self.same_site.into())
            .partitioned(self.partitioned);
        match domain {
            Some(domain) => cookie.domain(domain.as_str()),
            None => cookie,
        }
    }
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
    use crate::cookie::{CookieName, CookiePath};

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
            path: CookiePath::parse("/app").unwrap(),
            partitioned: true,
            ..rules()
        };

        assert_eq!(
            cleared(&rules),
            [format!(
                "sid=; HttpOnly; SameSite=None; Partitioned; Secure; Path=/app; {GONE}"
            )]
        );
    }

    #[test]
    fn cookie_of_a_domain_is_cleared_together_with_its_twin_of_the_host() {
        let rules = CookieRules {
            domain: Some(CookieDomain::parse("example.com").unwrap()),
            ..rules()
        };

        assert_eq!(
            cleared(&rules),
            [
                format!("sid=; SameSite=Lax; Path=/; Domain=example.com; {GONE}"),
                format!("sid=; SameSite=Lax; Path=/; {GONE}"),
            ]
        );
    }

    #[test]
    fn an_issued_cookie_has_the_attributes_of_the_one_that_clears_it() {
        let domain = CookieDomain::parse("example.com").unwrap();
        for domain in [None, Some(domain)] {
            for bits in 0..32 {
                let is = |bit: u8| bits & (1 << bit) != 0;
                let rules = CookieRules {
                    http_only: is(0),
                    secure: is(1),
                    same_site: [SameSite::Lax, SameSite::Strict][usize::from(is(2))],
                    path: CookiePath::parse(["/", "/app"][usize::from(is(3))]).unwrap(),
                    partitioned: is(4) && is(1),
                    domain: domain.clone(),
                    ..rules()
                };
                let issued = rules.issue(&id(), Duration::from_secs(1), NOW);
                let cleared = rules.clear().next().unwrap();

                assert_eq!(attributes(&issued), attributes(&cleared));
            }
        }
    }

    #[test]
    fn no_cookie_is_promised_more_than_browsers_keep() {
        let over = MAX_AGE + Duration::from_secs(1);
        for life in [MAX_AGE, over, Duration::MAX] {
            let cookie = rules().issue(&id(), life, NOW);

            assert!(
                cookie.ends_with("; Max-Age=34560000; Expires=Wed, 18 Dec 2024 20:13:20 GMT"),
                "{cookie}"
            );
        }
    }

    #[test]
    fn a_clock_near_the_end_of_time_still_makes_a_date() {
        let cookie = rules().issue(&id(), MAX_AGE, Timestamp::from_millis(u64::MAX));

        assert!(
            cookie.ends_with("Expires=Fri, 31 Dec 9999 23:59:59 GMT"),
            "{cookie}"
        );
    }

    fn cleared(rules: &CookieRules) -> Vec<String> {
        rules.clear().collect()
    }

    /// What a browser compares or keeps, without the value and the dates.
    fn attributes(cookie: &str) -> Vec<&str> {
        let is_date = |text: &&str| text.starts_with("Max-Age") || text.starts_with("Expires");
        cookie
            .split("; ")
            .skip(1)
            .filter(|text| !is_date(text))
            .collect()
    }

    const GONE: &str = "Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT";

    fn rules() -> CookieRules {
        CookieRules {
            name: CookieName::parse("sid").unwrap(),
            http_only: false,
            secure: false,
            same_site: SameSite::Lax,
            session_only: false,
            domain: None,
            path: CookiePath::default(),
            partitioned: false,
        }
    }

    fn id() -> SessionId {
        SessionId::parse("A".repeat(43).as_bytes()).unwrap()
    }

    const NOW: Timestamp = Timestamp::from_millis(1_699_992_800_000);
}
