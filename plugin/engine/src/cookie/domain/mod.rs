//! The `Domain` attribute: which hosts share the cookie.

use std::fmt;
use std::net::IpAddr;

/// A domain that browsers accept for a cookie, in lower case and without a dot at either end.
///
/// With it the cookie goes to the domain and to every host below it; without it, to the host that set it alone. Names
/// of other alphabets are written in Punycode, as they go over the wire. `localhost` may be named because browsers take
/// it, for that one host.
///
/// ```
/// use engine::cookie::{CookieDomain, DomainError};
///
/// assert_eq!(CookieDomain::parse("Example.COM")?.as_str(), "example.com");
/// assert_eq!(CookieDomain::parse("co.uk"), Err(DomainError::PublicSuffix));
/// # Ok::<(), DomainError>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CookieDomain(Box<str>);

impl CookieDomain {
    /// Takes a domain from the configuration.
    ///
    /// # Errors
    /// When it is no domain, or one for which browsers drop the cookie (RFC 6265bis, section 5.7).
    pub fn parse(text: &str) -> Result<Self, DomainError> {
        check_form(text)?;
        let domain = text.to_ascii_lowercase();
        domain.split('.').try_for_each(check_label)?;
        check_breadth(&domain)?;
        Ok(Self(domain.into()))
    }

    /// The domain as it goes over the wire.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CookieDomain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a text is no domain for a cookie.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum DomainError {
    /// There is nothing below an address to share a cookie with.
    #[error("an IP address is not allowed; without a domain the cookie belongs to the host alone")]
    Address,
    /// A character that no host name has.
    #[error("{0:?} is not allowed in a domain; letters, digits, hyphens and dots are")]
    Character(char),
    /// A dot without a label. Browsers ignore one in front, and do not send a cookie of `example.com.` to
    /// `example.com`.
    #[error(
        "a domain must not begin or end with a dot, or have two in a row; hosts below it are included anyway"
    )]
    Dot,
    /// Nothing at all.
    #[error("a domain must not be empty")]
    Empty,
    /// Against RFC 1034, section 3.5 with RFC 1123, section 2.1, or Punycode of nothing.
    #[error(
        "{0:?} is no label of a domain: 1 to 63 letters, digits and hyphens, none of these at an end"
    )]
    Label(String),
    /// Cookies do not know ports.
    #[error("a domain must not have a port; all ports of a host share its cookies")]
    Port,
    /// Everybody who owns a name below it could read and plant the cookie.
    #[error("browsers drop a cookie for a public suffix; a domain below one is allowed")]
    PublicSuffix,
    /// To browsers every such name is a public suffix.
    #[error("a domain of one label is not allowed, except localhost")]
    SingleLabel,
    /// Longer than a name can be.
    #[error("a domain of {0} characters is too long; 253 are allowed")]
    TooLong(usize),
    /// Over the wire a domain is ASCII.
    #[error("a domain is written in Punycode: {0}")]
    Unicode(String),
    /// The cookie of a domain goes to all hosts below it as it is.
    #[error("a domain must not have a wildcard; hosts below it are included anyway")]
    Wildcard,
}

/// What is evidently something else gets a fault that says what it is.
fn check_form(text: &str) -> Result<(), DomainError> {
    match text {
        "" => Err(DomainError::Empty),
        text if is_address(text) => Err(DomainError::Address),
        text if has_port(text) => Err(DomainError::Port),
        text if text.contains('*') => Err(DomainError::Wildcard),
        text if text.split('.').any(str::is_empty) => Err(DomainError::Dot),
        text if text.len() > MAX_LENGTH => Err(DomainError::TooLong(text.len())),
        text if !text.is_ascii() => Err(in_punycode(text)),
        _ => Ok(()),
    }
}

fn check_label(label: &str) -> Result<(), DomainError> {
    if let Some(char) = label.chars().find(|char| !is_ldh(*char)) {
        return Err(DomainError::Character(char));
    }
    let is_encoded = label.starts_with("xn--");
    let is_wrong = label.len() > MAX_LABEL
        || label.starts_with('-')
        || label.ends_with('-')
        || is_encoded && idna::domain_to_unicode(label).1.is_err();
    match is_wrong {
        true => Err(DomainError::Label(label.into())),
        false => Ok(()),
    }
}

/// Refuses what browsers would share too widely, or not at all.
fn check_breadth(domain: &str) -> Result<(), DomainError> {
    match domain.rsplit_once('.') {
        None if domain == "localhost" => Ok(()),
        None => Err(DomainError::SingleLabel),
        // Whatever ends so is parsed as an IPv4 address, or not at all (WHATWG URL, section 3.5).
        Some((_, last)) if is_number(last) => Err(DomainError::Address),
        Some(_) if psl::suffix_str(domain) == Some(domain) => Err(DomainError::PublicSuffix),
        Some(_) => Ok(()),
    }
}

/// With brackets and a port, too.
fn is_address(text: &str) -> bool {
    let host = match text.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => text,
    };
    host.parse::<IpAddr>().is_ok()
}

fn has_port(text: &str) -> bool {
    let port = text.rsplit_once(':').map(|(_, port)| port);
    port.is_some_and(|port| port.bytes().all(|byte| byte.is_ascii_digit()))
}

fn in_punycode(text: &str) -> DomainError {
    match idna::domain_to_ascii(text) {
        Ok(ascii) => DomainError::Unicode(ascii),
        Err(_) => DomainError::Label(text.into()),
    }
}

const fn is_ldh(char: char) -> bool {
    char.is_ascii_alphanumeric() || char == '-'
}

fn is_number(label: &str) -> bool {
    let hexadecimal = label.strip_prefix("0x");
    label.bytes().all(|byte| byte.is_ascii_digit())
        || hexadecimal.is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// RFC 1035, section 2.3.4, without the length byte in front and the root behind.
const MAX_LENGTH: usize = 253;
const MAX_LABEL: usize = 63;

#[cfg(test)]
mod tests;
