//! Bodies in chunks (RFC 9112 7.1), out of bytes that come in any pieces.

use bytes::{Buf, Bytes};
use http::HeaderMap;

use super::{fields, lines};

/// Why a body cannot be read on.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Error {
    /// Sizes, ends or trailers are not what they have to be (RFC 9112 7.1).
    #[error("a chunk is malformed")]
    Malformed,
    /// The line of a size, or the trailers, are larger than anybody needs.
    #[error("a size or the trailers are too large")]
    TooLarge,
}

/// Reads one body. Bytes behind its end are left.
#[derive(Debug, Default)]
pub struct Chunks {
    state: State,
    /// Of the size of a chunk that is being read, or of the bytes it has left.
    left: u64,
    /// What has come of the line of a size, or of the trailers.
    line: Vec<u8>,
}

/// A part of a body.
#[derive(Debug, Eq, PartialEq)]
pub enum Part {
    /// Some bytes of a chunk; never none.
    Data(Bytes),
    /// What comes behind the last chunk.
    Trailers(HeaderMap),
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum State {
    /// In the line that begins a chunk.
    #[default]
    Size,
    Data,
    /// At the end of the line that ends a chunk; so many bytes of it have come.
    End(u8),
    Trailers,
    Done,
}

impl Chunks {
    /// Takes the next part from `input`. `None` when there is no more in it, or the body has ended.
    ///
    /// # Errors
    /// When it is malformed; there is no way to go on.
    pub fn next(&mut self, input: &mut Bytes) -> Result<Option<Part>, Error> {
        while !input.is_empty() {
            match self.state {
                State::Done => break,
                State::Size => self.size(input.get_u8())?,
                State::Data => return Ok(Some(self.data(input))),
                State::End(come) => self.end(come, input.get_u8())?,
                State::Trailers => {
                    if let Some(trailers) = self.trailers(input.get_u8())? {
                        return Ok(Some(Part::Trailers(trailers)));
                    }
                }
            }
        }
        Ok(None)
    }

    /// Whether the body has ended, trailers and all.
    pub const fn is_done(&self) -> bool {
        matches!(self.state, State::Done)
    }

    fn size(&mut self, byte: u8) -> Result<(), Error> {
        self.keep(byte, MAX_SIZE_BYTES)?;
        let Some(line) = self.line.strip_suffix(b"\n") else {
            return Ok(());
        };
        self.left = size(line)?;
        self.line.clear();
        self.state = match self.left {
            0 => State::Trailers,
            _ => State::Data,
        };
        Ok(())
    }

    fn data(&mut self, input: &mut Bytes) -> Part {
        let there = u64::try_from(input.len()).unwrap_or(u64::MAX);
        let length = self.left.min(there);
        self.left -= length;
        if self.left == 0 {
            self.state = State::End(0);
        }
        // Not longer than what is there.
        Part::Data(input.split_to(length as usize))
    }

    fn end(&mut self, come: u8, byte: u8) -> Result<(), Error> {
        self.state = match (come, byte) {
            (0, b'\r') => State::End(1),
            (1, b'\n') => State::Size,
            _ => return Err(Error::Malformed),
        };
        Ok(())
    }

    /// `None` while there is more to come. A body without any has an empty map of them, which nobody need be told of.
    fn trailers(&mut self, byte: u8) -> Result<Option<HeaderMap>, Error> {
        self.keep(byte, MAX_TRAILER_BYTES)?;
        if self.line == b"\r\n" {
            self.state = State::Done;
            return Ok(None);
        }
        if !self.line.ends_with(b"\r\n\r\n") {
            return Ok(None);
        }
        self.state = State::Done;
        trailers(std::mem::take(&mut self.line)).map(Some)
    }

    fn keep(&mut self, byte: u8, limit: usize) -> Result<(), Error> {
        if self.line.len() >= limit {
            return Err(Error::TooLarge);
        }
        self.line.push(byte);
        Ok(())
    }
}

/// The size in a line, which may go on with blanks or with extensions that mean nothing to anybody.
fn size(line: &[u8]) -> Result<u64, Error> {
    let line = line.strip_suffix(b"\r").ok_or(Error::Malformed)?;
    let is_control = |byte: &u8| byte.is_ascii_control() && *byte != b'\t';
    if line.iter().any(is_control) {
        return Err(Error::Malformed);
    }
    let digits = line.split(|&byte| byte == b';').next().unwrap_or_default();
    let digits = digits.trim_ascii_end();
    if digits.is_empty() || digits.len() > MAX_DIGITS {
        return Err(Error::Malformed);
    }
    digits.iter().try_fold(0, |size: u64, &byte| {
        let digit = char::from(byte).to_digit(16).ok_or(Error::Malformed)?;
        Ok(size << 4 | u64::from(digit))
    })
}

fn trailers(bytes: Vec<u8>) -> Result<HeaderMap, Error> {
    let bytes = Bytes::from(bytes);
    let mut room = [httparse::EMPTY_HEADER; MAX_TRAILERS];
    let parsed = httparse::parse_headers(&bytes, &mut room).map_err(|_| Error::Malformed)?;
    let httparse::Status::Complete((length, parsed)) = parsed else {
        return Err(Error::Malformed);
    };
    if length != bytes.len() || !lines::are_whole(&bytes) {
        return Err(Error::Malformed);
    }
    let mut trailers = HeaderMap::with_capacity(parsed.len());
    fields::read(parsed, &bytes, &mut trailers).map_err(|_| Error::Malformed)?;
    Ok(trailers)
}

// Of 64 bits.
const MAX_DIGITS: usize = 16;
// Extensions are read and dropped; nobody needs more of them.
const MAX_SIZE_BYTES: usize = 1024;
const MAX_TRAILERS: usize = 64;
const MAX_TRAILER_BYTES: usize = 16 * 1024;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_body_is_read_with_its_trailers_and_no_further() {
        let text = "4\r\nwiki\r\n6 ; a=\"b\"\r\n pedia\r\n0\r\nx-sum: 1\r\n\r\nHTTP/1.1";

        let (data, trailers, rest) = read(&[text]).unwrap();

        assert_eq!((&*data, &*rest), ("wiki pedia", "HTTP/1.1"));
        assert_eq!(trailers.unwrap()["x-sum"], "1");
    }

    #[test]
    fn a_body_without_trailers_has_none() {
        assert_eq!(
            read(&["0\r\n\r\n"]).unwrap(),
            (String::new(), None, String::new())
        );
    }

    #[test]
    fn what_two_servers_could_read_in_two_ways_is_refused() {
        let malformed = [
            "4\nwiki\r\n0\r\n\r\n",
            "4\r\nwiki\n0\r\n\r\n",
            "4\r\nwikix\r\n0\r\n\r\n",
            "\r\n",
            ";x\r\n",
            " 4\r\nwiki\r\n",
            "+4\r\nwiki\r\n",
            "0x4\r\nwiki\r\n",
            "4 4\r\nwiki\r\n",
            "4;a\nb\r\nwiki\r\n",
            "4;a\rb\r\nwiki\r\n",
            "10000000000000004\r\nwiki\r\n",
            "0\r\nno colon\r\n\r\n",
            "0\r\n folded: x\r\n\r\n",
            "0\r\nx: a\ny: b\r\n\r\n",
        ];
        for text in malformed {
            assert!(read(&[text]).is_err(), "{text:?}");
        }
    }

    #[test]
    fn lines_without_an_end_are_refused() {
        let digits = "0".repeat(MAX_SIZE_BYTES + 1);
        let trailer = format!("0\r\nx: {}", "y".repeat(MAX_TRAILER_BYTES));
        for text in [digits, trailer] {
            assert!(matches!(read(&[&text]), Err(Error::TooLarge)));
        }
    }

    proptest! {
        #[test]
        fn pieces_of_any_size_say_the_same(
            chunks in prop::collection::vec("[a-z]{1,40}", 0..6),
            cuts in prop::collection::vec(0_usize..400, 0..8),
        ) {
            let mut text: String = chunks
                .iter()
                .map(|chunk| format!("{:X}\r\n{chunk}\r\n", chunk.len()))
                .collect();
            text += "0\r\nx-a: b\r\n\r\nrest";
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut % text.len()).collect();
            cuts.extend([0, text.len()]);
            cuts.sort_unstable();
            let pieces: Vec<&str> = cuts.windows(2).map(|cut| &text[cut[0]..cut[1]]).collect();

            let (data, trailers, rest) = read(&pieces).unwrap();

            prop_assert_eq!(data, chunks.concat());
            prop_assert_eq!(&trailers.unwrap()["x-a"], "b");
            prop_assert_eq!(rest, "rest");
        }
    }

    type Read = (String, Option<HeaderMap>, String);

    fn read(pieces: &[&str]) -> Result<Read, Error> {
        let mut chunks = Chunks::default();
        let (mut data, mut trailers, mut rest) = (String::new(), None, String::new());
        for piece in pieces {
            let mut input = Bytes::copy_from_slice(piece.as_bytes());
            while let Some(part) = chunks.next(&mut input)? {
                match part {
                    Part::Data(bytes) => data += std::str::from_utf8(&bytes).unwrap(),
                    Part::Trailers(map) => trailers = Some(map),
                }
            }
            rest += std::str::from_utf8(&input).unwrap();
        }
        if !chunks.is_done() {
            return Err(Error::Malformed);
        }
        Ok((data, trailers, rest))
    }
}
