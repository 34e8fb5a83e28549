//! A request between two headers maps, as a gateway holds it.

use std::sync::Arc;

use abi::exchange::{ExchangeObject, Fact};
use abi::{Failure, HeaderError, Maybe, Session, Side};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::services::Desk;

/// A request that is used again and again.
#[derive(Debug)]
pub(crate) struct InFlight {
    pub(crate) request: HeaderMap,
    pub(crate) response: HeaderMap,
    names: Vec<HeaderName>,
    cookie: HeaderValue,
    session: Option<Session>,
}

impl InFlight {
    /// A request with this cookie. The names are those known to the desk by now: plugins come first.
    pub(crate) fn new(desk: &Arc<Desk>, cookie: &str) -> Self {
        let mut request = HeaderMap::new();
        for name in [
            "host",
            "user-agent",
            "accept",
            "accept-language",
            "accept-encoding",
            "referer",
            "cache-control",
        ] {
            request.insert(
                name,
                HeaderValue::from_static("something of the usual length"),
            );
        }
        let cookie = HeaderValue::from_str(cookie).expect("a cookie");
        let mut exchange = Self {
            request,
            response: HeaderMap::new(),
            names: desk.names(),
            cookie,
            session: None,
        };
        exchange.arrive();
        exchange
    }

    /// Makes it a new request: the cookie is there, and no session is.
    pub(crate) fn arrive(&mut self) {
        self.request.insert("cookie", self.cookie.clone());
        self.session = None;
    }

    const fn headers_mut(&mut self, side: Side) -> &mut HeaderMap {
        match side {
            Side::Request => &mut self.request,
            Side::Response => &mut self.response,
        }
    }

    const fn headers(&self, side: Side) -> &HeaderMap {
        match side {
            Side::Request => &self.request,
            Side::Response => &self.response,
        }
    }
}

impl ExchangeObject for InFlight {
    fn fact(&self, fact: Fact) -> Option<&str> {
        match fact {
            Fact::Method => Some("GET"),
            Fact::Path | Fact::Route => Some("/page"),
            Fact::Host => Some("bench.test"),
            Fact::Scheme => Some("http"),
            Fact::Query | Fact::Peer => None,
        }
    }

    fn parameter(&self, _: &str) -> Option<&str> {
        None
    }

    fn header(&self, side: Side, name: u32, nth: u32) -> Option<&[u8]> {
        let name = self.names.get(name as usize)?;
        let headers = self.headers(side);
        let value = match nth {
            0 => headers.get(name),
            nth => headers.get_all(name).iter().nth(nth as usize),
        };
        value.map(HeaderValue::as_bytes)
    }

    fn each_header(&self, side: Side, visit: &mut dyn FnMut(&str, &[u8])) {
        self.headers(side)
            .iter()
            .for_each(|(name, value)| visit(name.as_str(), value.as_bytes()));
    }

    fn set_header(&mut self, side: Side, name: u32, value: &[u8]) -> Result<(), HeaderError> {
        let value = HeaderValue::from_bytes(value).map_err(|_| HeaderError)?;
        let name = self.names.get(name as usize).cloned().ok_or(HeaderError)?;
        self.headers_mut(side).insert(name, value);
        Ok(())
    }

    fn append_header(&mut self, side: Side, name: u32, value: &[u8]) -> Result<(), HeaderError> {
        let value = HeaderValue::from_bytes(value).map_err(|_| HeaderError)?;
        let name = self.names.get(name as usize).cloned().ok_or(HeaderError)?;
        self.headers_mut(side).append(name, value);
        Ok(())
    }

    fn remove_header(&mut self, side: Side, name: u32) {
        if let Some(name) = self.names.get(name as usize).cloned() {
            self.headers_mut(side).remove(name);
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
