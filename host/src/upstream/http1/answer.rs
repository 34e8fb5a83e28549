//! The head of an answer, out of bytes (RFC 9112 4).

use std::mem::MaybeUninit;

use bytes::{Buf, Bytes, BytesMut};
use http::response::Parts;
use http::{HeaderMap, Method, Response, StatusCode, Version};
use httparse::{ParserConfig, Status};
use hyper::ext::ReasonPhrase;

use super::Error;
use super::framing::{self, Framing};
use crate::http1::fields::{self, MAX_FIELDS};
use crate::http1::lines;
use crate::http1::wire::Parse;
use crate::hygiene::Marks;

/// An answer up to its body.
#[derive(Debug)]
pub struct Answer {
    /// Status and headers.
    pub head: Parts,
    /// Where its body ends.
    pub framing: Framing,
    /// Whether the connection may be used again after its body.
    pub is_kept: bool,
}

/// Reads the answer to a request of a method, if all of its head has come, and the first bytes behind it. Interim
/// answers before it are left out (RFC 9110 15.2): whoever asked for `100 Continue` has it from the gateway. `interim` is how
/// many bytes of them there were so far, and `room` an empty map, which is taken for the headers.
///
/// # Errors
/// Where it is no answer, or where its body ends is not clear.
pub fn parse(
    received: &mut BytesMut,
    method: &Method,
    interim: &mut usize,
    room: &mut HeaderMap,
) -> Result<Option<(Answer, Bytes)>, Error> {
    let mut rest = received.split().freeze();
    loop {
        let Some((head, length)) = head(&rest, room)? else {
            *received = BytesMut::from(rest);
            return match received.len() {
                length if length > MAX_HEAD_BYTES => Err(Error::TooLarge),
                _ => Ok(None),
            };
        };
        rest.advance(length);
        if !is_interim(head.status) {
            return frame(head, method).map(|answer| Some((answer, rest)));
        }
        *interim += length;
        // A stream of them would keep the thread busy, and never be late.
        if *interim > MAX_HEAD_BYTES {
            return Err(Error::TooLarge);
        }
    }
}

fn is_interim(status: StatusCode) -> bool {
    status.is_informational() && status != StatusCode::SWITCHING_PROTOCOLS
}

fn frame(mut head: Parts, method: &Method) -> Result<Answer, Error> {
    let marks = Marks::of(&head.headers);
    let framing = match head.status {
        // What follows is another protocol.
        StatusCode::SWITCHING_PROTOCOLS => Framing::UntilClose,
        _ => framing::of(&mut head, marks, method)?,
    };
    let is_kept = framing::is_kept(&head, marks, method, framing);
    Ok(Answer {
        head,
        framing,
        is_kept,
    })
}

/// A head and how many bytes it has.
fn head(received: &Bytes, headers: &mut HeaderMap) -> Result<Option<(Parts, usize)>, Error> {
    let mut room = [const { MaybeUninit::uninit() }; MAX_FIELDS];
    let mut parsed = httparse::Response::new(&mut []);
    let parser = ParserConfig::default();
    let status = parser.parse_response_with_uninit_headers(&mut parsed, received, &mut room);
    let Status::Complete(length) = status.map_err(Error::Head)? else {
        return Ok(None);
    };
    if !lines::are_whole(&received[..length]) {
        return Err(Error::Head(httparse::Error::NewLine));
    }
    let mut head = Response::new(()).into_parts().0;
    head.status = parsed
        .code
        .and_then(|code| StatusCode::from_u16(code).ok())
        .ok_or(Error::Head(httparse::Error::Status))?;
    head.version = match parsed.version {
        Some(0) => Version::HTTP_10,
        _ => Version::HTTP_11,
    };
    head.headers = std::mem::take(headers);
    if head.headers.capacity() == 0 {
        head.headers.reserve(parsed.headers.len() + SPARE_HEADERS);
    }
    fields::read(parsed.headers, received, &mut head.headers).map_err(Error::Head)?;
    if let Some(reason) = parsed.reason
        && Some(reason) != head.status.canonical_reason()
        && let Ok(reason) = ReasonPhrase::try_from(reason.as_bytes())
    {
        head.extensions.insert(reason);
    }
    Ok(Some((head, length)))
}

/// The answer to a request.
pub(super) struct To<'a> {
    pub(super) method: &'a Method,
    /// How many bytes of interim answers there were.
    pub(super) interim: &'a mut usize,
    /// A map for its headers.
    pub(super) room: &'a mut HeaderMap,
    /// Whether anything has come of it.
    pub(super) has_begun: &'a mut bool,
}

impl Parse for To<'_> {
    type Head = Answer;
    type Error = Error;

    fn limit(&self) -> usize {
        MAX_HEAD_BYTES
    }

    fn parse(&mut self, received: &mut BytesMut) -> Result<Option<(Answer, Bytes)>, Error> {
        *self.has_begun = true;
        parse(received, self.method, self.interim, self.room)
    }
}

// The next request of the client is read into the map of this answer: with room for what the gateway adds to requests,
// it need not grow then.
const SPARE_HEADERS: usize = 8;
const MAX_HEAD_BYTES: usize = 256 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_up_to_its_body() {
        let (answer, rest) = whole("HTTP/1.1 200 Fine\r\nX-A: b\r\nContent-Length: 5\r\n\r\nhello");

        assert_eq!(
            (answer.head.status.as_u16(), answer.framing),
            (200, Framing::Length(5))
        );
        assert_eq!(answer.head.headers["x-a"], "b");
        let reason = answer.head.extensions.get::<ReasonPhrase>().unwrap();
        assert_eq!(reason.as_bytes(), b"Fine");
        assert_eq!((&rest[..], answer.is_kept), (&b"hello"[..], true));
    }

    #[test]
    fn interim_answers_are_left_out() {
        let text = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n\
                    HTTP/1.1 204 No Content\r\n\r\n";

        let (answer, rest) = whole(text);

        assert_eq!((answer.head.status.as_u16(), rest.len()), (204, 0));
        assert!(answer.head.headers.is_empty());
    }

    #[test]
    fn interim_answers_end_in_whatever_pieces_they_come() {
        let text = "HTTP/1.1 103 Early Hints\r\n\r\n";
        for at_once in [1, 7, 10_000] {
            let mut interim = 0;
            let mut parsed = Ok(None);
            for _ in 0..=MAX_HEAD_BYTES / text.len() / at_once {
                assert!(matches!(parsed, Ok(None)), "{interim} bytes");
                let mut received = BytesMut::from(&*text.repeat(at_once));
                let room = &mut HeaderMap::new();
                parsed = parse(&mut received, &Method::GET, &mut interim, room);
            }
            assert!(matches!(parsed, Err(Error::TooLarge)), "{at_once}");
        }
    }

    #[test]
    fn a_part_of_an_answer_waits_for_the_rest_at_any_byte() {
        let text = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
        for end in 0..text.len() {
            let mut received = BytesMut::from(&text[..end]);
            assert!(read(&mut received).unwrap().is_none(), "{end} bytes");
            // Nothing is lost that is still needed.
            assert!(text[..end].ends_with(std::str::from_utf8(&received).unwrap()));
        }
    }

    #[test]
    fn what_is_no_answer_is_refused() {
        for text in [
            "220 smtp ready\r\n\r\n",
            "HTTP/1.1 200 OK\r\nna me: x\r\n\r\n",
            "HTTP/2.0 ",
            "HTTP/1.1 200 OK\r\nX-A: b\nSet-Cookie: c=1\r\n\r\n",
            "HTTP/1.1 200 OK\nContent-Length: 0\n\n",
            "HTTP/1.1 103 Early Hints\n\nHTTP/1.1 200 OK\r\n\r\n",
        ] {
            let parsed = read(&mut BytesMut::from(text));
            assert!(matches!(parsed, Err(Error::Head(_))), "{text:?}");
        }
        let endless = format!("HTTP/1.1 200 OK\r\nx: {}", "y".repeat(MAX_HEAD_BYTES));
        let parsed = read(&mut BytesMut::from(&endless[..]));
        assert!(matches!(parsed, Err(Error::TooLarge)));
    }

    fn read(received: &mut BytesMut) -> Result<Option<(Answer, Bytes)>, Error> {
        parse(received, &Method::GET, &mut 0, &mut HeaderMap::new())
    }

    fn whole(text: &str) -> (Answer, Bytes) {
        let parsed = read(&mut BytesMut::from(text));
        parsed.unwrap().expect("it is whole")
    }
}
