//! What happens on a connection before its first request.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::AsyncReadExt;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::activity::Activity;
use super::proxy_protocol::{self, Origin};
use super::watched::{Seat, Watched};
use super::worker::Plan;
use super::{HTTP_2_PREFACE, Peer, Scheme};
use crate::stream::Stream;
use crate::tls::HTTP_2;

/// A connection that was just accepted.
pub(super) struct Socket {
    pub(super) stream: Stream,
    /// `None` on a unix socket.
    pub(super) address: Option<IpAddr>,
    pub(super) seat: Option<Seat>,
}

/// A connection that is about to ask.
pub(super) struct Arrival {
    pub(super) io: Watched,
    pub(super) peer: Peer,
    pub(super) protocol: Protocol,
}

/// What a connection speaks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Protocol {
    Http1,
    Http2,
}

/// Finds out who is there and what they speak. Waits for the first bytes, so that a connection that says nothing costs
/// nothing but itself.
pub(super) async fn arrive(
    socket: Socket,
    plan: &Plan,
    activity: &Arc<Activity>,
) -> io::Result<Arrival> {
    let mut stream = socket.stream;
    let mut peer = plan.peer(socket.address);
    if plan.settings.proxy_protocol && peer.is_trusted {
        let origin = Box::pin(proxy_protocol::read(&mut stream, plan.patience())).await;
        peer = match origin.map_err(io::Error::other)? {
            Origin::Client(address) => plan.peer(Some(address)),
            Origin::Sender => peer,
            // The address is the sender's, and what is said on the connection is not its word.
            Origin::Unnamed => Peer {
                is_trusted: false,
                ..peer
            },
            Origin::Nowhere => Peer::unknown(),
        };
        activity.greeted();
    }
    let mut agreed = None;
    if let Some(tls) = plan.acceptor(&stream) {
        // In a box, so that connections in the clear do not carry the room for it.
        (stream, agreed) = Box::pin(secure(stream, tls, plan.patience())).await?;
        peer.scheme = Scheme::Https;
        activity.greeted();
    }
    let mut io = Watched::new(stream, Arc::clone(activity), socket.seat);
    let protocol = match agreed {
        Some(protocol) => protocol,
        None => look(&mut io).await?,
    };
    if protocol == Protocol::Http2 {
        io.follow_frames();
    }
    Ok(Arrival { io, peer, protocol })
}

/// What was agreed on comes with it (RFC 7301). A client that knows of no agreement speaks HTTP/1.1.
async fn secure(
    stream: Stream,
    tls: &TlsAcceptor,
    patience: Duration,
) -> io::Result<(Stream, Option<Protocol>)> {
    let accepted = timeout(patience, tls.accept(stream)).await;
    let stream = accepted.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
    let protocol = match stream.get_ref().1.alpn_protocol() {
        Some(HTTP_2) => Protocol::Http2,
        _ => Protocol::Http1,
    };
    Ok((Stream::Tls(Box::new(stream.into())), Some(protocol)))
}

/// In the clear a client that knows that we speak HTTP/2 begins with its preface (RFC 9113, section 3.3). The first
/// letter that differs decides, so that no request waits for more than it has.
async fn look(io: &mut Watched) -> io::Result<Protocol> {
    io.readable().await?;
    let mut first = BytesMut::with_capacity(FIRST_READ);
    let protocol = loop {
        if io.read_buf(&mut first).await? == 0 {
            break Protocol::Http1;
        }
        let compared = first.len().min(HTTP_2_PREFACE.len());
        if first[..compared] != HTTP_2_PREFACE[..compared] {
            break Protocol::Http1;
        }
        if compared == HTTP_2_PREFACE.len() {
            break Protocol::Http2;
        }
    };
    io.unread(first.freeze());
    Ok(protocol)
}

// Holds nearly every first request, so that looking at it takes no system call of its own.
const FIRST_READ: usize = 4 * 1024;
