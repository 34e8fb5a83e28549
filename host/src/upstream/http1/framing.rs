//! Where the body of an answer ends (RFC 9112 6.3).

use http::header::{CONNECTION, CONTENT_LENGTH, HeaderValue, TRANSFER_ENCODING};
use http::response::Parts;
use http::{HeaderMap, Method, StatusCode, Version};

use super::Error;
use crate::http1::length;
use crate::http1::text::says;
use crate::hygiene::Marks;

/// How the body of an answer is framed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Framing {
    /// In chunks, the last of which is empty.
    Chunked,
    /// By its number of bytes.
    Length(u64),
    /// By the end of the connection.
    UntilClose,
}

/// # Errors
/// [`Error::Length`] where two servers could see two ends.
pub(super) fn of(head: &mut Parts, marks: Marks, method: &Method) -> Result<Framing, Error> {
    let has_no_body = matches!(
        head.status,
        StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED
    );
    let is_coded = marks.has([Marks::CODING]);
    // Beside a coding nobody looks at a length, and it is not passed on.
    let said = match marks.has([Marks::LENGTH]) && !is_coded {
        true => Some(said_once(&mut head.headers)?),
        false => None,
    };
    if has_no_body || method == Method::HEAD {
        return Ok(Framing::Length(0));
    }
    if is_coded {
        return chunked(head);
    }
    Ok(said.map_or(Framing::UntilClose, Framing::Length))
}

/// The length that is said. What was said twice is passed on once.
fn said_once(headers: &mut HeaderMap) -> Result<u64, Error> {
    let length = length(headers)?;
    let mut said = headers.get_all(CONTENT_LENGTH).iter();
    let is_list = said
        .next()
        .is_some_and(|first| first.as_bytes().contains(&b','));
    if is_list || said.next().is_some() {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    Ok(length)
}

/// Whether the connection may be used for another request when the body has ended.
pub(super) fn is_kept(head: &Parts, marks: Marks, method: &Method, framing: Framing) -> bool {
    let is_contradicted = match head.status {
        // Whoever announces a body where none may be may send it, in front of the next answer.
        StatusCode::NO_CONTENT => marks.has([Marks::CODING]) || announces_more(head, marks),
        StatusCode::NOT_MODIFIED => marks.has([Marks::CODING]),
        // A server that takes HEAD for GET sends the body whenever it has it, and by then the next request may wait for an
        // answer. Nothing tells it from one that does not.
        _ if method == Method::HEAD => marks.has([Marks::CODING]) || !announces_nothing(head),
        // An upstream that is unsure about the length may be about the end.
        _ => framing == Framing::Chunked && marks.has([Marks::LENGTH]),
    };
    let says_close = || says(head.headers.get_all(CONNECTION), b"close");
    head.version == Version::HTTP_11
        && framing != Framing::UntilClose
        && !is_contradicted
        && !(marks.has([Marks::CONNECTION]) && says_close())
}

/// Whether a length is said, and not that of nothing.
fn announces_more(head: &Parts, marks: Marks) -> bool {
    marks.has([Marks::LENGTH]) && !announces_nothing(head)
}

/// Whether the length that is said is that of nothing.
fn announces_nothing(head: &Parts) -> bool {
    matches!(length(&head.headers), Ok(0))
}

/// No other coding was asked for (RFC 9110 10.1.4), and HTTP/1.0 knows none.
fn chunked(head: &Parts) -> Result<Framing, Error> {
    let mut codings = head.headers.get_all(TRANSFER_ENCODING).iter();
    match (codings.next(), codings.next(), head.version) {
        (Some(coding), None, Version::HTTP_11)
            if coding.as_bytes().eq_ignore_ascii_case(b"chunked") =>
        {
            Ok(Framing::Chunked)
        }
        _ => Err(Error::Length),
    }
}

fn length(headers: &HeaderMap) -> Result<u64, Error> {
    let said = headers.get_all(CONTENT_LENGTH).iter();
    let said = said.flat_map(|value| value.as_bytes().split(|&byte| byte == b','));
    let agreed = length::agreed(said).ok().flatten();
    agreed.ok_or(Error::Length)
}

#[cfg(test)]
mod tests {
    use http::Response;

    use super::*;

    type Case<'a> = (&'a [(&'a str, &'a str)], Option<Framing>);

    #[test]
    fn the_end_of_a_body_is_where_rfc_9112_has_it() {
        let cases: [Case<'_>; 14] = [
            (&[], Some(Framing::UntilClose)),
            (&[("content-length", "5")], Some(Framing::Length(5))),
            (&[("content-length", "5, 5")], Some(Framing::Length(5))),
            (
                &[("content-length", "5"), ("content-length", "5")],
                Some(Framing::Length(5)),
            ),
            (&[("content-length", "5"), ("content-length", "6")], None),
            (&[("content-length", "+5")], None),
            (&[("content-length", "")], None),
            (&[("content-length", "18446744073709551616")], None),
            (&[("transfer-encoding", "Chunked")], Some(Framing::Chunked)),
            (
                &[("transfer-encoding", "chunked"), ("content-length", "5")],
                Some(Framing::Chunked),
            ),
            (&[("transfer-encoding", "gzip, chunked")], None),
            (
                &[
                    ("transfer-encoding", "chunked"),
                    ("transfer-encoding", "chunked"),
                ],
                None,
            ),
            (&[("transfer-encoding", "identity")], None),
            (&[("transfer-encoding", "\u{b}chunked")], None),
        ];
        for (headers, expected) in cases {
            let mut head = head(headers);
            let found = framing(&mut head, &Method::GET).ok();
            assert_eq!(found, expected, "{headers:?}");
        }
    }

    #[test]
    fn some_answers_have_no_body_whatever_they_say() {
        let mut told = head(&[("content-length", "5")]);
        assert_eq!(
            framing(&mut told, &Method::HEAD).unwrap(),
            Framing::Length(0)
        );
        for status in [204, 304] {
            told.status = StatusCode::from_u16(status).unwrap();
            assert_eq!(
                framing(&mut told, &Method::GET).unwrap(),
                Framing::Length(0)
            );
        }
    }

    #[test]
    fn a_connection_is_closed_behind_a_body_that_must_not_be() {
        let kept_behind = |status: u16, header| {
            let mut head = head(&[header]);
            head.status = StatusCode::from_u16(status).unwrap();
            kept(&head, Framing::Length(0))
        };
        let (chunked, empty, five) = (
            ("transfer-encoding", "chunked"),
            ("content-length", "0"),
            ("content-length", "5"),
        );

        assert!(!kept_behind(204, chunked) && !kept_behind(204, five));
        assert!(kept_behind(204, empty));
        // A 304 says how long the body would be.
        assert!(!kept_behind(304, chunked) && kept_behind(304, five));
    }

    #[test]
    fn a_connection_is_kept_behind_an_answer_to_head_that_no_body_can_follow() {
        let kept_behind = |status: u16, headers| {
            let mut head = head(headers);
            head.status = StatusCode::from_u16(status).unwrap();
            is_kept(
                &head,
                Marks::of(&head.headers),
                &Method::HEAD,
                Framing::Length(0),
            )
        };

        assert!(!kept_behind(200, &[]) && !kept_behind(404, &[("content-length", "5")]));
        assert!(!kept_behind(200, &[("transfer-encoding", "chunked")]));
        assert!(kept_behind(200, &[("content-length", "0")]));
        assert!(kept_behind(204, &[]) && kept_behind(304, &[]));
    }

    #[test]
    fn a_length_is_a_length_also_where_it_is_that_of_no_body() {
        for said in ["5, 6", "abc", ""] {
            let mut head = head(&[("content-length", said)]);
            framing(&mut head, &Method::HEAD).unwrap_err();
            for status in [204, 304] {
                head.status = StatusCode::from_u16(status).unwrap();
                framing(&mut head, &Method::GET).unwrap_err();
            }
        }
    }

    #[test]
    fn a_length_that_was_said_twice_is_passed_on_once() {
        let twice = ("content-length", "5");
        for headers in [&[twice, twice][..], &[("content-length", "5, 5")]] {
            for method in [Method::GET, Method::HEAD] {
                let mut head = head(headers);

                framing(&mut head, &method).unwrap();

                let said: Vec<_> = head.headers.get_all(CONTENT_LENGTH).iter().collect();
                assert_eq!(said, ["5"]);
            }
        }
    }

    #[test]
    fn a_connection_is_kept_where_nothing_speaks_against_it() {
        let five = Framing::Length(5);
        assert!(kept(&head(&[]), five));
        assert!(kept(&head(&[("connection", "keep-alive")]), five));
        assert!(!kept(&head(&[("connection", "x, Close")]), five));
        assert!(!kept(&head(&[]), Framing::UntilClose));
        assert!(!kept(&head(&[("content-length", "5")]), Framing::Chunked));
        let mut old = head(&[]);
        old.version = Version::HTTP_10;
        assert!(!kept(&old, five));
    }

    fn framing(head: &mut Parts, method: &Method) -> Result<Framing, Error> {
        of(head, Marks::of(&head.headers), method)
    }

    fn kept(head: &Parts, framing: Framing) -> bool {
        is_kept(head, Marks::of(&head.headers), &Method::GET, framing)
    }

    fn head(headers: &[(&str, &str)]) -> Parts {
        let mut response = Response::builder();
        for (name, value) in headers {
            let value = HeaderValue::from_bytes(value.as_bytes());
            let value = value.unwrap_or(HeaderValue::from_static("?"));
            response = response.header(*name, value);
        }
        response.body(()).unwrap().into_parts().0
    }
}
