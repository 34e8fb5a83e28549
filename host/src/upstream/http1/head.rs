//! The head of a request as bytes (RFC 9112 2.1).

use http::header::{CONTENT_LENGTH, TE, TRANSFER_ENCODING};
use http::{Method, Request};
use http_body::Body as _;

use crate::body::Body;
use crate::http1::outgoing::{Size, Trailers};
use crate::http1::text::{put, put_field, put_length};

/// About as many bytes as the head of a request has, and not fewer.
pub(super) fn length(request: &Request<Body>) -> usize {
    let target = request
        .uri()
        .path_and_query()
        .map_or(1, |target| target.as_str().len());
    let headers = request.headers().iter();
    let headers = headers.map(|(name, value)| name.as_str().len() + value.len() + SEPARATORS);
    request.method().as_str().len() + target + headers.sum::<usize>() + FIXED
}

/// Writes the head of a request. What it says of its length is what its body has, whatever its headers say.
pub(super) fn write(request: &Request<Body>, out: &mut Vec<u8>) -> Size {
    let target = request.uri().path_and_query();
    let target = target.map_or("/", |target| target.as_str());
    put(
        out,
        &[
            request.method().as_str().as_bytes(),
            b" ",
            target.as_bytes(),
            b" HTTP/1.1\r\n",
        ],
    );
    let mut has_length = false;
    for (name, value) in request.headers() {
        if name == CONTENT_LENGTH || name == TRANSFER_ENCODING {
            has_length = true;
            continue;
        }
        put_field(out, name, value);
        // It is for the next server alone, and whoever that asks has to know (RFC 9110 10.1.4).
        if name == TE {
            put(out, &[b"connection: te\r\n"]);
        }
    }
    let size = size(request.body());
    match size {
        Size::Known(0) if !has_length && !expects_body(request.method()) => {}
        Size::Known(length) => put_length(out, length),
        Size::Chunked(_) | Size::UntilClose => put(out, &[b"transfer-encoding: chunked\r\n"]),
    }
    put(out, &[b"\r\n"]);
    size
}

// A colon, a blank and the end of a line.
const SEPARATORS: usize = 4;
// The version, the blanks around the target, the longest line about the length, the one about TE, the ends of lines.
const FIXED: usize = 80;

fn size(body: &Body) -> Size {
    match body.size_hint().exact() {
        Some(length) => Size::Known(length),
        None => Size::Chunked(Trailers::Sent),
    }
}

/// Methods whose bodies mean something: that there is none is worth saying (RFC 9110 8.6).
fn expects_body(method: &Method) -> bool {
    matches!(*method, Method::POST | Method::PUT | Method::PATCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_its_request_line_and_its_headers() {
        let request = Request::get("/x?y").header("host", "a").header("x-b", "c");

        let (text, size) = written(request.body(Body::Empty).unwrap());

        assert_eq!(text, "GET /x?y HTTP/1.1\r\nhost: a\r\nx-b: c\r\n\r\n");
        assert_eq!(size, Size::Known(0));
    }

    #[test]
    fn te_is_said_to_be_for_the_next_server_alone() {
        let request = Request::post("/").header("te", "trailers");
        let request = request.header("content-length", "18446744073709551615");

        let (text, _) = written(request.body(Body::from("four")).unwrap());

        let expected =
            "POST / HTTP/1.1\r\nte: trailers\r\nconnection: te\r\ncontent-length: 4\r\n\r\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn the_length_that_is_said_is_that_of_the_body() {
        let lying = Request::post("/").header("content-length", "9");
        let lying = lying.header("transfer-encoding", "chunked");

        let (text, size) = written(lying.body(Body::from("four")).unwrap());

        assert_eq!(text, "POST / HTTP/1.1\r\ncontent-length: 4\r\n\r\n");
        assert_eq!(size, Size::Known(4));
    }

    #[test]
    fn that_there_is_no_body_is_said_where_one_is_expected() {
        let post = Request::post("/").body(Body::Empty).unwrap();
        assert!(written(post).0.contains("content-length: 0\r\n"));
        let delete = Request::delete("/").body(Body::Empty).unwrap();
        assert!(!written(delete).0.contains("content-length"));
    }

    fn written(request: Request<Body>) -> (String, Size) {
        let mut out = Vec::new();
        let size = write(&request, &mut out);
        assert!(out.len() <= length(&request));
        (String::from_utf8(out).unwrap(), size)
    }
}
