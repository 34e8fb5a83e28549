//! What must not pass a gateway: ambiguous requests, and headers that belong to one connection only.
//!
//! The readers of requests refuse most of what request smuggling is made of; this is the rest (RFC 9110 7.6, RFC 9112 3.2 and 6.3).

mod host;
mod marks;
mod passages;
#[cfg(test)]
mod tests;

use http::header::{
    AUTHORIZATION, CONNECTION, CONTENT_LENGTH, COOKIE, EXPECT, HOST, SET_COOKIE, TE,
    TRANSFER_ENCODING, UPGRADE,
};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method};

use crate::forwarding::{self, Contradiction};
use crate::http1::text;
use crate::websocket;

use self::host::has_one_host;
use self::passages::CDN_LOOP;

pub(crate) use self::host::{locate, name_host};
pub(crate) use self::marks::Marks;
pub(crate) use self::passages::mark;

/// Why a request is not let in.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// Blanks at the end of a value in HTTP/2: whoever reads it as HTTP/1.1 does not see them.
    #[error("the value of a header begins or ends with a blank")]
    Blank,
    /// CONNECT: a gateway is no tunnel to anywhere.
    #[error("CONNECT is not supported")]
    Connect,
    /// `.` or `..` in the path: what it names depends on who resolves it.
    #[error("the path has dot segments")]
    DotSegments,
    /// A trusted proxy says two things about the client, or something malformed.
    #[error("the proxies in front do not agree about the client")]
    Forwarded,
    /// More headers than anybody needs.
    #[error("there are too many headers")]
    Headers,
    /// More than one Host, none in HTTP/1.1, or one that is none.
    #[error("exactly one valid Host is required")]
    Host,
    /// A NUL in the path, where some servers think that it ends.
    #[error("the path has a NUL")]
    Nul,
    /// A path that leads to one route, and to another one for a server that decodes slashes or drops parameters.
    #[error("the path has two readings")]
    TwoReadings,
    /// Content-Length and Transfer-Encoding together.
    #[error("the length of the body is ambiguous")]
    Length,
    /// It has come by this gateway again and again: an upstream is the gateway itself.
    #[error("the request goes round in a circle")]
    Loop,
    /// A tunnel for anything but a WebSocket (RFC 8441).
    #[error("the protocol is not supported")]
    Protocol,
    /// `*` or an authority where a path belongs.
    #[error("the request target is not a path")]
    Target,
}

impl Refusal {
    /// A word for logs that does not change.
    pub(crate) const fn reason(self) -> &'static str {
        match self {
            Self::Blank => "blank",
            Self::Connect => "connect",
            Self::DotSegments => "dot-segments",
            Self::Forwarded => "forwarded",
            Self::Headers => "too-many-headers",
            Self::Host => "host",
            Self::Length => "length",
            Self::Loop => "loop",
            Self::Nul => "nul",
            Self::Protocol => "protocol",
            Self::Target => "target",
            Self::TwoReadings => "two-readings",
        }
    }
}

impl From<Contradiction> for Refusal {
    fn from(_: Contradiction) -> Self {
        Self::Forwarded
    }
}

/// Refuses what could mean two things to two servers.
///
/// # Errors
/// With the first reason.
pub fn inspect(request: &Parts) -> Result<(), Refusal> {
    if request.method == Method::CONNECT {
        return Err(Refusal::Connect);
    }
    if !has_one_host(request) {
        return Err(Refusal::Host);
    }
    let headers = &request.headers;
    if headers.contains_key(CONTENT_LENGTH) && headers.contains_key(TRANSFER_ENCODING) {
        return Err(Refusal::Length);
    }
    let path = request.uri.path();
    if !path.starts_with('/') {
        return Err(Refusal::Target);
    }
    // Most paths have nothing that any of this could be written with.
    if !path.contains(['.', '%', '\\']) {
        return Ok(());
    }
    if path.contains("%00") {
        return Err(Refusal::Nul);
    }
    if has_dot_segment(path) {
        return Err(Refusal::DotSegments);
    }
    Ok(())
}

/// Makes an accepted request ready for the middlewares. Done before any of them runs: a client that names a header in
/// `Connection` must not be able to remove one that a middleware sets.
///
/// What belongs to the connection it came on is removed, but for the wish to open a WebSocket.
///
/// # Errors
/// When it goes round in a circle.
pub fn clean(request: &mut Parts) -> Result<(), Refusal> {
    let marks = Marks::of(&request.headers);
    if marks.has([Marks::PASSAGES]) && passages::are_endless(&request.headers) {
        return Err(Refusal::Loop);
    }
    let is_opening = marks.has([Marks::UPGRADE]) && websocket::is_opening(request);
    let headers = &mut request.headers;
    let trailers = marks.has([Marks::TE]) && text::says(headers.get_all(TE), b"trailers");
    strip_hop_by_hop(headers, marks);
    // The client got its `100 Continue` when the body was first read; the upstream gets the body at once.
    if marks.has([Marks::EXPECT]) {
        headers.remove(EXPECT);
    }
    if trailers {
        headers.insert(TE, HeaderValue::from_static("trailers"));
    }
    if is_opening {
        headers.insert(UPGRADE, HeaderValue::from_static(websocket::PROTOCOL));
    }
    Ok(())
}

/// Removes what belongs to the connection a response came on.
pub fn strip_response(headers: &mut HeaderMap) {
    let marks = Marks::of(headers);
    // The body was read by its Transfer-Encoding; a Content-Length beside it is a lie (RFC 9112 6.3).
    if marks.has([Marks::CODING]) {
        headers.remove(CONTENT_LENGTH);
    }
    strip_hop_by_hop(headers, marks);
}

/// Removes from trailers what only headers may say: how a message is framed, where it goes, who sends it
/// (RFC 9110, section 6.5.1).
pub fn strip_trailers(trailers: &mut HeaderMap) {
    let marks = Marks::of(trailers);
    strip_hop_by_hop(trailers, marks);
    forwarding::remove(trailers);
    for name in &HEADERS_ONLY {
        trailers.remove(name);
    }
}

/// Dot segments also as servers see them that decode slashes, take a backslash for one, or drop parameters: one of
/// these may stand behind the gateway.
fn has_dot_segment(path: &str) -> bool {
    // A dot in a name is no reason to take a path apart.
    if !path.contains("/.") && !path.contains(['%', '\\']) {
        return false;
    }
    let is_dots = |segment: &str| {
        let bare = segment.split(';').next().unwrap_or_default();
        matches!(bare, "." | "..")
    };
    let plain = path.replace("%2e", ".").replace("%2E", ".");
    let plain = SLASHES
        .iter()
        .fold(plain, |plain, slash| plain.replace(slash, "/"));
    plain.split('/').any(is_dots)
}

/// The headers that `Connection` names.
pub(crate) fn named(headers: &HeaderMap) -> impl Iterator<Item = HeaderName> {
    connection_tokens(headers)
        .filter(|token| !is_harmless(token))
        .filter_map(|token| HeaderName::from_bytes(token).ok())
}

/// Also those that stand beside what is no text: somebody else may read them.
fn connection_tokens(headers: &HeaderMap) -> impl Iterator<Item = &[u8]> {
    let lines = headers
        .get_all(CONNECTION)
        .iter()
        .map(HeaderValue::as_bytes);
    let tokens = lines.flat_map(|line| line.split(|&byte| byte == b','));
    tokens.map(<[u8]>::trim_ascii)
}

fn strip_hop_by_hop(headers: &mut HeaderMap, marks: Marks) {
    if marks.has([Marks::CONNECTION]) {
        let named: Vec<HeaderName> = named(headers)
            // A client cannot make the gateway drop what says where a request goes, where it ends and where it was, nor
            // what a proxy in front says of the client: some pass on what the client says of its connection.
            .filter(|name| ![HOST, CONTENT_LENGTH, CDN_LOOP].contains(name))
            .filter(|name| !forwarding::is_claim(name.as_str()))
            .collect();
        for name in named {
            headers.remove(name);
        }
        headers.remove(CONNECTION);
    }
    if marks.has([Marks::CODING, Marks::OTHER, Marks::TE, Marks::UPGRADE]) {
        for name in &HOP_BY_HOP {
            headers.remove(name);
        }
    }
}

/// What nearly every Connection header says: not worth a list of names.
fn is_harmless(token: &[u8]) -> bool {
    token.is_empty()
        || token.eq_ignore_ascii_case(b"close")
        || token.eq_ignore_ascii_case(b"keep-alive")
        || token.eq_ignore_ascii_case(b"upgrade")
}

const SLASHES: [&str; 5] = ["%2f", "%2F", "%5c", "%5C", "\\"];

const HEADERS_ONLY: [HeaderName; 6] = [
    AUTHORIZATION,
    CONTENT_LENGTH,
    COOKIE,
    EXPECT,
    HOST,
    SET_COOKIE,
];

static HOP_BY_HOP: [HeaderName; 8] = [
    HeaderName::from_static("http2-settings"),
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-authenticate"),
    HeaderName::from_static("proxy-authorization"),
    HeaderName::from_static("proxy-connection"),
    TE,
    TRANSFER_ENCODING,
    UPGRADE,
];
