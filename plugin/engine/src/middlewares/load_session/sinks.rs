//! How a client is told its session id, and that it is worth nothing any more.

use std::time::Duration;

use abi::config::Faults;
use abi::{Exchange, HeaderName, Services, Side};

use super::caches::Caches;
use super::config::Settings;
use super::presented::{Place, Places};
use crate::cookie::CookieRules;
use crate::session::{SessionId, Timestamp};

/// The places of a response that can carry an id. A query parameter has none.
#[derive(Debug)]
pub(super) struct Sinks {
    /// By the number of the place in the request that each belongs to.
    sinks: Box<[(usize, Sink)]>,
    set_cookie: HeaderName,
    caches: Caches,
}

#[derive(Debug)]
enum Sink {
    Cookie(CookieRules),
    Header(HeaderName),
}

impl Sinks {
    pub(super) fn new(
        settings: &Settings,
        places: &Places,
        services: &Services,
    ) -> Result<Self, Faults> {
        let header = |name: &str| {
            let resolved = services.header(name);
            resolved.map_err(|error| Faults::at("", error.to_string()))
        };
        let sink = |place: &Place| match place {
            Place::Cookie(name) => settings.cookie(name).cloned().map(Sink::Cookie),
            Place::Header(name) => Some(Sink::Header(*name)),
            Place::Query(_) => None,
        };
        let sinks = places
            .iter()
            .filter_map(|(place, what)| Some((place, sink(what)?)));
        Ok(Self {
            sinks: sinks.collect(),
            set_cookie: header("set-cookie")?,
            caches: Caches::new(&settings.lookup, services)?,
        })
    }

    /// Whether no response can tell of a session that begins.
    pub(super) const fn is_empty(&self) -> bool {
        self.sinks.is_empty()
    }

    /// Whether a response can carry a new id back to where the old one was.
    pub(super) fn reaches(&self, place: usize) -> bool {
        self.sinks.iter().any(|(of, _)| *of == place)
    }

    /// Tells the client its id: in the place the old one came from, or, for a new session, in every place it will be
    /// looked for. An id from a URL is never turned into a cookie, nor one that follows from it: somebody may have planted
    /// it. What is drawn anew counts as new.
    pub(super) fn issue(
        &self,
        exchange: &mut Exchange<'_>,
        from: Option<usize>,
        (id, remaining, now): (&SessionId, Duration, Timestamp),
    ) {
        let meant = |place: usize| from.is_none_or(|from| from == place);
        for (_, sink) in self.sinks.iter().filter(|(place, _)| meant(*place)) {
            match sink {
                Sink::Cookie(rules) => {
                    // It may hold the id that this one takes the place of, and would be sent before it.
                    let twin = rules.clear_twin();
                    let cookies = twin.into_iter().chain([rules.issue(id, remaining, now)]);
                    cookies.for_each(|cookie| self.set_cookie(exchange, &cookie));
                }
                Sink::Header(name) => {
                    // An id is base64url: always a header value.
                    let _ = exchange.set_header(Side::Response, *name, id.encode());
                    self.caches.keep_out(exchange);
                }
            }
        }
    }

    /// Tells the client that its key is worth nothing any more, where a client can be made to forget.
    pub(super) fn clear(&self, exchange: &mut Exchange<'_>, from: Option<usize>) {
        for (_, sink) in self.sinks.iter().filter(|(place, _)| Some(*place) == from) {
            let Sink::Cookie(rules) = sink else {
                continue;
            };
            rules
                .clear()
                .for_each(|cookie| self.set_cookie(exchange, &cookie));
        }
    }

    /// Adds a cookie to a response.
    pub(super) fn set_cookie(&self, exchange: &mut Exchange<'_>, cookie: &str) {
        // Ids and snapshots are base64url and the attributes are ours: always a header value.
        let _ = exchange.append_header(Side::Response, self.set_cookie, cookie);
        self.caches.keep_out(exchange);
    }

    /// Keeps a response from caches that is good for this moment only.
    pub(super) fn keep_out(&self, exchange: &mut Exchange<'_>) {
        self.caches.keep_out(exchange);
    }

    /// Tells caches that a response was made of a session.
    pub(super) fn part(&self, exchange: &mut Exchange<'_>) {
        self.caches.part(exchange);
    }
}
