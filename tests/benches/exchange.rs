//! A request as a gateway holds it, and as it comes again and again.

use abi::exchange::{ExchangeObject, Fact};
use abi::{Failure, HeaderError, Maybe, Session, Side};
use http::header::{CONTENT_TYPE, COOKIE};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::desk::Desk;

/// One browser's request and the response to it.
#[derive(Debug)]
pub(crate) struct InFlight {
    names: Box<[HeaderName]>,
    request: HeaderMap,
    response: HeaderMap,
    cookie: Option<HeaderValue>,
    session: Option<Session>,
}

impl InFlight {
    /// A request of a usual browser, with `cookie` if it has one. The names are those that the desk knows by now:
    /// middlewares are made first.
    pub(crate) fn new(desk: &Desk, cookie: Option<&str>) -> Self {
        let header = |(name, value)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )
        };
        let mut exchange = Self {
            names: desk.names(),
            request: BROWSER.map(header).into_iter().collect(),
            response: HeaderMap::new(),
            cookie: cookie.map(|cookie| HeaderValue::from_str(cookie).expect("a header value")),
            session: None,
        };
        exchange.arrive();
        exchange
    }

    /// Makes it a new request: what the last one took away is there again. What the last one set is set over, which
    /// costs what setting it anew does. The response is as an upstream gave it.
    pub(crate) fn arrive(&mut self) {
        self.session = None;
        self.response.clear();
        let page = HeaderValue::from_static("text/html");
        self.response.insert(CONTENT_TYPE, page);
        if let Some(cookie) = &self.cookie {
            self.request.insert(COOKIE, cookie.clone());
        }
    }

    /// All headers of one side.
    pub(crate) const fn headers(&mut self, side: Side) -> &mut HeaderMap {
        match side {
            Side::Request => &mut self.request,
            Side::Response => &mut self.response,
        }
    }

    const fn shared(&self, side: Side) -> &HeaderMap {
        match side {
            Side::Request => &self.request,
            Side::Response => &self.response,
        }
    }

    fn name(&self, number: u32) -> Result<&HeaderName, HeaderError> {
        self.names.get(number as usize).ok_or(HeaderError)
    }
}

/// The gateway's way of keeping headers; of everything else just what it takes.
impl ExchangeObject for InFlight {
    fn fact(&self, fact: Fact) -> Option<&str> {
        match fact {
            Fact::Method => Some("GET"),
            Fact::Path | Fact::Route | Fact::SentPath => Some("/dashboard"),
            Fact::Host => Some("shop.example"),
            Fact::Scheme => Some("http"),
            Fact::Query | Fact::Peer => None,
        }
    }

    fn parameter(&self, _: &str) -> Option<&str> {
        None
    }

    fn header(&self, side: Side, name: u32, nth: u32) -> Option<&[u8]> {
        let (name, headers) = (self.names.get(name as usize)?, self.shared(side));
        let value = match nth {
            0 => headers.get(name),
            nth => headers.get_all(name).iter().nth(nth as usize),
        };
        value.map(HeaderValue::as_bytes)
    }

    fn each_header(&self, side: Side, visit: &mut dyn FnMut(&str, &[u8])) {
        for (name, value) in self.shared(side) {
            visit(name.as_str(), value.as_bytes());
        }
    }

    fn set_header(&mut self, side: Side, name: u32, value: &[u8]) -> Result<(), HeaderError> {
        let value = HeaderValue::from_bytes(value).map_err(|_| HeaderError)?;
        let name = self.name(name)?.clone();
        self.headers(side).insert(name, value);
        Ok(())
    }

    fn append_header(&mut self, side: Side, name: u32, value: &[u8]) -> Result<(), HeaderError> {
        let value = HeaderValue::from_bytes(value).map_err(|_| HeaderError)?;
        let name = self.name(name)?.clone();
        self.headers(side).append(name, value);
        Ok(())
    }

    fn remove_header(&mut self, side: Side, name: u32) {
        if let Ok(name) = self.name(name).cloned() {
            self.headers(side).remove(name);
        }
    }

    fn set_query(&mut self, _: Option<&str>) -> Result<(), HeaderError> {
        Ok(())
    }

    fn read_body(&mut self, _: u64) -> Maybe<'_, Result<Vec<u8>, Failure>> {
        Maybe::Ready(Ok(Vec::new()))
    }

    fn respond(&mut self, _: u16, _: &[u8]) {}

    fn status(&self) -> u16 {
        200
    }

    fn session(&self) -> Option<&Session> {
        self.session.as_ref()
    }

    fn attach_session(&mut self, session: Session) {
        self.session = Some(session);
    }

    fn flag(&self, _: u32) -> bool {
        false
    }

    fn raise(&mut self, _: u32) {}

    fn request_id(&self) -> u64 {
        1
    }
}

/// A cookie header of 200 bytes with `pair` in it, between what shops and their analysts set.
pub(crate) fn cookie_header(pair: &str) -> String {
    let around =
        format!("theme=dark; locale=en-GB; _ga=GA1.1.1893203377.1763645921; {pair}; consent=");
    let rest = 200_usize.saturating_sub(around.len());
    around + &"y".repeat(rest)
}

// With the cookie that makes 15.
const BROWSER: [(&str, &str); 14] = [
    ("host", "shop.example"),
    (
        "user-agent",
        "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
    ),
    (
        "accept",
        "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    ),
    ("accept-language", "en-GB,en;q=0.5"),
    ("accept-encoding", "gzip, deflate, br, zstd"),
    ("referer", "http://shop.example/"),
    ("dnt", "1"),
    ("sec-gpc", "1"),
    ("upgrade-insecure-requests", "1"),
    ("sec-fetch-dest", "document"),
    ("sec-fetch-mode", "navigate"),
    ("sec-fetch-site", "same-origin"),
    ("sec-fetch-user", "?1"),
    ("priority", "u=0, i"),
];
