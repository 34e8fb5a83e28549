//! The head of a request, out of bytes (RFC 9112 2 to 6).
//!
//! What two servers could read in two ways is refused: whoever stands before or behind the gateway may be the second.

use std::mem::MaybeUninit;

use bytes::{Bytes, BytesMut};
use http::header::{CONNECTION, CONTENT_LENGTH, EXPECT, HeaderValue, TE, TRANSFER_ENCODING};
use http::request::Parts;
use http::{HeaderMap, Method, Request, Uri, Version};
use httparse::{ParserConfig, Status};

use crate::http1::fields::{self, MAX_FIELDS};
use crate::http1::text::says;
use crate::http1::wire::Parse;
use crate::http1::{length, lines};
use crate::hygiene::Marks;

/// A request up to its body.
#[derive(Debug)]
pub struct Asked {
    /// Method, target and headers.
    pub head: Parts,
    /// Where its body ends.
    pub framing: Framing,
    /// What it waits for.
    pub expects: Expects,
    /// What its client wants to be done with the connection.
    pub wish: Wish,
}

/// How the body of a request is framed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Framing {
    /// In chunks, the last of which is empty.
    Chunked,
    /// By its number of bytes. A request that says nothing has none.
    Length(u64),
}

/// What a client wants of its connection, and can read on it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Wish {
    /// Whether the connection is to be kept for another request.
    pub is_kept: bool,
    /// Whether it offers to speak another protocol.
    pub is_offer: bool,
    /// Whether it reads trailers, and what it is told otherwise.
    pub reads_trailers: bool,
    /// Whether it knows HTTP/1.0 only: no chunks, and connections end unless it is told.
    pub is_old: bool,
}

/// What a client waits for before it sends a body.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Expects {
    /// Nothing.
    Nothing,
    /// `100 Continue` (RFC 9110 10.1.1).
    Invitation,
}

/// Why something is no request.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Fault {
    /// Nobody can say where the body ends: two lengths, a length beside a coding, or a coding that is not known.
    #[error("the length of the body is ambiguous")]
    Length,
    /// A line feed that stands alone.
    #[error("a line does not end with CR LF")]
    Line,
    /// More headers than anybody needs.
    #[error("there are too many headers")]
    Many,
    /// It is not written as a request is.
    #[error("it is not HTTP/1.1")]
    Syntax,
    /// The target is none.
    #[error("the request target is malformed")]
    Target,
    /// The target is longer than anybody needs.
    #[error("the request target is too long")]
    TargetTooLong,
    /// The head has more bytes than allowed.
    #[error("the headers are too large")]
    TooLarge,
}

impl Fault {
    /// A word for logs that does not change.
    pub(crate) const fn reason(self) -> &'static str {
        match self {
            Self::Length => "length",
            Self::Line => "line-end",
            Self::Many => "too-many-headers",
            Self::Syntax => "syntax",
            Self::Target => "target",
            Self::TargetTooLong => "target-too-long",
            Self::TooLarge => "headers-too-large",
        }
    }
}

/// Reads requests of a connection.
#[derive(Debug)]
pub struct Reader {
    /// The most bytes that a head may have.
    limit: usize,
    /// An empty map to put headers into.
    room: HeaderMap,
}

impl Reader {
    /// `limit` is the most bytes that a head may have.
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            room: HeaderMap::new(),
        }
    }

    /// Takes a map of headers that nobody needs any more, for those of the next request.
    pub(super) fn recycle(&mut self, mut headers: HeaderMap) {
        headers.clear();
        self.room = headers;
    }

    /// Reads a request, if all of its head has come, and the first bytes behind it. What is not used stays.
    ///
    /// # Errors
    /// When it is none. There is no way to go on.
    pub fn read(&mut self, received: &mut BytesMut) -> Result<Option<(Asked, Bytes)>, Fault> {
        let mut rest = received.split().freeze();
        let Some((asked, length)) = self.head(&rest)? else {
            *received = BytesMut::from(rest);
            return match received.len() > self.limit {
                true => Err(Fault::TooLarge),
                false => Ok(None),
            };
        };
        let rest = rest.split_off(length);
        Ok(Some((asked, rest)))
    }

    fn head(&mut self, received: &Bytes) -> Result<Option<(Asked, usize)>, Fault> {
        let mut room = [const { MaybeUninit::uninit() }; MAX_FIELDS];
        let mut parsed = httparse::Request::new(&mut []);
        let parser = ParserConfig::default();
        let status = parser.parse_request_with_uninit_headers(&mut parsed, received, &mut room);
        let Status::Complete(length) = status? else {
            return Ok(None);
        };
        if length > self.limit {
            return Err(Fault::TooLarge);
        }
        if !lines::are_whole(&received[..length]) {
            return Err(Fault::Line);
        }
        let mut head = Request::new(()).into_parts().0;
        head.headers = std::mem::take(&mut self.room);
        fields::read(parsed.headers, received, &mut head.headers)?;
        head.method = method(parsed.method)?;
        head.uri = target(parsed.path, received)?;
        head.version = match parsed.version {
            Some(0) => Version::HTTP_10,
            _ => Version::HTTP_11,
        };
        let marks = Marks::of(&head.headers);
        let framing = framing(&mut head, marks)?;
        let (expects, wish) = (expects(&head, marks), Wish::of(&head, marks));
        let asked = Asked {
            head,
            framing,
            expects,
            wish,
        };
        Ok(Some((asked, length)))
    }
}

impl Parse for Reader {
    type Head = Asked;
    type Error = Fault;

    fn limit(&self) -> usize {
        self.limit
    }

    fn parse(&mut self, received: &mut BytesMut) -> Result<Option<(Asked, Bytes)>, Fault> {
        self.read(received)
    }
}

fn method(parsed: Option<&str>) -> Result<Method, Fault> {
    let name = parsed.unwrap_or_default();
    Method::from_bytes(name.as_bytes()).map_err(|_| Fault::Syntax)
}

fn target(parsed: Option<&str>, received: &Bytes) -> Result<Uri, Fault> {
    let text = parsed.unwrap_or_default();
    if text.len() > MAX_TARGET_BYTES {
        return Err(Fault::TargetTooLong);
    }
    let target = received.slice_ref(text.as_bytes());
    Uri::from_maybe_shared(target).map_err(|_| Fault::Target)
}

/// Where the body ends (RFC 9112 6.3). No coding but chunks was ever offered, and HTTP/1.0 knows none.
fn framing(head: &mut Parts, marks: Marks) -> Result<Framing, Fault> {
    if !marks.has([Marks::LENGTH, Marks::CODING]) {
        return Ok(Framing::Length(0));
    }
    let mut codings = head.headers.get_all(TRANSFER_ENCODING).iter();
    let coding = codings.next();
    let is_alone = codings.next().is_none();
    let mut lengths = head.headers.get_all(CONTENT_LENGTH).iter();
    let Some(coding) = coding else {
        let said = lengths.by_ref().map(HeaderValue::as_bytes);
        let length = length::agreed(said).map_err(|_| Fault::Length)?;
        say_once(&mut head.headers, length);
        return Ok(Framing::Length(length.unwrap_or_default()));
    };
    let is_chunked = coding.as_bytes().eq_ignore_ascii_case(b"chunked");
    let is_clear = is_chunked && is_alone && lengths.next().is_none();
    match is_clear && head.version == Version::HTTP_11 {
        true => Ok(Framing::Chunked),
        false => Err(Fault::Length),
    }
}

/// What was said twice is passed on once.
fn say_once(headers: &mut HeaderMap, length: Option<u64>) {
    if let Some(length) = length
        && headers.get_all(CONTENT_LENGTH).iter().nth(1).is_some()
    {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
}

/// HTTP/1.0 knows no interim answers. What else is expected is not met and need not be refused (RFC 9110 10.1.1).
fn expects(head: &Parts, marks: Marks) -> Expects {
    let is_waiting = || says(head.headers.get_all(EXPECT), b"100-continue");
    let may_wait = marks.has([Marks::EXPECT]) && head.version == Version::HTTP_11;
    match may_wait && is_waiting() {
        true => Expects::Invitation,
        false => Expects::Nothing,
    }
}

impl Wish {
    /// Of a client that has said nothing which could be read.
    pub(super) const NONE: Self = Self {
        is_kept: true,
        is_offer: false,
        reads_trailers: false,
        is_old: false,
    };

    fn of(head: &Parts, marks: Marks) -> Self {
        let is_old = head.version == Version::HTTP_10;
        let headers = &head.headers;
        let has_options = marks.has([Marks::CONNECTION]);
        let connection = |option: &[u8]| has_options && says(headers.get_all(CONNECTION), option);
        // For a word beside what is no text it is not kept.
        let is_wanted = || {
            let lines = headers.get_all(CONNECTION).iter();
            let texts = lines.filter(|line| line.to_str().is_ok());
            says(texts, b"keep-alive")
        };
        Self {
            is_kept: match is_old {
                true => is_wanted() && !connection(b"close"),
                false => !connection(b"close"),
            },
            is_offer: !is_old && marks.has([Marks::UPGRADE]) && connection(b"upgrade"),
            reads_trailers: marks.has([Marks::TE]) && says(headers.get_all(TE), b"trailers"),
            is_old,
        }
    }
}

impl From<httparse::Error> for Fault {
    fn from(error: httparse::Error) -> Self {
        match error {
            httparse::Error::TooManyHeaders => Self::Many,
            _ => Self::Syntax,
        }
    }
}

// The longest that `Uri` takes.
const MAX_TARGET_BYTES: usize = u16::MAX as usize - 1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_read_up_to_its_body() {
        let text = "\r\nPOST /a?b HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello";

        let (asked, rest) = whole(text);

        assert_eq!(
            (asked.head.method, asked.head.uri),
            (Method::POST, "/a?b".parse().unwrap())
        );
        assert_eq!(
            (&asked.head.headers["host"], &rest[..]),
            (&"a".parse().unwrap(), &b"hello"[..])
        );
        assert_eq!(asked.framing, Framing::Length(5));
    }

    #[test]
    fn a_part_of_a_request_waits_for_the_rest_at_any_byte() {
        let text = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";
        for end in 0..text.len() {
            let mut received = BytesMut::from(&text[..end]);
            let read = Reader::new(100).read(&mut received);
            assert!(read.unwrap().is_none(), "{end} bytes");
            assert_eq!(received, text[..end]);
        }
    }

    #[test]
    fn the_end_of_a_body_is_where_rfc_9112_has_it() {
        for (fields, framing) in [
            ("", Ok(Framing::Length(0))),
            ("content-length: 5\r\n", Ok(Framing::Length(5))),
            (
                "content-length: 5\r\nContent-Length:5\r\n",
                Ok(Framing::Length(5)),
            ),
            ("content-length: 5, 5\r\n", Err(Fault::Length)),
            (
                "content-length: 5\r\ncontent-length: 6\r\n",
                Err(Fault::Length),
            ),
            ("content-length: +5\r\n", Err(Fault::Length)),
            ("content-length: \r\n", Err(Fault::Length)),
            ("transfer-encoding: Chunked\r\n", Ok(Framing::Chunked)),
            ("transfer-encoding: gzip, chunked\r\n", Err(Fault::Length)),
            ("transfer-encoding: identity\r\n", Err(Fault::Length)),
            ("transfer-encoding: \u{b}chunked\r\n", Err(Fault::Syntax)),
            (
                "transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n",
                Err(Fault::Length),
            ),
            (
                "transfer-encoding: chunked\r\ncontent-length: 5\r\n",
                Err(Fault::Length),
            ),
            (
                "content-length: 5\r\ntransfer-encoding: chunked\r\n",
                Err(Fault::Length),
            ),
        ] {
            let text = format!("POST / HTTP/1.1\r\n{fields}\r\n");
            assert_eq!(
                read(&text).map(|asked| asked.framing),
                framing,
                "{fields:?}"
            );
        }
        let old = "POST / HTTP/1.0\r\ntransfer-encoding: chunked\r\n\r\n";
        assert_eq!(read(old).map(|asked| asked.framing), Err(Fault::Length));
    }

    #[test]
    fn a_length_that_was_said_twice_is_passed_on_once() {
        let (asked, _) =
            whole("POST / HTTP/1.1\r\ncontent-length: 5\r\ncontent-length: 05\r\n\r\n");

        let lengths: Vec<_> = asked.head.headers.get_all(CONTENT_LENGTH).iter().collect();
        assert_eq!(lengths, ["5"]);
    }

    #[test]
    fn what_is_no_request_is_refused_and_why() {
        let many = "a: b\r\n".repeat(MAX_FIELDS + 1);
        let long = "a".repeat(MAX_TARGET_BYTES);
        for (text, fault) in [
            ("GET / HTTP/1.1\nhost: a\r\n\r\n", Fault::Line),
            ("\nGET / HTTP/1.1\r\nhost: a\r\n\r\n", Fault::Line),
            ("GET / HTTP/1.1\r\nhost: a\r\n\n", Fault::Line),
            ("GET / HTTP/1.1\r\nhost : a\r\n\r\n", Fault::Syntax),
            ("GET / HTTP/1.1\r\nhost: a\r\n b\r\n\r\n", Fault::Syntax),
            ("GET / HTTP/1.1\r\nhost: a\0\r\n\r\n", Fault::Syntax),
            ("GET / HTTP/2.0\r\n\r\n", Fault::Syntax),
            ("GET  / HTTP/1.1\r\n\r\n", Fault::Syntax),
            ("GET a\\b HTTP/1.1\r\n\r\n", Fault::Target),
            (&format!("GET / HTTP/1.1\r\n{many}\r\n"), Fault::Many),
            (
                &format!("GET /{long} HTTP/1.1\r\n\r\n"),
                Fault::TargetTooLong,
            ),
        ] {
            assert_eq!(read(text).err(), Some(fault), "{text:?}");
        }
    }

    #[test]
    fn a_head_has_so_many_bytes_and_no_more_whole_or_not() {
        let text = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";
        for (limit, is_fine) in [(text.len(), true), (text.len() - 1, false)] {
            let read = Reader::new(limit).read(&mut BytesMut::from(text));
            assert_eq!(read.is_ok(), is_fine);
        }
        let unfinished = Reader::new(10).read(&mut BytesMut::from(&text[..11]));
        assert_eq!(unfinished.err(), Some(Fault::TooLarge));
    }

    #[test]
    fn a_client_says_what_becomes_of_its_connection() {
        let wish = |version: &str, fields: &str| {
            let text = format!("GET / HTTP/1.{version}\r\n{fields}\r\n");
            whole(&text).0.wish
        };
        assert!(wish("1", "").is_kept && !wish("0", "").is_kept);
        assert!(!wish("1", "connection: te, Close\r\n").is_kept);
        assert!(wish("0", "connection: Keep-Alive\r\n").is_kept);
        assert!(!wish("0", "connection: keep-alive, close\r\n").is_kept);
        assert!(!wish("0", "connection: \u{ff}, keep-alive\r\n").is_kept);
        assert!(!wish("1", "connection: \u{ff}, close\r\n").is_kept);
        assert!(wish("1", "connection: upgrade\r\nupgrade: x\r\n").is_offer);
        assert!(!wish("1", "upgrade: x\r\n").is_offer);
        assert!(!wish("0", "connection: upgrade\r\nupgrade: x\r\n").is_offer);
        assert!(wish("1", "te: gzip, trailers\r\n").reads_trailers);
    }

    #[test]
    fn a_client_that_expects_more_than_an_invitation_gets_that() {
        let expects = |version: &str, fields: &str| {
            let text = format!("POST / HTTP/1.{version}\r\n{fields}content-length: 2\r\n\r\n");
            whole(&text).0.expects
        };
        for fields in [
            "expect: 100-Continue\r\n",
            "expect: 100-continue, x\r\n",
            "expect: x , 100-continue\r\n",
            "expect: x\r\nexpect: 100-continue\r\n",
        ] {
            assert_eq!(expects("1", fields), Expects::Invitation, "{fields:?}");
            assert_eq!(expects("0", fields), Expects::Nothing, "{fields:?}");
        }
        for fields in ["", "expect: x\r\n", "expect: 100-continue-x\r\n"] {
            assert_eq!(expects("1", fields), Expects::Nothing, "{fields:?}");
        }
    }

    fn read(text: &str) -> Result<Asked, Fault> {
        let mut received = BytesMut::from(text);
        let read = Reader::new(1 << 20).read(&mut received)?;
        Ok(read.expect("it is whole").0)
    }

    fn whole(text: &str) -> (Asked, Bytes) {
        let read = Reader::new(1000).read(&mut BytesMut::from(text));
        read.unwrap().expect("it is whole")
    }
}
