//! Prefixes of cookie names that browsers hold a cookie to.

use std::fmt;

/// What a name like `__Host-session` promises. A browser keeps a cookie with such a name only if its attributes are
/// right, so whoever sees the name knows them: RFC 6265bis, section 5.4, and its successor for what has `Http` in it
/// (draft-ietf-httpbis-layered-cookies, sections 4.1.3 and 5.4.3).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Prefix {
    /// `__Host-`: secure, and of one host as a whole.
    Host,
    /// `__Host-Http-`: what `__Host-` and `__Http-` promise.
    HostHttp,
    /// `__Http-`: secure, and set by a server, not by a script.
    Http,
    /// `__Secure-`: over secure connections only.
    Secure,
}

impl Prefix {
    /// The prefix of a name, in whatever case it is written: browsers do not mind.
    pub fn of(name: &str) -> Option<Self> {
        let begins = |prefix: &Self| {
            let start = name.get(..prefix.as_str().len());
            start.is_some_and(|start| start.eq_ignore_ascii_case(prefix.as_str()))
        };
        // The longer one first: it begins like the shorter.
        let all = [Self::HostHttp, Self::Host, Self::Http, Self::Secure];
        all.into_iter().find(begins)
    }

    /// As it is usually written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Host => "__Host-",
            Self::HostHttp => "__Host-Http-",
            Self::Http => "__Http-",
            Self::Secure => "__Secure-",
        }
    }

    /// Whether it forbids a domain and any path but `/`.
    pub const fn is_of_one_host(self) -> bool {
        matches!(self, Self::Host | Self::HostHttp)
    }

    /// Whether it keeps scripts out.
    pub const fn is_http_only(self) -> bool {
        matches!(self, Self::Http | Self::HostHttp)
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_are_known_in_any_case_and_only_in_front() {
        let cases = [
            ("__Host-sid", Some(Prefix::Host)),
            ("__Host-", Some(Prefix::Host)),
            ("__hOST-sid", Some(Prefix::Host)),
            ("__Host-Http-sid", Some(Prefix::HostHttp)),
            ("__HOST-HTTP-sid", Some(Prefix::HostHttp)),
            ("__Host-Httpsid", Some(Prefix::Host)),
            ("__Http-sid", Some(Prefix::Http)),
            ("__http-sid", Some(Prefix::Http)),
            ("__Secure-sid", Some(Prefix::Secure)),
            ("__SeCuRe-sid", Some(Prefix::Secure)),
            ("__Http-Host-sid", Some(Prefix::Http)),
            ("__Hostsid", None),
            ("_Host-sid", None),
            ("Host-sid", None),
            ("x__Host-sid", None),
            ("__HttpOnly-sid", None),
            ("__", None),
            ("sid", None),
        ];
        for (name, expected) in cases {
            assert_eq!(Prefix::of(name), expected, "{name}");
        }
    }
}
