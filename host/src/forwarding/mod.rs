//! Who asked, and for what: `X-Forwarded-*` and `Forwarded` (RFC 7239).
//!
//! They are believed from `trustedProxies` and from nobody else, and written anew for the upstream in any case. What an
//! upstream finds there is the gateway's word, up to the leftmost address.

mod claim;
mod node;
mod rfc7239;
mod text;

#[cfg(test)]
mod tests;

use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use http::header::{FORWARDED, HOST};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::config::Networks;
use crate::server::Peer;
use crate::spelling::fold;

use claim::Claim;

/// The other end of a connection, and what is written about it on each of its requests.
#[derive(Debug)]
pub struct Sender {
    peer: Peer,
    /// Its address as `X-Forwarded-For` has it; `None` on a unix socket.
    address: Option<HeaderValue>,
    /// The last Host, and what `Forwarded` said with it: most connections ask for one host. A copy, because what comes
    /// with a request is a part of the buffer that was read to, and would keep it while the connection rests.
    forwarded: Mutex<Option<(Box<[u8]>, HeaderValue)>>,
}

/// What a proxy says about a client is malformed, or it says two things.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Contradiction;

impl Sender {
    /// `address` is that of the connection, or what the PROXY protocol says of it.
    pub fn new(peer: Peer) -> Self {
        let address = peer.address.map(text::address);
        Self {
            peer,
            address,
            forwarded: Mutex::default(),
        }
    }

    /// Who sent the bytes, whatever a request says.
    pub(crate) const fn peer(&self) -> Peer {
        self.peer
    }

    /// Finds out who asks, and writes it down for the upstream. From a trusted proxy the Host becomes the one that the
    /// client asked for.
    ///
    /// # Errors
    /// When a trusted proxy passes on two stories. A proxy that writes one of the two kinds of headers has to remove
    /// the other, or its clients could tell the second story.
    pub fn introduce(
        &self,
        headers: &mut HeaderMap,
        trusted: &Networks,
    ) -> Result<Peer, Contradiction> {
        if !self.peer.is_trusted {
            remove(headers);
            self.write(headers);
            return Ok(self.peer);
        }
        let claim = Claim::read(headers, trusted)?;
        remove(headers);
        Ok(self.pass_on(claim, headers))
    }

    /// What is written when nobody is believed: the same for all requests of a connection to one host.
    fn write(&self, headers: &mut HeaderMap) {
        let scheme = self.peer.scheme;
        let host = headers.get(HOST).cloned();
        if let Some(address) = &self.address {
            headers.insert(X_FORWARDED_FOR, address.clone());
        }
        headers.insert(X_FORWARDED_PROTO, text::scheme(scheme));
        let Some(host) = host else {
            headers.insert(FORWARDED, text::forwarded(&self.hop(), None, scheme));
            return;
        };
        headers.insert(FORWARDED, self.forwarded(&host));
        headers.insert(X_FORWARDED_HOST, host);
    }

    fn forwarded(&self, host: &HeaderValue) -> HeaderValue {
        let mut last = self
            .forwarded
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        match &*last {
            Some((known, forwarded)) if **known == *host.as_bytes() => forwarded.clone(),
            _ => {
                let forwarded = text::forwarded(&self.hop(), Some(host), self.peer.scheme);
                *last = Some((host.as_bytes().into(), forwarded.clone()));
                forwarded
            }
        }
    }

    fn hop(&self) -> [Option<IpAddr>; 1] {
        [self.peer.address]
    }

    fn pass_on(&self, claim: Claim, headers: &mut HeaderMap) -> Peer {
        let scheme = claim.scheme.unwrap_or(self.peer.scheme);
        if let Some(host) = claim.host {
            headers.insert(HOST, host);
        }
        let mut hops = claim.hops;
        // On a unix socket the proxy has no address, and nothing is lost: it is on this machine.
        if self.peer.address.is_some() || hops.is_empty() {
            hops.push(self.peer.address);
        }
        let host = headers.get(HOST).cloned();
        if hops.iter().any(Option::is_some) {
            headers.insert(X_FORWARDED_FOR, text::forwarded_for(&hops));
        }
        headers.insert(X_FORWARDED_PROTO, text::scheme(scheme));
        headers.insert(FORWARDED, text::forwarded(&hops, host.as_ref(), scheme));
        if let Some(host) = host {
            headers.insert(X_FORWARDED_HOST, host);
        }
        Peer {
            address: hops[0],
            scheme,
            is_trusted: true,
        }
    }
}

/// Removes what a client says about itself, in every spelling that an upstream could take for it. Trailers lose it, too.
pub(crate) fn remove(headers: &mut HeaderMap) {
    // A rare second pass, because a map cannot lose entries while it is read.
    while let Some(name) = headers.keys().find(|name| is_claim(name.as_str())).cloned() {
        headers.remove(name);
    }
}

/// Whether it is `Forwarded`, `X-Real-IP` or of the family of `X-Forwarded-For`.
pub(crate) fn is_claim(name: &str) -> bool {
    let mut letters = fold(name);
    match letters.next() {
        Some(b'f') => letters.eq("orwarded".bytes()),
        Some(b'x') => {
            letters.clone().eq("realip".bytes())
                || "forwarded"
                    .bytes()
                    .all(|letter| letters.next() == Some(letter))
        }
        _ => false,
    }
}

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
