//! What caches between the gateway and the user are told: browsers, proxies, content delivery networks.
//!
//! To the upstream a user is a request header like any other; that behind it there is a cookie only the gateway knows.
//! So it is the gateway that has to say so, or a page that was made for one user is shown to the next.

use abi::config::Faults;
use abi::{Exchange, HeaderName, Services, Side};

use crate::{KeyLookup, Source};

/// The headers by which a response speaks to caches, resolved.
#[derive(Debug)]
pub(super) struct Caches {
    cache_control: HeaderName,
    vary: HeaderName,
    /// The request headers that a session id may come in. One in the URL parts caches by itself.
    keys: Box<[Box<str>]>,
}

impl Caches {
    pub(super) fn new(lookup: &KeyLookup, services: &Services) -> Result<Self, Faults> {
        let resolve = |name: &str| {
            let resolved = services.header(name);
            resolved.map_err(|error| Faults::at("", error.to_string()))
        };
        let keys = lookup.sources().iter().filter_map(key);
        Ok(Self {
            cache_control: resolve("cache-control")?,
            vary: resolve("vary")?,
            keys: keys.collect(),
        })
    }

    /// A response with somebody's key in it must not be in any cache (RFC 9111, section 7.3), nor one that was made
    /// without a session because of an outage.
    pub(super) fn keep_out(&self, exchange: &mut Exchange<'_>) {
        // Also for a cache that does not listen to the other.
        self.name_keys(exchange);
        let _ = exchange.set_header(Side::Response, self.cache_control, "no-store");
    }

    /// A response that was made of somebody's session is for requests with the same key, unless the upstream says that
    /// it is for everybody.
    ///
    /// It says so as it would for a request with `Authorization` (RFC 9111, section 3.5), and as long as it does not
    /// mean one of several answers. What a visitor without a session gets is left as it is: nobody's data are in it,
    /// and caches are there for it most of all.
    pub(super) fn part(&self, exchange: &mut Exchange<'_>) {
        let mut is_for_all = false;
        for control in directives(exchange, self.cache_control) {
            if is_unstorable(control) {
                return;
            }
            is_for_all |= is_shareable(control);
        }
        if is_for_all && directives(exchange, self.vary).all(is_about_format) {
            return;
        }
        self.name_keys(exchange);
    }

    fn name_keys(&self, exchange: &mut Exchange<'_>) {
        for key in &self.keys {
            let is_named = |name: &[u8]| name == b"*" || name.eq_ignore_ascii_case(key.as_bytes());
            if !directives(exchange, self.vary).any(is_named) {
                // The name of a header is a header value.
                let _ = exchange.append_header(Side::Response, self.vary, &**key);
            }
        }
    }
}

fn key(source: &Source) -> Option<Box<str>> {
    match source {
        Source::Cookie(_) => Some("Cookie".into()),
        Source::Header(name) => Some(name.clone()),
        Source::Query(_) => None,
    }
}

/// The members of a list, over all lines of the header, without their values.
fn directives<'e>(
    exchange: &'e Exchange<'_>,
    header: HeaderName,
) -> impl Iterator<Item = &'e [u8]> {
    let members = exchange
        .headers(Side::Response, header)
        .flat_map(|line| line.split(|&byte| byte == b','));
    members
        .map(|member| member.split(|&byte| byte == b'=').next().unwrap_or(member))
        .map(<[u8]>::trim_ascii)
        .filter(|member| !member.is_empty())
}

fn is_unstorable(directive: &[u8]) -> bool {
    directive.eq_ignore_ascii_case(b"no-store")
}

fn is_shareable(directive: &[u8]) -> bool {
    [b"public".as_slice(), b"s-maxage"]
        .iter()
        .any(|known| directive.eq_ignore_ascii_case(known))
}

/// Whether a header asks for a form of the same thing, whoever asks.
fn is_about_format(name: &[u8]) -> bool {
    let name = name.to_ascii_lowercase();
    name.starts_with(b"accept") || name == b"origin"
}
