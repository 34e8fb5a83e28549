//! An exchange that exists for one test.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use super::gateway::Desk;
use super::wait;
use crate::exchange::{ExchangeObject, Fact, HeaderError, Side};
use crate::failure::{Failure, Kind};
use crate::handle::{ActionHandle, MiddlewareHandle};
use crate::path::normalise;
use crate::services::ServicesObject;
use crate::{Exchange, Flow, Maybe, Session};

/// A request and the response to it.
pub struct TestExchange {
    desk: Arc<Desk>,
    method: String,
    path: String,
    sent_path: String,
    query: Option<String>,
    parameters: Vec<(String, String)>,
    sides: [Vec<(String, Vec<u8>)>; 2],
    body: Vec<u8>,
    response: Option<(u16, Vec<u8>)>,
    session: Option<Session>,
    flags: u64,
    scheme: &'static str,
    peer: String,
}

impl TestExchange {
    pub(super) fn new(desk: Arc<Desk>, method: &str, target: &str) -> Self {
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(query.to_owned())),
            None => (target, None),
        };
        Self {
            desk,
            method: method.to_owned(),
            path: normalise(path).into_owned(),
            sent_path: path.to_owned(),
            query,
            parameters: Vec::new(),
            sides: [Vec::new(), Vec::new()],
            body: Vec::new(),
            response: None,
            session: None,
            flags: 0,
            scheme: "http",
            peer: "192.0.2.1".to_owned(),
        }
    }

    /// Lets the request have come over TLS.
    #[must_use]
    pub fn over_tls(mut self) -> Self {
        self.scheme = "https";
        self
    }

    /// Lets the request have come from another address than 192.0.2.1.
    #[must_use]
    pub fn from_peer(mut self, peer: IpAddr) -> Self {
        self.peer = peer.to_string();
        self
    }

    /// Adds a header to the request.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        let header = (name.to_ascii_lowercase(), value.as_ref().to_vec());
        self.sides[0].push(header);
        self
    }

    /// Adds a route parameter.
    #[must_use]
    pub fn with_parameter(mut self, name: &str, value: &str) -> Self {
        self.parameters.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Gives the request a body.
    #[must_use]
    pub fn with_body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Attaches a session, as a middleware before the tested one would have.
    #[must_use]
    pub fn with_session(mut self, session: Session) -> Self {
        self.session = Some(session);
        self
    }

    /// Raises a flag.
    #[must_use]
    pub fn with_flag(mut self, name: &str) -> Self {
        if let Ok(flag) = self.desk.flag(name) {
            self.flags |= 1 << flag;
        }
        self
    }

    /// Lends the exchange for a phase.
    pub fn lend(&mut self) -> Exchange<'_> {
        Exchange::new(self)
    }

    /// Runs both phases of a middleware around an upstream that answers with `status` and nothing else.
    ///
    /// # Errors
    /// What the middleware failed with, in either phase.
    pub fn run(&mut self, middleware: &MiddlewareHandle, status: u16) -> Result<(), Failure> {
        self.run_with(middleware, |exchange| exchange.respond(status, b""))
    }

    /// Runs both phases of a middleware around `upstream`, which gets the exchange as the action of a route would.
    ///
    /// # Errors
    /// What the middleware failed with, in either phase.
    pub fn run_with(
        &mut self,
        middleware: &MiddlewareHandle,
        upstream: impl FnOnce(&mut Self),
    ) -> Result<(), Failure> {
        match wait(middleware.on_request(self.lend()))? {
            Flow::Respond => Ok(()),
            Flow::Next(state) => {
                upstream(self);
                wait(middleware.on_response(self.lend(), state))
            }
        }
    }

    /// Runs an action.
    ///
    /// # Errors
    /// What the action failed with.
    pub fn call(&mut self, action: &ActionHandle) -> Result<(), Failure> {
        wait(action.call(self.lend()))
    }

    /// The first value of a request header, as the upstream would get it.
    pub fn request_header(&self, name: &str) -> Option<&str> {
        self.text(Side::Request, name).next()
    }

    /// All values of a response header, as the client would get them.
    pub fn response_headers(&self, name: &str) -> Vec<&str> {
        self.text(Side::Response, name).collect()
    }

    /// The query, as the upstream would get it.
    pub fn query(&self) -> Option<&str> {
        self.query.as_deref()
    }

    /// The status of the response; `None` while there is none.
    pub fn status(&self) -> Option<u16> {
        self.response.as_ref().map(|(status, _)| *status)
    }

    /// The body of the response.
    pub fn response_body(&self) -> &[u8] {
        self.response.as_ref().map_or(&[], |(_, body)| body)
    }

    /// The attached session.
    pub const fn session(&self) -> Option<&Session> {
        self.session.as_ref()
    }

    /// Answers as an upstream does: a status and headers.
    pub fn answer(&mut self, status: u16, headers: &[(&str, &str)]) {
        self.respond(status, b"");
        let headers = headers
            .iter()
            .map(|(name, value)| (name.to_ascii_lowercase(), value.as_bytes().to_vec()));
        self.sides[1].extend(headers);
    }

    fn text(&self, side: Side, name: &str) -> impl Iterator<Item = &str> {
        let name = name.to_ascii_lowercase();
        self.sides[side as usize]
            .iter()
            .filter(move |(known, _)| *known == name)
            .filter_map(|(_, value)| std::str::from_utf8(value).ok())
    }

    fn name(&self, number: u32) -> String {
        self.desk.header_name(number).unwrap_or_default()
    }
}

impl ExchangeObject for TestExchange {
    fn fact(&self, fact: Fact) -> Option<&str> {
        match fact {
            Fact::Method => Some(&self.method),
            Fact::Path | Fact::Route => Some(&self.path),
            Fact::SentPath => Some(&self.sent_path),
            Fact::Query => self.query.as_deref(),
            Fact::Host => self
                .text(Side::Request, "host")
                .next()
                .or(Some("gateway.test")),
            Fact::Scheme => Some(self.scheme),
            Fact::Peer => Some(&self.peer),
        }
    }

    fn parameter(&self, name: &str) -> Option<&str> {
        let (_, value) = self.parameters.iter().find(|(known, _)| known == name)?;
        Some(value)
    }

    fn header(&self, side: Side, name: u32, nth: u32) -> Option<&[u8]> {
        let name = self.name(name);
        self.sides[side as usize]
            .iter()
            .filter(|(known, _)| *known == name)
            .nth(nth as usize)
            .map(|(_, value)| value.as_slice())
    }

    fn each_header(&self, side: Side, visit: &mut dyn FnMut(&str, &[u8])) {
        for (name, value) in &self.sides[side as usize] {
            visit(name, value);
        }
    }

    fn set_header(&mut self, side: Side, name: u32, value: &[u8]) -> Result<(), HeaderError> {
        check(value)?;
        self.remove_header(side, name);
        self.append_header(side, name, value)
    }

    fn append_header(&mut self, side: Side, name: u32, value: &[u8]) -> Result<(), HeaderError> {
        check(value)?;
        let header = (self.name(name), value.to_vec());
        self.sides[side as usize].push(header);
        Ok(())
    }

    fn remove_header(&mut self, side: Side, name: u32) {
        let name = self.name(name);
        self.sides[side as usize].retain(|(known, _)| *known != name);
    }

    fn set_query(&mut self, query: Option<&str>) -> Result<(), HeaderError> {
        if query.is_some_and(|query| query.contains(['#', ' '])) {
            return Err(HeaderError);
        }
        self.query = query.map(str::to_owned);
        Ok(())
    }

    fn read_body(&mut self, limit: u64) -> Maybe<'_, Result<Vec<u8>, Failure>> {
        if limit < self.body.len() as u64 {
            let failure = Failure::new(Kind::TOO_LARGE, "body-too-large", "the body is too large");
            return Maybe::Ready(Err(failure));
        }
        Maybe::Ready(Ok(self.body.clone()))
    }

    fn respond(&mut self, status: u16, body: &[u8]) {
        // What was set before there was a response goes with the first one; another one begins anew.
        if self.response.replace((status, body.to_vec())).is_some() {
            self.sides[1].clear();
        }
    }

    fn status(&self) -> u16 {
        self.status().unwrap_or(0)
    }

    fn session(&self) -> Option<&Session> {
        self.session.as_ref()
    }

    fn attach_session(&mut self, session: Session) {
        self.session = Some(session);
    }

    fn flag(&self, flag: u32) -> bool {
        self.flags & (1 << flag) != 0
    }

    fn raise(&mut self, flag: u32) {
        self.flags |= 1 << flag;
    }

    fn request_id(&self) -> u64 {
        1
    }
}

fn check(value: &[u8]) -> Result<(), HeaderError> {
    let allowed = |byte: &u8| *byte == b'\t' || (*byte >= 0x20 && *byte != 0x7f);
    if value.iter().all(allowed) {
        Ok(())
    } else {
        Err(HeaderError)
    }
}

impl fmt::Debug for TestExchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TestExchange({} {})", self.method, self.path)
    }
}
