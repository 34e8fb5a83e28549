//! Who asks for a change: a page of this site, or somebody else's.

use abi::failure::Kind;
use abi::{Exchange, Failure, HeaderName, Services, ServicesError, Side};

use crate::origin::Origin;

/// Believes a request that changes something only when a page of the same origin sent it, or no page at all.
///
/// In this order:
///
/// 1. `Sec-Fetch-Site`, which no page can set or leave out: `same-origin` is believed, and nothing else. Not
///    `same-site`, because a neighbour below the same domain is another site to us; not `none`, because what a program
///    outside of the browser opens comes with it, as a link in a mail does.
/// 2. `Origin`, which older browsers and browsers on plain HTTP send with every POST: it must be the scheme, host and
///    port of the request. `https` in it is believed where the request came as `http`: something in front speaks TLS.
/// 3. `Referer` in the same way, for browsers that send no `Origin`.
/// 4. None of the three: no browser of this decade, so a program. It is believed if no form of an old browser can
///    have sent the request: its content is JSON, or its method is another than `GET`, `HEAD` and `POST`.
///
/// A header that is there and does not say what it must ends the search: nothing later makes up for it. So does one that
/// is there twice.
#[derive(Clone, Copy, Debug)]
pub struct SameOrigin {
    site: HeaderName,
    origin: HeaderName,
    referer: HeaderName,
    content_type: HeaderName,
}

/// What one header has to say.
enum Word {
    Yes,
    No,
    Nothing,
}

impl SameOrigin {
    /// Resolves the headers.
    ///
    /// # Errors
    /// When the gateway has no room for header names.
    pub fn new(services: &Services) -> Result<Self, ServicesError> {
        Ok(Self {
            site: services.header("sec-fetch-site")?,
            origin: services.header("origin")?,
            referer: services.header("referer")?,
            content_type: services.header("content-type")?,
        })
    }

    /// Lets a request pass that may change something.
    ///
    /// # Errors
    /// [`Kind::FORBIDDEN`] with the reason `cross-origin` for any other.
    pub fn check(&self, exchange: &Exchange<'_>) -> Result<(), Failure> {
        match self.is_believed(exchange) {
            true => Ok(()),
            false => Err(Failure::new(
                Kind::FORBIDDEN,
                "cross-origin",
                "not sent by a page of this origin; a program sends JSON, or the Origin it asks",
            )),
        }
    }

    /// Lets a request pass that is made by following a link, and may change something all the same: from a page of this
    /// origin, or typed into the address bar. A browser that does not say where it comes from is not believed.
    ///
    /// `none` is what a browser says of an address that was typed, and also of one that a mail program had it open: nobody
    /// can tell the two apart. So only what may be done to somebody by a link in a mail may ask for less than
    /// [`check`](Self::check).
    ///
    /// # Errors
    /// As for [`check`](Self::check).
    pub fn check_link(&self, exchange: &Exchange<'_>) -> Result<(), Failure> {
        let is_typed = the_only(exchange, self.site, |site| site == b"none");
        match is_typed {
            Word::Yes => Ok(()),
            Word::No | Word::Nothing => self.check(exchange),
        }
    }

    fn is_believed(&self, exchange: &Exchange<'_>) -> bool {
        let words = [Self::by_site, Self::by_origin, Self::by_referer];
        for word in words {
            match word(self, exchange) {
                Word::Yes => return true,
                Word::No => return false,
                Word::Nothing => {}
            }
        }
        self.is_beyond_forms(exchange)
    }

    fn by_site(&self, exchange: &Exchange<'_>) -> Word {
        the_only(exchange, self.site, |site| site == b"same-origin")
    }

    fn by_origin(&self, exchange: &Exchange<'_>) -> Word {
        the_only(exchange, self.origin, |origin| {
            is_own(exchange, text(origin).and_then(Origin::parse))
        })
    }

    fn by_referer(&self, exchange: &Exchange<'_>) -> Word {
        the_only(exchange, self.referer, |referer| {
            let url = text(referer).and_then(Origin::split);
            is_own(exchange, url.map(|(origin, _)| origin))
        })
    }

    fn is_beyond_forms(&self, exchange: &Exchange<'_>) -> bool {
        let content = exchange.header(Side::Request, self.content_type);
        let is_json = content.is_some_and(|content| {
            let essence = content.split(|byte| *byte == b';').next();
            essence.is_some_and(|essence| {
                essence
                    .trim_ascii()
                    .eq_ignore_ascii_case(b"application/json")
            })
        });
        is_json || !matches!(exchange.method(), "GET" | "HEAD" | "POST")
    }
}

fn the_only(
    exchange: &Exchange<'_>,
    name: HeaderName,
    is_believed: impl FnOnce(&[u8]) -> bool,
) -> Word {
    let mut values = exchange.headers(Side::Request, name);
    match (values.next(), values.next()) {
        (None, _) => Word::Nothing,
        (Some(value), None) if is_believed(value) => Word::Yes,
        (Some(_), _) => Word::No,
    }
}

fn is_own(exchange: &Exchange<'_>, named: Option<Origin>) -> bool {
    let (Some(named), Some(own)) = (named, Origin::of_request(exchange)) else {
        return false;
    };
    named == own || named == own.over_tls()
}

const fn text(bytes: &[u8]) -> Option<&str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Some(text),
        Err(_) => None,
    }
}

#[cfg(test)]
mod tests;
