//! The head of a response as bytes (RFC 9112 4), and what it says about its body and the connection.

use http::header::{CONNECTION, CONTENT_LENGTH, DATE, TRANSFER_ENCODING};
use http::response::Parts;
use http::{HeaderName, Method};
use http_body::SizeHint;
use hyper::ext::ReasonPhrase;

use super::super::semantics::has_content;
use super::date;
use super::head::Wish;
use crate::http1::outgoing::{Size, Trailers};
use crate::http1::text::{put, put_field, put_length, says};

/// What a response answers.
pub(super) struct Question {
    pub(super) method: Method,
    pub(super) wish: Wish,
}

/// What becomes of the connection after a response.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Afterwards {
    Closed,
    Kept,
    /// Both ends speak another protocol.
    Switched,
}

impl Question {
    /// Writes the head of the response, and says how its body is sent. `body` is how long that is.
    pub(super) fn answer(
        &self,
        head: &Parts,
        body: &SizeHint,
        afterwards: Afterwards,
        out: &mut Vec<u8>,
    ) -> (Size, Afterwards) {
        let has_body = has_content(&self.method, head.status);
        let size = match (has_body, body.exact()) {
            (false, _) => Size::Known(0),
            (true, Some(length)) => Size::Known(length),
            (true, None) => self.unknown(),
        };
        let is_closed =
            size == Size::UntilClose || says(head.headers.get_all(CONNECTION), b"close");
        let afterwards = match afterwards {
            Afterwards::Kept if is_closed => Afterwards::Closed,
            afterwards => afterwards,
        };
        status(head, out);
        let has_date = fields(head, has_body.then_some(CONTENT_LENGTH), out);
        match size {
            Size::Chunked(_) => put(out, &[b"transfer-encoding: chunked\r\n"]),
            Size::Known(length) if has_body => put_length(out, length),
            Size::Known(_) | Size::UntilClose => {}
        }
        if !has_date {
            put(out, &[b"date: ", &date::now(), b"\r\n"]);
        }
        put(out, &[self.connection(afterwards), b"\r\n"]);
        (size, afterwards)
    }

    /// How a body is sent whose length is not known.
    fn unknown(&self) -> Size {
        match self.wish {
            Wish { is_old: true, .. } => Size::UntilClose,
            Wish {
                reads_trailers: true,
                ..
            } => Size::Chunked(Trailers::Sent),
            _ => Size::Chunked(Trailers::Dropped),
        }
    }

    /// What is not said is what the client takes for granted.
    fn connection(&self, afterwards: Afterwards) -> &'static [u8] {
        match (afterwards, self.wish.is_old) {
            (Afterwards::Closed, false) => b"connection: close\r\n",
            (Afterwards::Kept, true) => b"connection: keep-alive\r\n",
            (Afterwards::Closed, true) | (Afterwards::Kept, false) => b"",
            (Afterwards::Switched, _) => b"connection: upgrade\r\n",
        }
    }
}

fn status(head: &Parts, out: &mut Vec<u8>) {
    let reason = head.extensions.get::<ReasonPhrase>();
    let reason = match reason {
        Some(reason) => reason.as_bytes(),
        None => head
            .status
            .canonical_reason()
            .unwrap_or_default()
            .as_bytes(),
    };
    let code = head.status.as_str().as_bytes();
    put(out, &[b"HTTP/1.1 ", code, b" ", reason, b"\r\n"]);
}

/// Writes what is not between the gateway and the client alone, and not `framing`, which is said of a body by what frames
/// it. Whether a date was among it.
fn fields(head: &Parts, framing: Option<HeaderName>, out: &mut Vec<u8>) -> bool {
    let mut has_date = false;
    for (name, value) in &head.headers {
        if *name == CONNECTION || *name == TRANSFER_ENCODING || Some(name) == framing.as_ref() {
            continue;
        }
        has_date |= *name == DATE;
        put_field(out, name, value);
    }
    has_date
}
