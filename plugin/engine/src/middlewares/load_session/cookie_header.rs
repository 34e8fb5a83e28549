//! The cookies that a request carries.

use std::borrow::Cow;

use abi::config::Faults;
use abi::{Exchange, HeaderName, Services, Side};

use crate::cookie::{self, Candidates, CookieName};

/// The `Cookie` header, resolved.
#[derive(Clone, Copy, Debug)]
pub(super) struct CookieHeader(HeaderName);

impl CookieHeader {
    pub(super) fn resolve(services: &Services) -> Result<Self, Faults> {
        let resolved = services.header("cookie");
        resolved
            .map(Self)
            .map_err(|error| Faults::at("", error.to_string()))
    }

    /// The values that came under this name.
    pub(super) fn find<'e>(self, exchange: &'e Exchange<'_>, name: &CookieName) -> Candidates<'e> {
        Candidates::of(exchange.headers(Side::Request, self.0), name)
    }

    /// Keeps the cookies of this name from the upstream.
    ///
    /// Nearly every request has one Cookie header, and nothing to lose in it or all of it.
    pub(super) fn strip(self, exchange: &mut Exchange<'_>, name: &CookieName) {
        let mut headers = exchange.headers(Side::Request, self.0);
        let kept = match (headers.next(), headers.next()) {
            (None, _) => return,
            (Some(only), None) => cookie::strip(only, name),
            (Some(_), Some(_)) => {
                drop(headers);
                return self.strip_each(exchange, name);
            }
        };
        let kept = match kept {
            Some(Cow::Borrowed(_)) => return,
            kept => kept.map(Cow::into_owned),
        };
        drop(headers);
        self.replace(exchange, kept);
    }

    fn strip_each(self, exchange: &mut Exchange<'_>, name: &CookieName) {
        let kept: Vec<Vec<u8>> = exchange
            .headers(Side::Request, self.0)
            .filter_map(|header| cookie::strip(header, name).map(Cow::into_owned))
            .collect();
        self.replace(exchange, kept);
    }

    fn replace(self, exchange: &mut Exchange<'_>, kept: impl IntoIterator<Item = Vec<u8>>) {
        exchange.remove_header(Side::Request, self.0);
        for header in kept {
            // Part of what was a header value before is one again; were it not, a lost cookie is the safe side.
            let _ = exchange.append_header(Side::Request, self.0, header);
        }
    }
}
