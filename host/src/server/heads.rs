//! How a client may write what stands between the bodies of HTTP/1.1 (RFC 9112, sections 2.2 and 6.1).
//!
//! hyper takes a line feed alone for the end of a line, and of a length beside a transfer coding it drops the length.
//! What it hands on is clean, but a server in front may have read the same bytes in another way, and neither can be seen
//! in a parsed request. So this follows the bytes on their way to the parser, past bodies by what the parser goes by, and
//! finds fault with what it cannot follow.

use memchr::memchr;

/// Follows one connection. One that carries a request at a time costs a search for the ends of lines.
#[derive(Debug, Default)]
pub struct Heads {
    place: Place,
    message: Message,
    /// The beginning of a line whose end has not come yet.
    begun: Vec<u8>,
    /// The last byte of that.
    last: u8,
}

/// What is written to the letter no further than to this byte of those that were followed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("what stands at byte {0} is ambiguous")]
pub struct Fault(pub usize);

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum Place {
    /// Before the first line of a request.
    #[default]
    Start,
    Fields,
    Body(u64),
    /// Before the line with the size of a chunk.
    Size,
    /// A chunk, with the end of its line.
    Chunk(u64),
    Trailers,
    /// Behind a request that offers to speak something else. If that is taken up, what follows are not heads.
    Offer,
    /// There, and something came before the answer.
    Unknown,
}

/// What a head says about what follows it.
#[derive(Clone, Copy, Debug, Default)]
struct Message {
    length: Option<u64>,
    is_coded: bool,
    is_offer: bool,
}

impl Heads {
    /// What a parser is given in place of a fault, and of all that follows. No reading of it is part of a message.
    pub const REFUSED: &[u8] = b"\r\0\r\n\r\n";

    /// Goes on behind what came before. After a fault there is nothing to follow.
    ///
    /// # Errors
    /// With the byte at which a fault was found.
    pub fn follow(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        let mut at = 0;
        while at < bytes.len() {
            let rest = &bytes[at..];
            match self.place {
                Place::Body(left) => at += self.skip(left, rest, Place::Body),
                Place::Chunk(left) => at += self.skip(left, rest, Place::Chunk),
                Place::Offer | Place::Unknown => {
                    self.place = Place::Unknown;
                    break;
                }
                Place::Start | Place::Fields | Place::Size | Place::Trailers => {
                    let Some(end) = memchr(b'\n', rest) else {
                        self.keep(rest);
                        break;
                    };
                    at += end;
                    self.line_ends(&rest[..end]).ok_or(Fault(at))?;
                    at += 1;
                }
            }
        }
        Ok(())
    }

    /// Nothing runs: what comes now is a request, whatever was offered before.
    pub fn nothing_runs(&mut self) {
        if self.place == Place::Offer {
            self.place = Place::Start;
        }
    }

    /// Whether there were bytes that nobody can tell yet what they are. They were not looked at.
    pub fn is_unknown(&self) -> bool {
        self.place == Place::Unknown
    }

    fn skip(&mut self, left: u64, bytes: &[u8], go_on: impl Fn(u64) -> Place) -> usize {
        let passed = left.min(bytes.len() as u64);
        self.place = match left - passed {
            0 if self.message.is_coded => Place::Size,
            0 => self.message.end(),
            left => go_on(left),
        };
        passed as usize
    }

    fn keep(&mut self, part: &[u8]) {
        // One more, so that a line that is cut off is too long without its last byte, too.
        let room = LONGEST + 1 - self.begun.len();
        self.begun.extend_from_slice(&part[..part.len().min(room)]);
        self.last = part.last().copied().unwrap_or(self.last);
    }

    fn line_ends(&mut self, rest: &[u8]) -> Option<()> {
        if self.begun.is_empty() {
            return self.read(rest.strip_suffix(b"\r")?);
        }
        self.keep(rest);
        let begun = std::mem::take(&mut self.begun);
        (self.last == b'\r').then_some(())?;
        self.read(begun.strip_suffix(b"\r").unwrap_or(&begun))
    }

    /// A line without its end.
    fn read(&mut self, line: &[u8]) -> Option<()> {
        self.place = match (self.place, line) {
            // Behind a body some clients send an empty line too many.
            (Place::Start, []) => Place::Start,
            (Place::Start, _) => {
                self.message = Message::default();
                Place::Fields
            }
            (Place::Fields, []) => self.message.body(),
            (Place::Fields, field) => {
                self.message.field(field)?;
                Place::Fields
            }
            (Place::Size, size) => match number(size_digits(size), 16)? {
                0 => Place::Trailers,
                size => Place::Chunk(size.checked_add(2)?),
            },
            (Place::Trailers, []) => self.message.end(),
            (place, _) => place,
        };
        Some(())
    }
}

impl Message {
    fn field(&mut self, line: &[u8]) -> Option<()> {
        match line[0] | 0x20 {
            b'c' if is_named(line, LENGTH) => {
                (line.len() < LONGEST).then_some(())?;
                let value = line[LENGTH.len() + 1..].trim_ascii();
                self.length = Some(number(value, 10)?);
            }
            b't' if is_named(line, CODING) => self.is_coded = true,
            b'u' if is_named(line, UPGRADE) => self.is_offer = true,
            _ => {}
        }
        (!self.is_coded || self.length.is_none()).then_some(())
    }

    fn body(self) -> Place {
        match self.length {
            _ if self.is_coded => Place::Size,
            None | Some(0) => self.end(),
            Some(length) => Place::Body(length),
        }
    }

    fn end(self) -> Place {
        if self.is_offer {
            Place::Offer
        } else {
            Place::Start
        }
    }
}

fn is_named(line: &[u8], name: &[u8]) -> bool {
    line.get(name.len()) == Some(&b':') && line[..name.len()].eq_ignore_ascii_case(name)
}

/// The size of a chunk without what may follow it.
fn size_digits(line: &[u8]) -> &[u8] {
    let end = line.iter().position(|byte| !byte.is_ascii_hexdigit());
    &line[..end.unwrap_or(line.len())]
}

/// Digits and nothing else.
fn number(digits: &[u8], radix: u32) -> Option<u64> {
    let is_digit = |&digit: &u8| char::from(digit).is_digit(radix);
    let is_number = digits.len() < LONGEST && digits.iter().all(is_digit);
    let digits = std::str::from_utf8(digits).ok().filter(|_| is_number)?;
    u64::from_str_radix(digits, radix).ok()
}

const LENGTH: &[u8] = b"content-length";
const CODING: &[u8] = b"transfer-encoding";
const UPGRADE: &[u8] = b"upgrade";

// More than a length, a size or the name of a header that counts here takes. Of a line that comes in pieces no more is
// kept.
const LONGEST: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_to_the_letter_passes_in_any_pieces() {
        let long = "a".repeat(200);
        for text in [
            "GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
            "\r\nPOST / HTTP/1.1\r\nContent-Length: 3\r\n\r\na\nb\r\nGET / HTTP/1.1\r\n\r\n",
            "POST / HTTP/1.1\r\ncontent-length:3\r\nContent-Length: \t3 \r\n\r\n\n\n\nGET / HTTP/1.1\r\n\r\n",
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2;a=b\r\n\n\n\r\nA \r\n\n123456789\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n",
            "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n0\r\nx: a\r\n\r\nGET / HTTP/1.1\r\n\r\n",
            &format!(
                "GET /{long} HTTP/1.1\r\nX: {long}\r\nTransfer-Encoding: {long}\r\n\r\n0\r\n\r\n"
            ),
        ] {
            for size in 1..=text.len() {
                let mut heads = Heads::default();

                assert_eq!(
                    in_pieces(&mut heads, text, size),
                    Ok(()),
                    "{text:?} by {size}"
                );

                assert_eq!(
                    (heads.place, heads.begun.len()),
                    (Place::Start, 0),
                    "{text:?}"
                );
            }
        }
    }

    #[test]
    fn fault_is_found_where_it_is_in_any_pieces() {
        let spaces = " ".repeat(60);
        for (before, after) in [
            ("GET / HTTP/1.1", "\nHost: a\r\n\r\n"),
            ("", "\nGET / HTTP/1.1\r\n\r\n"),
            ("GET / HTTP/1.1\r\nHost: a", "\n\r\n"),
            ("GET / HTTP/1.1\r\nHost: a\r\n", "\n"),
            ("GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\nHost: a", "\n"),
            (
                "POST / HTTP/1.1\r\nContent-Length: 1\r\n\r\n\nGET / HTTP/1.1\r\nHost: a",
                "\n",
            ),
            (
                "POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r",
                "\n",
            ),
            (
                "POST / HTTP/1.1\r\nTRANSFER-ENCODING: chunked\r\nA: b\r\nCONTENT-LENGTH: 1\r",
                "\n",
            ),
            ("POST / HTTP/1.1\r\nContent-Length: +1\r", "\n"),
            ("POST / HTTP/1.1\r\nContent-Length: \r", "\n"),
            (
                &format!("POST / HTTP/1.1\r\nContent-Length: 1{spaces}\r"),
                "\n",
            ),
            (
                &format!(
                    "POST / HTTP/1.1\r\nContent-Length: 1{}\rabc\r",
                    " ".repeat(46)
                ),
                "\n",
            ),
            (
                "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1;a",
                "\nb\r\n",
            ),
            (
                "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nx\r",
                "\n",
            ),
            (
                "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r",
                "\n",
            ),
            (
                "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nx: a",
                "\n\r\n\r\n",
            ),
        ] {
            let text = format!("{before}{after}");
            for size in 1..=text.len() {
                let found = in_pieces(&mut Heads::default(), &text, size);

                assert_eq!(found, Err(Fault(before.len())), "{text:?} by {size}");
            }
        }
    }

    #[test]
    fn nothing_is_said_about_what_may_be_another_protocol() {
        let offer = "POST / HTTP/1.1\r\nUpgrade: b\r\nContent-Length: 1\r\n\r\n\n";
        let (mut taken, mut refused) = (Heads::default(), Heads::default());
        in_pieces(&mut taken, offer, 5).unwrap();
        in_pieces(&mut refused, offer, 100).unwrap();

        refused.nothing_runs();
        taken.follow(b"\n\n").unwrap();
        taken.nothing_runs();

        assert_eq!(refused.follow(b"GET / HTTP/1.1\n"), Err(Fault(14)));
        assert!(taken.is_unknown() && !refused.is_unknown());
    }

    fn in_pieces(heads: &mut Heads, text: &str, size: usize) -> Result<(), Fault> {
        let mut at = 0;
        text.as_bytes().chunks(size).try_for_each(|piece| {
            let found = heads.follow(piece).map_err(|Fault(byte)| Fault(at + byte));
            at += piece.len();
            found
        })
    }
}
