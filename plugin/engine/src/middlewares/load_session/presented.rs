//! The session ids that a request presents, and the request without them.

use abi::config::Faults;
use abi::{Exchange, HeaderName, Services, Side};

use super::cookie_header::CookieHeader;
use crate::cookie::CookieName;
use crate::session::SessionId;
use crate::{KeyLookup, Source};

/// How many ids of one request are tried. A browser sends several when a sibling site set a cookie of the same name.
pub(super) const MOST: usize = 4;

/// Ids of the right shape, in the order to try them, each with the place it was found in.
#[derive(Debug, Default)]
pub(super) struct Presented {
    ids: [Option<(usize, SessionId)>; MOST],
}

/// Where to look, with every header name resolved.
#[derive(Debug)]
pub(super) struct Places {
    places: Box<[Place]>,
    cookies: CookieHeader,
}

#[derive(Debug)]
pub(super) enum Place {
    Cookie(CookieName),
    Header(HeaderName),
    Query(Box<str>),
}

impl Presented {
    pub(super) fn first(&self) -> Option<(usize, &SessionId)> {
        self.iter().next()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, &SessionId)> {
        self.ids.iter().flatten().map(|(place, id)| (*place, id))
    }

    /// All of them, where there are several.
    pub(super) fn several(&self) -> Vec<SessionId> {
        match self.ids {
            [_, None, ..] => Vec::new(),
            _ => self.iter().map(|(_, id)| id.clone()).collect(),
        }
    }

    /// An id and its place, if it was presented.
    pub(super) fn find(&self, id: &SessionId) -> Option<(usize, &SessionId)> {
        self.iter().find(|(_, known)| *known == id)
    }

    /// Keeps `text` if it has the shape of an id. Nothing else of a request is ever taken for one.
    fn offer(&mut self, place: usize, text: &[u8]) {
        let Some(id) = SessionId::parse(text) else {
            return;
        };
        let is_known = self.iter().any(|(_, known)| *known == id);
        if let Some(room) = self.ids.iter_mut().find(|room| room.is_none())
            && !is_known
        {
            *room = Some((place, id));
        }
    }
}

impl Places {
    pub(super) fn new(lookup: &KeyLookup, services: &Services) -> Result<Self, Faults> {
        let resolve = |name: &str| {
            let resolved = services.header(name);
            resolved.map_err(|error| Faults::at("keyLookup", error.to_string()))
        };
        let place = |source: &Source| match source {
            Source::Cookie(name) => Ok(Place::Cookie(name.clone())),
            Source::Header(name) => resolve(name).map(Place::Header),
            Source::Query(name) => Ok(Place::Query(name.clone())),
        };
        let places: Result<_, Faults> = lookup.sources().iter().map(place).collect();
        Ok(Self {
            places: places?,
            cookies: CookieHeader::resolve(services)?,
        })
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, &Place)> {
        self.places.iter().enumerate()
    }

    /// Finds the ids of a request.
    pub(super) fn find(&self, exchange: &Exchange<'_>) -> Presented {
        let mut presented = Presented::default();
        for (index, place) in self.iter() {
            match place {
                Place::Cookie(name) => {
                    for value in self.cookies.find(exchange, name) {
                        presented.offer(index, value);
                    }
                }
                Place::Header(name) => {
                    let value = exchange.header(Side::Request, *name);
                    presented.offer(index, value.unwrap_or_default());
                }
                Place::Query(name) => {
                    for value in pairs(exchange.query()).filter_map(|pair| value(pair, name)) {
                        presented.offer(index, value.as_bytes());
                    }
                }
            }
        }
        presented
    }

    /// Removes every key from what is forwarded, valid or not: it would let an upstream, or its logs, be the user.
    pub(super) fn strip(&self, exchange: &mut Exchange<'_>) {
        for (_, place) in self.iter() {
            match place {
                Place::Cookie(name) => self.cookies.strip(exchange, name),
                Place::Header(name) => exchange.remove_header(Side::Request, *name),
                Place::Query(name) => strip_query(exchange, name),
            }
        }
    }
}

fn strip_query(exchange: &mut Exchange<'_>, name: &str) {
    let query = exchange.query();
    if !pairs(query).any(|pair| value(pair, name).is_some()) {
        return;
    }
    let kept: Vec<&str> = pairs(query)
        .filter(|pair| value(pair, name).is_none())
        .collect();
    let kept = Some(kept.join("&")).filter(|kept| !kept.is_empty());
    // Part of what was a query before is one again; were it not, a lost query is the safe side.
    if exchange.set_query(kept.as_deref()).is_err() {
        let _ = exchange.set_query(None);
    }
}

fn pairs(query: Option<&str>) -> impl Iterator<Item = &str> {
    query.unwrap_or_default().split('&')
}

/// The value of a `name=value` pair of this name, as it stands in the URL: an id needs no escapes.
fn value<'q>(pair: &'q str, name: &str) -> Option<&'q str> {
    let (found, value) = pair.split_once('=').unwrap_or((pair, ""));
    (found == name).then_some(value)
}
