//! An HTTP/1.1 message as it went over the wire.

use std::io::{self, BufRead, Read};

/// A request or a response.
#[derive(Clone, Debug)]
pub struct Message {
    /// The bytes up to and with the empty line, exactly as received.
    pub head: Vec<u8>,
    /// The body with its transfer coding removed.
    pub body: Vec<u8>,
}

/// What is behind a head.
enum Framing {
    Chunked,
    Close,
    Length(u64),
}

impl Message {
    /// Reads the body of a request whose head was read before.
    ///
    /// # Errors
    /// When the connection fails or ends in the middle.
    pub fn with_body(mut self, stream: &mut impl BufRead) -> io::Result<Self> {
        self.body = match self.framing() {
            Framing::Close => Vec::new(),
            framing => framing.read(stream)?,
        };
        Ok(self)
    }

    /// Reads the response to a request that was sent with `method`.
    ///
    /// # Errors
    /// When the connection fails or ends in the middle.
    pub fn read_response(stream: &mut impl BufRead, method: &str) -> io::Result<Self> {
        let mut message = Self::read_head(stream)?.ok_or(io::ErrorKind::UnexpectedEof)?;
        let is_empty = method == "HEAD" || matches!(message.status(), 100..=199 | 204 | 304);
        if !is_empty {
            message.body = message.framing().read(stream)?;
        }
        Ok(message)
    }

    /// Reads up to the empty line and leaves the body where it is.
    ///
    /// # Errors
    /// When the connection fails or ends in the middle.
    pub fn read_head(stream: &mut impl BufRead) -> io::Result<Option<Self>> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let read = stream.read_until(b'\n', &mut head)?;
            match (read, head.is_empty()) {
                (0, true) => return Ok(None),
                (0, false) => return Err(io::ErrorKind::UnexpectedEof.into()),
                _ => {}
            }
        }
        Ok(Some(Self {
            head,
            body: Vec::new(),
        }))
    }

    /// The first line.
    pub fn start_line(&self) -> String {
        self.lines().next().unwrap_or_default()
    }

    /// The path of a request, without its query.
    pub fn path(&self) -> String {
        let line = self.start_line();
        let target = line.split(' ').nth(1).unwrap_or_default();
        target.split('?').next().unwrap_or_default().to_owned()
    }

    /// The status of a response; 0 when the first line has none.
    pub fn status(&self) -> u16 {
        let line = self.start_line();
        line.split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok())
            .unwrap_or(0)
    }

    /// All header fields in order, names in lower case.
    pub fn headers(&self) -> Vec<(String, String)> {
        let fields = self.lines().skip(1);
        let pairs = fields.filter_map(|line| {
            let (name, value) = line.split_once(':')?;
            Some((name.to_ascii_lowercase(), value.trim().to_owned()))
        });
        pairs.collect()
    }

    /// All values of a header, `name` in lower case.
    pub fn values(&self, name: &str) -> Vec<String> {
        let named = self
            .headers()
            .into_iter()
            .filter(|(known, _)| known == name);
        named.map(|(_, value)| value).collect()
    }

    /// The value of a header, `name` in lower case.
    ///
    /// # Panics
    /// When the header is there more than once: no test means that.
    #[track_caller]
    pub fn header(&self, name: &str) -> Option<String> {
        let mut values = self.values(name);
        assert!(values.len() < 2, "several values of {name}: {values:?}");
        values.pop()
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// When it is none.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error} in {:?}", self.text()))
    }

    fn lines(&self) -> impl Iterator<Item = String> {
        let text = String::from_utf8_lossy(&self.head);
        let lines: Vec<String> = text.split("\r\n").map(str::to_owned).collect();
        lines.into_iter()
    }

    fn framing(&self) -> Framing {
        let is_chunked = self
            .values("transfer-encoding")
            .iter()
            .any(|coding| coding == "chunked");
        let length = self
            .values("content-length")
            .first()
            .and_then(|length| length.parse().ok());
        match (is_chunked, length) {
            (true, _) => Framing::Chunked,
            (false, Some(length)) => Framing::Length(length),
            (false, None) => Framing::Close,
        }
    }
}

impl Framing {
    fn read(self, stream: &mut impl BufRead) -> io::Result<Vec<u8>> {
        match self {
            Self::Chunked => read_chunks(stream),
            Self::Close => {
                let mut body = Vec::new();
                stream.read_to_end(&mut body).map(|_| body)
            }
            Self::Length(length) => read_exactly(stream, length),
        }
    }
}

fn read_chunks(stream: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let size = read_line(stream)?;
        let size = size.split(';').next().unwrap_or_default();
        let size = u64::from_str_radix(size, 16).map_err(io::Error::other)?;
        if size == 0 {
            break;
        }
        body.extend(read_exactly(stream, size)?);
        read_line(stream)?;
    }
    // Trailers end like headers do.
    while !read_line(stream)?.is_empty() {}
    Ok(body)
}

fn read_exactly(stream: &mut impl BufRead, length: u64) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    stream.take(length).read_to_end(&mut body)?;
    if (body.len() as u64) < length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(body)
}

fn read_line(stream: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    if stream.read_line(&mut line)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(line.trim_end().to_owned())
}
