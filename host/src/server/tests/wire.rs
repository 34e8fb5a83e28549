//! HTTP/2 by hand: frames as bytes, so that tests can be wrong on purpose.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::sync::watch;

use super::super::{HTTP_2_PREFACE, Service, Settings};
use crate::testing::{client_with, settings};

pub(super) const DATA: u8 = 0;
pub(super) const HEADERS: u8 = 1;
pub(super) const PRIORITY: u8 = 2;
pub(super) const RST_STREAM: u8 = 3;
pub(super) const SETTINGS: u8 = 4;
pub(super) const PUSH_PROMISE: u8 = 5;
pub(super) const PING: u8 = 6;
pub(super) const GOAWAY: u8 = 7;
pub(super) const WINDOW_UPDATE: u8 = 8;
pub(super) const CONTINUATION: u8 = 9;

pub(super) const ACK: u8 = 1;
pub(super) const END_STREAM: u8 = 1;
pub(super) const END_HEADERS: u8 = 4;
pub(super) const PADDED: u8 = 8;

/// A frame that was read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Frame {
    pub(super) kind: u8,
    pub(super) flags: u8,
    pub(super) stream: u32,
    pub(super) payload: Vec<u8>,
}

/// A client of a gateway.
pub(super) struct Wire {
    pub(super) stream: UnixStream,
    pub(super) order: watch::Sender<bool>,
}

/// A frame as bytes.
pub(super) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let head = [&length[1..], &[kind, flags], &stream.to_be_bytes()].concat();
    [head.as_slice(), payload].concat()
}

/// A block of headers without any compression (RFC 7541, section 6.2.2).
pub(super) fn block(fields: &[(&str, &str)]) -> Vec<u8> {
    let text = |text: &str| {
        let length = u8::try_from(text.len())
            .ok()
            .filter(|length| *length < 127)
            .unwrap();
        [&[length], text.as_bytes()].concat()
    };
    let field = |(name, value): &(&str, &str)| [vec![0], text(name), text(value)].concat();
    fields.iter().flat_map(field).collect()
}

/// What every request needs.
pub(super) const GET: [(&str, &str); 4] = [
    (":method", "GET"),
    (":scheme", "http"),
    (":authority", "a.test"),
    (":path", "/a"),
];

/// A whole request.
pub(super) fn get(stream: u32) -> Vec<u8> {
    frame(HEADERS, END_STREAM | END_HEADERS, stream, &block(&GET))
}

/// A request whose body is to follow.
pub(super) fn post(stream: u32, more: &[(&str, &str)]) -> Vec<u8> {
    let fields = [&[(":method", "POST")], &GET[1..], more].concat();
    frame(HEADERS, END_HEADERS, stream, &block(&fields))
}

impl Wire {
    /// Connects without a word.
    pub(super) fn silent(service: impl Service, settings: Settings) -> Self {
        let (stream, order) = client_with(service, settings);
        Self { stream, order }
    }

    /// Connects and says what has to be said first.
    pub(super) async fn open(service: impl Service) -> Self {
        Self::open_with(service, settings()).await
    }

    pub(super) async fn open_with(service: impl Service, settings: Settings) -> Self {
        let mut wire = Self::silent(service, settings);
        wire.send(HTTP_2_PREFACE).await;
        wire.send(&frame(SETTINGS, 0, 0, &[])).await;
        wire
    }

    /// Sends bytes; a gateway that has had enough does not read them.
    pub(super) async fn send(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes).await;
    }

    /// The next frame; `None` at the end.
    pub(super) async fn next(&mut self) -> Option<Frame> {
        let mut head = [0; 9];
        self.stream.read_exact(&mut head).await.ok()?;
        let [high, middle, low, kind, flags, stream @ ..] = head;
        let mut payload = vec![0; u32::from_be_bytes([0, high, middle, low]) as usize];
        self.stream.read_exact(&mut payload).await.ok()?;
        Some(Frame {
            kind,
            flags,
            stream: u32::from_be_bytes(stream),
            payload,
        })
    }

    /// Reads up to the next frame of a kind.
    pub(super) async fn until(&mut self, kind: u8) -> Frame {
        loop {
            match self.next().await {
                Some(frame) if frame.kind == kind => return frame,
                Some(_) => {}
                None => panic!("the connection ended before a frame of kind {kind}"),
            }
        }
    }

    /// Everything that comes before the answer to a ping, and whether the connection still stands then.
    pub(super) async fn settle(&mut self, mark: u8) -> (Vec<Frame>, bool) {
        let mut frames = Vec::new();
        self.send(&frame(PING, 0, 0, &[mark; 8])).await;
        while let Some(frame) = self.next().await {
            if (frame.kind, frame.flags, frame.payload.as_slice()) == (PING, ACK, &[mark; 8]) {
                return (frames, true);
            }
            frames.push(frame);
        }
        (frames, false)
    }

    /// Reads until the gateway closes.
    pub(super) async fn rest(&mut self) -> Vec<Frame> {
        let mut frames = Vec::new();
        while let Some(frame) = self.next().await {
            frames.push(frame);
        }
        frames
    }
}

impl Frame {
    /// The code of a GOAWAY or RST_STREAM.
    pub(super) fn code(&self) -> u32 {
        let at = if self.kind == GOAWAY { 4 } else { 0 };
        u32::from_be_bytes(self.payload[at..at + 4].try_into().unwrap())
    }
}
