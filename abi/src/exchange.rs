//! The request and its response, as a plugin sees them.

use std::net::IpAddr;

pub use crate::raw::exchange::ExchangeObject;
use crate::raw::exchange::RawExchange;
use crate::{Failure, Maybe, Session};

/// One request on its way to the upstream and one response on its way back.
///
/// The request stays in the gateway; this is a borrowed handle. Reading a header costs a few nanoseconds and no
/// allocation. What a getter returns is borrowed from the exchange and ends with the next change to it, which the
/// compiler checks.
///
/// An exchange belongs to one phase: to [`Middleware::on_request`](crate::Middleware::on_request), to the action, or
/// to [`Middleware::on_response`](crate::Middleware::on_response).
pub struct Exchange<'a> {
    raw: RawExchange<'a>,
}

/// Which headers are meant.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u8)]
pub enum Side {
    /// The client's request, on its way to the upstream.
    Request = 0,
    /// The response, on its way to the client.
    Response = 1,
}

/// A text about the request that is no header.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u8)]
pub enum Fact {
    /// `GET`, `POST` and so on.
    Method = 0,
    /// The path by which the route was found, without the query: see [`normalise`](crate::path::normalise).
    Path = 1,
    /// What stands behind `?`, without it. Absent when there is no `?`.
    Query = 2,
    /// Host and port the client asked for.
    Host = 3,
    /// `http` or `https`.
    Scheme = 4,
    /// The client's address. Absent on a unix socket.
    Peer = 5,
    /// The pattern of the route that matched.
    Route = 6,
    /// The path as the client sent it, without the query.
    SentPath = 7,
}

/// A header name, resolved once at start with [`Services::header`](crate::Services::header): looking it up in a
/// request costs no hashing of text.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct HeaderName(pub(crate) u32);

/// A flag, resolved once at start with [`Services::flag`](crate::Services::flag): how one middleware tells later ones
/// to behave differently for this request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Flag(pub(crate) u32);

/// The bytes cannot be what they were meant for: a header value holds a control character, or a query holds a `#` or
/// a space. Nothing was changed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("not a valid header value or query")]
pub struct HeaderError;

impl<'a> Exchange<'a> {
    /// Lends an exchange for a phase.
    pub fn new(object: &'a mut impl ExchangeObject) -> Self {
        Self {
            raw: RawExchange::new(object),
        }
    }

    pub(crate) fn from_raw(raw: RawExchange<'a>) -> Self {
        Self { raw }
    }

    pub(crate) fn into_raw(self) -> RawExchange<'a> {
        self.raw
    }

    /// The same exchange, lent for a shorter while.
    pub fn reborrow(&mut self) -> Exchange<'_> {
        Exchange {
            raw: self.raw.reborrow(),
        }
    }

    /// The method, upper case as sent.
    pub fn method(&self) -> &str {
        self.raw.fact(Fact::Method).unwrap_or_default()
    }

    /// The path, without the query, in the one spelling by which the route was found: begins with `/`, no needless
    /// percent-encoding, no repeated slashes, no dot segments. Whatever a path decides is decided by this.
    /// [`normalise`](crate::path::normalise) brings a path from a configuration to the same form.
    pub fn path(&self) -> &str {
        self.raw.fact(Fact::Path).unwrap_or_default()
    }

    /// The path as the client sent it. `//admin`, `/%61dmin` and `/admin` are the same to most upstreams, and get there as
    /// `/admin`: compare [`path`](Self::path) instead.
    pub fn sent_path(&self) -> &str {
        self.raw.fact(Fact::SentPath).unwrap_or_default()
    }

    /// What stands behind `?`.
    pub fn query(&self) -> Option<&str> {
        self.raw.fact(Fact::Query)
    }

    /// Host, with the port if the client named one.
    pub fn host(&self) -> &str {
        self.raw.fact(Fact::Host).unwrap_or_default()
    }

    /// `http` or `https`.
    pub fn scheme(&self) -> &str {
        self.raw.fact(Fact::Scheme).unwrap_or_default()
    }

    /// The client's address; `None` on a unix socket.
    pub fn peer(&self) -> Option<IpAddr> {
        self.raw.fact(Fact::Peer)?.parse().ok()
    }

    /// The pattern of the route, for example `/users/:id`.
    pub fn route(&self) -> &str {
        self.raw.fact(Fact::Route).unwrap_or_default()
    }

    /// The value that a `:name` of the route matched, as it stands in [`path`](Self::path).
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.raw.parameter(name)
    }

    /// The first value of a header.
    pub fn header(&self, side: Side, name: HeaderName) -> Option<&[u8]> {
        self.raw.header(side, name.0, 0)
    }

    /// All values of a header, in order.
    pub fn headers(&self, side: Side, name: HeaderName) -> impl Iterator<Item = &[u8]> {
        (0..).map_while(move |nth| self.raw.header(side, name.0, nth))
    }

    /// Visits every header as (lower-case name, value).
    pub fn each_header(&self, side: Side, visit: impl FnMut(&str, &[u8])) {
        self.raw.each_header(side, visit);
    }

    /// Replaces all values of a header.
    ///
    /// # Errors
    /// When `value` holds a control character such as CR, LF or NUL. Nothing is changed then.
    pub fn set_header(
        &mut self,
        side: Side,
        name: HeaderName,
        value: impl AsRef<[u8]>,
    ) -> Result<(), HeaderError> {
        self.raw.set_header(side, name.0, value.as_ref())
    }

    /// Adds a value to a header, as `Set-Cookie` needs it.
    ///
    /// # Errors
    /// As for [`set_header`](Self::set_header).
    pub fn append_header(
        &mut self,
        side: Side,
        name: HeaderName,
        value: impl AsRef<[u8]>,
    ) -> Result<(), HeaderError> {
        self.raw.append_header(side, name.0, value.as_ref())
    }

    /// Removes all values of a header. Removing what is not there is fine.
    pub fn remove_header(&mut self, side: Side, name: HeaderName) {
        self.raw.remove_header(side, name.0);
    }

    /// Replaces the query that goes to the upstream; `None` removes it and its `?`.
    ///
    /// # Errors
    /// When the text cannot stand in a URL.
    pub fn set_query(&mut self, query: Option<&str>) -> Result<(), HeaderError> {
        self.raw.set_query(query)
    }

    /// Reads the whole body of the request and leaves it in place for the upstream.
    ///
    /// In the response phase of a forwarded request neither its headers nor its body are there any more: they went
    /// along.
    ///
    /// # Errors
    /// [`Kind::TOO_LARGE`](crate::failure::Kind::TOO_LARGE) beyond `limit` bytes,
    /// [`Kind::BAD_REQUEST`](crate::failure::Kind::BAD_REQUEST) when the client breaks off.
    pub fn read_body(&mut self, limit: u64) -> Maybe<'_, Result<Vec<u8>, Failure>> {
        self.raw.read_body(limit)
    }

    /// Makes this the response. Header changes on [`Side::Response`] apply to it; those from before there was any
    /// response are kept for the one that comes.
    pub fn respond(&mut self, status: u16, body: impl AsRef<[u8]>) {
        self.raw.respond(status, body.as_ref());
    }

    /// The status of the response, once there is one.
    pub fn status(&self) -> Option<u16> {
        Some(self.raw.status()).filter(|status| *status != 0)
    }

    /// The session, if a middleware before this one attached one. An anonymous visitor has a session too: one that
    /// is [fresh](Session::fresh), empty, and not stored until something is set.
    pub fn session(&self) -> Option<&Session> {
        self.raw.session()
    }

    /// Makes `session` visible to the middlewares and the action that follow.
    pub fn attach_session(&mut self, session: Session) {
        self.raw.attach_session(session);
    }

    /// Whether an earlier middleware raised the flag.
    pub fn flag(&self, flag: Flag) -> bool {
        self.raw.flag(flag.0)
    }

    /// Raises a flag for the rest of this request.
    pub fn raise(&mut self, flag: Flag) {
        self.raw.raise(flag.0);
    }

    /// The number that the access log shows for this request.
    pub fn request_id(&self) -> u64 {
        self.raw.request_id()
    }
}

impl HeaderName {
    /// The gateway's number for a name.
    pub const fn from_number(number: u32) -> Self {
        Self(number)
    }
}

impl Flag {
    /// The gateway's number for a flag.
    pub const fn from_number(number: u32) -> Self {
        Self(number)
    }
}

impl Side {
    pub(crate) const fn from_code(code: u8) -> Self {
        match code {
            0 => Self::Request,
            _ => Self::Response,
        }
    }
}

impl Fact {
    pub(crate) const fn from_code(code: u8) -> Option<Self> {
        Some(match code {
            0 => Self::Method,
            1 => Self::Path,
            2 => Self::Query,
            3 => Self::Host,
            4 => Self::Scheme,
            5 => Self::Peer,
            6 => Self::Route,
            7 => Self::SentPath,
            _ => return None,
        })
    }
}
