//! One request and its response, as chains work on them and as plugins see them through the boundary.

use std::sync::{Arc, OnceLock};

use crate::body::{Body, BodyError};
use crate::desk::{Desk, Reserved};
use crate::server::{Peer, Scheme};
use abi::exchange::{ExchangeObject, Fact};
use abi::failure::Kind;
use abi::{Failure, HeaderError, Maybe, Session, Side};
use http::header::{HOST, UPGRADE};
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, Uri};

/// What is in flight.
#[derive(Debug)]
pub(crate) struct Exchange {
    pub(crate) request: Parts,
    pub(crate) body: Body,
    response: Option<Response<Body>>,
    /// Response headers from before there was a response.
    early: HeaderMap,
    peer: Peer,
    peer_text: OnceLock<Option<String>>,
    target: Target,
    session: Option<Session>,
    flags: u64,
    place: Arc<Place>,
    id: u64,
}

/// Where an exchange takes place. One for each route and worker: what is counted at each request is not shared
/// between processors.
#[derive(Debug)]
pub(crate) struct Place {
    /// What header numbers mean.
    pub(crate) desk: Arc<Desk>,
    /// What only a mapping may set.
    pub(crate) reserved: Arc<Reserved>,
    /// The pattern of the route.
    pub(crate) route: Arc<str>,
}

/// What the router made of a path.
#[derive(Debug, Default)]
pub(crate) struct Target {
    /// The normalised path, where the client spelt it in another way.
    pub(crate) path: Option<String>,
    /// What the parameters of the route stand for.
    pub(crate) parameters: Vec<(String, String)>,
}

impl Exchange {
    /// `id` is the number of the request, unique in this process.
    pub(crate) fn new(request: Request<Body>, peer: Peer, (place, id): (Arc<Place>, u64)) -> Self {
        let (request, body) = request.into_parts();
        Self {
            request,
            body,
            response: None,
            early: HeaderMap::new(),
            peer,
            peer_text: OnceLock::new(),
            target: Target::default(),
            session: None,
            flags: 0,
            place,
            id,
        }
    }

    pub(crate) fn set_target(&mut self, target: Target) {
        self.target = target;
    }

    pub(crate) const fn set_scheme(&mut self, scheme: Scheme) {
        self.peer.scheme = scheme;
    }

    /// The session that a middleware attached.
    pub(crate) const fn attached(&self) -> Option<&Session> {
        self.session.as_ref()
    }

    /// The headers that middlewares have set for the upstream: nobody else can have.
    pub(crate) fn mapped(&self) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
        let headers = self.request.headers.iter();
        let mapped = headers.filter(|(name, _)| self.place.reserved.holds(name));
        mapped.map(|(name, value)| (name.clone(), value.clone()))
    }

    /// Takes what an upstream gets. Method and target stay readable; the headers go along.
    pub(crate) fn take_request(&mut self) -> Request<Body> {
        let mut request = Request::new(std::mem::take(&mut self.body));
        *request.method_mut() = self.request.method.clone();
        *request.uri_mut() = self.forwarded_uri();
        *request.version_mut() = self.request.version;
        // An upgrade takes the session along, to end with it.
        if let Some(session) = &self.session
            && self.request.headers.contains_key(UPGRADE)
        {
            self.request.extensions.insert(session.clone());
        }
        std::mem::swap(request.headers_mut(), &mut self.request.headers);
        std::mem::swap(request.extensions_mut(), &mut self.request.extensions);
        request
    }

    /// The target as the upstream gets it: with the path by which the route was found, and by which everything was
    /// decided.
    fn forwarded_uri(&self) -> Uri {
        let uri = &self.request.uri;
        let Some(path) = &self.target.path else {
            return uri.clone();
        };
        let target = match uri.query() {
            Some(query) => format!("{path}?{query}"),
            None => path.clone(),
        };
        // A normalised path is a path.
        PathAndQuery::try_from(target).map_or_else(|_| uri.clone(), Uri::from)
    }

    pub(crate) const fn id(&self) -> u64 {
        self.id
    }

    pub(crate) const fn has_response(&self) -> bool {
        self.response.is_some()
    }

    pub(crate) fn set_response(&mut self, response: Response<Body>) {
        self.response = Some(response);
    }

    /// Ends the exchange. None: nobody answered.
    pub(crate) fn take_response(&mut self) -> Option<Response<Body>> {
        let mut response = self.response.take()?;
        for (name, value) in &self.early {
            response.headers_mut().append(name, value.clone());
        }
        Some(response)
    }

    fn headers(&self, side: Side) -> &HeaderMap {
        match (side, &self.response) {
            (Side::Request, _) => &self.request.headers,
            (Side::Response, Some(response)) => response.headers(),
            (Side::Response, None) => &self.early,
        }
    }

    fn headers_mut(&mut self, side: Side) -> &mut HeaderMap {
        match (side, &mut self.response) {
            (Side::Request, _) => &mut self.request.headers,
            (Side::Response, Some(response)) => response.headers_mut(),
            (Side::Response, None) => &mut self.early,
        }
    }

    fn name(&self, number: u32) -> Result<&HeaderName, HeaderError> {
        self.place.desk.names.name(number).ok_or(HeaderError)
    }

    fn host(&self) -> Option<&str> {
        let header = self.request.headers.get(HOST);
        let authority = || self.request.uri.authority().map(|host| host.as_str());
        header
            .and_then(|host| host.to_str().ok())
            .or_else(authority)
    }

    fn peer_text(&self) -> Option<&str> {
        self.peer_text
            .get_or_init(|| self.peer.address.map(|address| address.to_string()))
            .as_deref()
    }
}

impl ExchangeObject for Exchange {
    fn fact(&self, fact: Fact) -> Option<&str> {
        let sent_path = || Some(self.request.uri.path());
        match fact {
            Fact::Method => Some(self.request.method.as_str()),
            Fact::Path => self.target.path.as_deref().or_else(sent_path),
            Fact::SentPath => sent_path(),
            Fact::Query => self.request.uri.query(),
            Fact::Host => self.host(),
            Fact::Scheme => Some(self.peer.scheme.as_str()),
            Fact::Peer => self.peer_text(),
            Fact::Route => Some(&self.place.route),
        }
    }

    fn parameter(&self, name: &str) -> Option<&str> {
        let (_, value) = self
            .target
            .parameters
            .iter()
            .find(|(known, _)| known == name)?;
        Some(value)
    }

    fn header(&self, side: Side, name: u32, nth: u32) -> Option<&[u8]> {
        let name = self.place.desk.names.name(name)?;
        let headers = self.headers(side);
        let has_each_once = headers.len() == headers.keys_len();
        let value = match nth {
            0 => headers.get(name),
            _ if has_each_once => None,
            nth => headers.get_all(name).iter().nth(nth as usize),
        };
        value.map(HeaderValue::as_bytes)
    }

    fn each_header(&self, side: Side, visit: &mut dyn FnMut(&str, &[u8])) {
        for (name, value) in self.headers(side) {
            visit(name.as_str(), value.as_bytes());
        }
    }

    fn set_header(&mut self, side: Side, name: u32, value: &[u8]) -> Result<(), HeaderError> {
        let value = HeaderValue::from_bytes(value).map_err(|_| HeaderError)?;
        let name = self.name(name)?.clone();
        self.headers_mut(side).insert(name, value);
        Ok(())
    }

    fn append_header(&mut self, side: Side, name: u32, value: &[u8]) -> Result<(), HeaderError> {
        let value = HeaderValue::from_bytes(value).map_err(|_| HeaderError)?;
        let name = self.name(name)?.clone();
        self.headers_mut(side).append(name, value);
        Ok(())
    }

    fn remove_header(&mut self, side: Side, name: u32) {
        if let Ok(name) = self.name(name).cloned() {
            self.headers_mut(side).remove(name);
        }
    }

    fn set_query(&mut self, query: Option<&str>) -> Result<(), HeaderError> {
        let path = self.request.uri.path();
        let target = match query {
            Some(query) => format!("{path}?{query}"),
            None => path.to_owned(),
        };
        if query.is_some_and(|query| query.contains('#')) {
            return Err(HeaderError);
        }
        let target = PathAndQuery::try_from(target).map_err(|_| HeaderError)?;
        let mut uri = self.request.uri.clone().into_parts();
        uri.path_and_query = Some(target);
        self.request.uri = Uri::from_parts(uri).map_err(|_| HeaderError)?;
        Ok(())
    }

    fn read_body(&mut self, limit: u64) -> Maybe<'_, Result<Vec<u8>, Failure>> {
        Maybe::task(async move {
            let bytes = self.body.buffer(limit).await.map_err(unreadable)?;
            Ok(bytes.to_vec())
        })
    }

    fn respond(&mut self, status: u16, body: &[u8]) {
        let body = bytes::Bytes::copy_from_slice(body);
        let mut response = Response::new(Body::from(body));
        // A plugin may send any number; what is no status is the plugin's defect.
        *response.status_mut() =
            StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        self.response = Some(response);
    }

    fn status(&self) -> u16 {
        let response = self.response.as_ref();
        response.map_or(0, |response| response.status().as_u16())
    }

    fn session(&self) -> Option<&Session> {
        self.session.as_ref()
    }

    fn attach_session(&mut self, session: Session) {
        self.session = Some(session);
    }

    fn flag(&self, flag: u32) -> bool {
        self.flags
            .checked_shr(flag)
            .is_some_and(|flags| flags & 1 == 1)
    }

    fn raise(&mut self, flag: u32) {
        self.flags |= 1_u64.checked_shl(flag).unwrap_or(0);
    }

    fn request_id(&self) -> u64 {
        self.id
    }
}

fn unreadable(error: BodyError) -> Failure {
    let (kind, reason) = match error {
        BodyError::TooLarge => (Kind::TOO_LARGE, "body-too-large"),
        BodyError::ClientGone
        | BodyError::ClientStalled
        | BodyError::Length
        | BodyError::Malformed => (Kind::BAD_REQUEST, "body-unreadable"),
        BodyError::SessionOver => (Kind::UNAUTHORIZED, "session-ended"),
        BodyError::UpstreamGone | BodyError::UpstreamStalled => {
            (Kind::UNAVAILABLE, "body-unreadable")
        }
    };
    Failure::new(kind, reason, error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use abi::Purpose;
    use abi::services::ServicesObject as _;

    #[test]
    fn query_is_replaced_and_removed_without_touching_the_path() {
        let mut exchange = exchange("/a%20b?x=1");

        exchange.set_query(Some("y=2")).unwrap();
        assert_eq!(exchange.request.uri, "/a%20b?y=2");
        exchange.set_query(None).unwrap();
        assert_eq!(exchange.request.uri, "/a%20b");
    }

    #[test]
    fn path_is_the_one_that_was_matched_and_what_was_sent_stays() {
        let path = Some("/admin/x".to_owned());
        let target = Target {
            path,
            ..Target::default()
        };
        let mut exchange = exchange("/%61dmin//x?a");
        exchange.set_target(target);

        exchange.set_query(None).unwrap();

        assert_eq!(exchange.fact(Fact::Path), Some("/admin/x"));
        assert_eq!(exchange.fact(Fact::SentPath), Some("/%61dmin//x"));
        assert_eq!(exchange.request.uri, "/%61dmin//x");
    }

    #[test]
    fn upstream_gets_the_path_that_was_matched() {
        let path = Some("/admin/x".to_owned());
        let target = Target {
            path,
            ..Target::default()
        };
        let mut exchange = exchange("/%61dmin//x?a=%61");
        exchange.set_target(target);

        let request = exchange.take_request();

        assert_eq!(request.uri(), "/admin/x?a=%61");
    }

    #[test]
    fn text_that_is_no_query_changes_nothing() {
        let mut exchange = exchange("/?x=1");

        for query in ["a b", "a#b", "a\nb"] {
            exchange.set_query(Some(query)).unwrap_err();
        }

        assert_eq!(exchange.request.uri, "/?x=1");
    }

    #[test]
    fn response_header_from_before_the_response_is_sent_with_it() {
        let mut exchange = exchange("/");
        let name = exchange.place.desk.header("set-cookie").unwrap();

        exchange
            .append_header(Side::Response, name, b"a=1")
            .unwrap();
        exchange.respond(200, b"");
        exchange
            .append_header(Side::Response, name, b"b=2")
            .unwrap();

        let response = exchange.take_response().unwrap();
        let cookies: Vec<_> = response.headers().get_all("set-cookie").iter().collect();
        assert_eq!(cookies, ["b=2", "a=1"]);
    }

    #[test]
    fn each_line_of_a_header_is_there_and_no_more() {
        let mut exchange = exchange("/");
        let [cookie, vary] =
            ["cookie", "vary"].map(|name| exchange.place.desk.header(name).unwrap());
        let lines = |exchange: &Exchange, name| {
            [0, 1, 2].map(|nth| {
                exchange
                    .header(Side::Request, name, nth)
                    .map(<[u8]>::to_vec)
            })
        };
        exchange.set_header(Side::Request, vary, b"a").unwrap();
        exchange.set_header(Side::Request, cookie, b"b").unwrap();
        assert_eq!(lines(&exchange, cookie), [Some(b"b".to_vec()), None, None]);

        exchange.append_header(Side::Request, cookie, b"c").unwrap();

        let both = [Some(b"b".to_vec()), Some(b"c".to_vec()), None];
        assert_eq!(lines(&exchange, cookie), both);
        assert_eq!(lines(&exchange, vary), [Some(b"a".to_vec()), None, None]);
    }

    #[test]
    fn flags_beyond_the_last_one_are_never_raised() {
        let mut exchange = exchange("/");

        exchange.raise(63);
        exchange.raise(64);

        assert!(exchange.flag(63) && !exchange.flag(64) && !exchange.flag(0));
    }

    fn exchange(target: &str) -> Exchange {
        let request = Request::get(target).body(Body::Empty).unwrap();
        let place = Place {
            desk: Arc::new(Desk::new(Arc::default(), Purpose::Serve)),
            reserved: Arc::default(),
            route: "/".into(),
        };
        let peer = Peer::unknown();
        Exchange::new(request, peer, (Arc::new(place), 1))
    }
}
