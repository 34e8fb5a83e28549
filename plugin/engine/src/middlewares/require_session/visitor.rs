//! Who asks: somebody who can be shown a login page, or a program that cannot.

use abi::{Exchange, HeaderName, Services, ServicesError, Side};

/// The headers that tell.
#[derive(Debug)]
pub(super) struct Visitors {
    mode: HeaderName,
    accept: HeaderName,
    requested_with: HeaderName,
    upgrade: HeaderName,
}

/// What an answer can do for whoever asks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Visitor {
    /// A browser that goes to a page: it follows a redirect, and somebody sees where it leads.
    Navigation,
    /// A script, an API client, a WebSocket: a redirect would lead it to a page that it cannot read.
    Program,
}

impl Visitors {
    pub(super) fn new(services: &Services) -> Result<Self, ServicesError> {
        Ok(Self {
            mode: services.header("sec-fetch-mode")?,
            accept: services.header("accept")?,
            requested_with: services.header("x-requested-with")?,
            upgrade: services.header("upgrade")?,
        })
    }

    /// Browsers say what they are about (Fetch Metadata): where they do, that counts alone. A page in a frame or the
    /// target of a form is a navigation as well. Older ones and other clients are known by what they accept.
    pub(super) fn visitor(&self, exchange: &Exchange<'_>) -> Visitor {
        let is = |name, wanted: &str| {
            let value = exchange.header(Side::Request, name);
            value.is_some_and(|value| value.trim_ascii().eq_ignore_ascii_case(wanted.as_bytes()))
        };
        if exchange.header(Side::Request, self.mode).is_some() {
            return match is(self.mode, "navigate") {
                true => Visitor::Navigation,
                false => Visitor::Program,
            };
        }
        let is_program = exchange.header(Side::Request, self.upgrade).is_some()
            || is(self.requested_with, "XMLHttpRequest");
        match !is_program && self.accepts_pages(exchange) {
            true => Visitor::Navigation,
            false => Visitor::Program,
        }
    }

    /// By name: whoever takes anything has not said that it can show a page.
    fn accepts_pages(&self, exchange: &Exchange<'_>) -> bool {
        let mut values = exchange.headers(Side::Request, self.accept);
        values.any(|value| {
            let mut ranges = value.split(|byte| *byte == b',');
            ranges.any(|range| {
                let name = range
                    .split(|byte| *byte == b';')
                    .next()
                    .unwrap_or_default()
                    .trim_ascii();
                [b"text/html".as_slice(), b"application/xhtml+xml"]
                    .iter()
                    .any(|page| name.eq_ignore_ascii_case(page))
            })
        })
    }
}
