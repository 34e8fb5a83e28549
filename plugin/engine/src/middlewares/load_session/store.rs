//! Where the sessions of one middleware come from, and how the client is told about them.

use std::sync::Arc;

use abi::config::Faults;
use abi::failure::Kind;
use abi::session::SessionStoreObject;
use abi::storage::{Loaded, Unavailable};
use abi::{Counter, Exchange, Failure, HeaderName, Maybe, Services, Session as Handle, Side};
use tracing::{debug, warn};

use super::config::LoadSessionConfig;
use super::ledger::Notice;
use super::presented::{Place, Places, Presented};
use super::visit::Visit;
use crate::clock::Clock;
use crate::cookie::{CookieName, CookieRules};
use crate::engine::{Engine, Saved, Session};
use crate::session::Lifetime;
use crate::storage::Rows;

/// The sessions of one `LoadSessionMiddleware`, also for plugins that ask for them by its name.
#[derive(Debug)]
pub(super) struct Store {
    pub(super) engine: Engine,
    pub(super) lifetime: Lifetime,
    places: Places,
    cookies: Box<[CookieRules]>,
    forwards_key: bool,
    headers: Headers,
    counters: Counters,
}

#[derive(Debug)]
struct Headers {
    set_cookie: HeaderName,
    cache_control: HeaderName,
}

#[derive(Debug)]
struct Counters {
    found: Counter,
    absent: Counter,
    anonymous: Counter,
    unavailable: Counter,
    events: Vec<(&'static str, Counter)>,
}

impl Store {
    pub(super) fn new(
        config: &LoadSessionConfig,
        rows: Arc<dyn Rows>,
        clock: Arc<dyn Clock>,
        services: &Services,
    ) -> Result<Self, Faults> {
        let places = Places::new(&config.lookup()?, services)?;
        let header = |name: &str| {
            let resolved = services.header(name);
            resolved.map_err(|error| Faults::at("", error.to_string()))
        };
        let cookies = places.cookies().map(|name| config.cookie(name)).collect();
        Ok(Self {
            engine: Engine::new(rows, clock, config.lifetime()),
            lifetime: config.lifetime(),
            places,
            cookies,
            forwards_key: config.forward_session_key,
            headers: Headers {
                set_cookie: header("set-cookie")?,
                cache_control: header("cache-control")?,
            },
            counters: Counters::new(services),
        })
    }

    /// Finds the session of a request and takes its key out of what is forwarded.
    pub(super) fn open<'a>(
        self: &'a Arc<Self>,
        exchange: &mut Exchange<'_>,
    ) -> Maybe<'a, Result<Visit, Failure>> {
        let presented = self.places.find(exchange);
        if !self.forwards_key {
            self.places.strip(exchange);
        }
        let Some((place, id)) = presented.first() else {
            self.counters.anonymous.increment();
            return Maybe::Ready(Ok(Visit::fresh(Arc::clone(self))));
        };
        match self.engine.load(id) {
            Maybe::Ready(Loaded::Found(session)) if session.id() == id && !session.is_due() => {
                self.counters.found.increment();
                Maybe::Ready(Ok(Visit::found(
                    Arc::clone(self),
                    session,
                    place,
                    Notice::Nothing,
                )))
            }
            first => Maybe::task(self.search(presented, first)),
        }
    }

    /// Tries each id that was presented; the first that leads to a session is the one.
    async fn search(
        self: &Arc<Self>,
        presented: Presented,
        first: Maybe<'_, Loaded<Session>>,
    ) -> Result<Visit, Failure> {
        let mut first = Some(first);
        for (place, id) in presented.iter() {
            let load = first.take().unwrap_or_else(|| self.engine.load(id));
            match load.wait().await {
                Loaded::Absent => {}
                Loaded::Unavailable(cause) => return Err(self.outage(&cause)),
                Loaded::Found(session) => {
                    self.counters.found.increment();
                    let session = self.renew(session, place).await;
                    let Some(session) = session else { break };
                    let notice = match session.id() == id {
                        true => Notice::Nothing,
                        false => Notice::Issue,
                    };
                    return Ok(Visit::found(Arc::clone(self), session, place, notice));
                }
            }
        }
        self.counters.absent.increment();
        Ok(Visit::fresh(Arc::clone(self)))
    }

    /// Gives a session that is due a new id, if the client can be told. None: it ended meanwhile.
    async fn renew(&self, session: Session, place: usize) -> Option<Session> {
        if !session.is_due() || !self.places.can_tell(place) {
            return Some(session);
        }
        match self.engine.rotate(&session).await {
            Saved::Done(renewed) => {
                self.count("renewed");
                debug!(key = ?renewed.key(), "session renewed");
                Some(renewed)
            }
            Saved::Lost => None,
            Saved::Unavailable(cause) => {
                // It was read, so it is valid; a storage that can only be read is no reason to turn the user away.
                warn!(%cause, "a session could not be renewed");
                Some(session)
            }
        }
    }

    fn outage(&self, cause: &Unavailable) -> Failure {
        self.counters.unavailable.increment();
        Failure::new(Kind::UNAVAILABLE, "storage-unavailable", cause.to_string())
    }

    /// Refuses to begin a session that no response could tell of.
    pub(super) fn check_sink(&self) -> Result<(), Failure> {
        if self
            .places
            .iter()
            .any(|(place, _)| self.places.can_tell(place))
        {
            return Ok(());
        }
        Err(Failure::internal(
            "keyLookup names only query parameters, so no session can begin here",
        ))
    }

    /// Tells the client its id: in the place it came from, or, for a new session, in every place it will be looked
    /// for. An id from a URL is never turned into a cookie: somebody may have planted it.
    pub(super) fn issue(
        &self,
        exchange: &mut Exchange<'_>,
        session: &Session,
        from: Option<usize>,
    ) {
        let now = self.engine.now();
        let remaining = session.record().remaining(now).unwrap_or_default();
        for (index, place) in self
            .places
            .iter()
            .filter(|(index, _)| from.is_none_or(|from| from == *index))
        {
            match place {
                Place::Cookie(_) => {
                    let cookie = self
                        .rules(index)
                        .map(|rules| rules.issue(session.id(), remaining, now));
                    self.set_cookie(exchange, cookie);
                }
                Place::Header(name) => {
                    let id = session.id().encode();
                    // An id is base64url, which every header can carry.
                    let _ = exchange.set_header(Side::Response, *name, id);
                    self.keep_private(exchange);
                }
                Place::Query(_) => {}
            }
        }
    }

    /// Tells the client that its key is worth nothing any more.
    pub(super) fn clear(&self, exchange: &mut Exchange<'_>, from: Option<usize>) {
        let cookie = from
            .and_then(|place| self.rules(place))
            .map(CookieRules::clear);
        self.set_cookie(exchange, cookie);
    }

    fn rules(&self, place: usize) -> Option<&CookieRules> {
        let name = self.places.cookie_at(place)?;
        self.cookies.iter().find(|rules| rules.name == *name)
    }

    fn set_cookie(&self, exchange: &mut Exchange<'_>, cookie: Option<String>) {
        if let Some(cookie) = cookie {
            // A token, a base64url id and attributes of ours: always a header value.
            let _ = exchange.append_header(Side::Response, self.headers.set_cookie, cookie);
            self.keep_private(exchange);
        }
    }

    /// A response with somebody's key in it must not be in any cache (RFC 9111, section 7.3).
    fn keep_private(&self, exchange: &mut Exchange<'_>) {
        let _ = exchange.set_header(Side::Response, self.headers.cache_control, "no-store");
    }

    pub(super) fn count(&self, event: &str) {
        let events = self.counters.events.iter();
        if let Some((_, counter)) = events.clone().find(|(name, _)| *name == event) {
            counter.increment();
        }
    }
}

impl Counters {
    fn new(services: &Services) -> Self {
        let loads = |outcome| {
            let help = "Requests by what became of their session id.";
            services.counter("session_loads_total", help, &[("outcome", outcome)])
        };
        let events = [
            "created",
            "changed",
            "renewed",
            "regenerated",
            "revoked",
            "lost",
        ]
        .map(|event| {
            let help = "What happened to sessions.";
            (
                event,
                services.counter("session_events_total", help, &[("event", event)]),
            )
        });
        Self {
            found: loads("found"),
            absent: loads("absent"),
            anonymous: loads("anonymous"),
            unavailable: loads("unavailable"),
            events: events.into(),
        }
    }
}

impl Places {
    fn cookies(&self) -> impl Iterator<Item = &CookieName> {
        self.iter().filter_map(|(_, place)| match place {
            Place::Cookie(name) => Some(name),
            Place::Header(_) | Place::Query(_) => None,
        })
    }

    fn cookie_at(&self, index: usize) -> Option<&CookieName> {
        self.iter().nth(index).and_then(|(_, place)| match place {
            Place::Cookie(name) => Some(name),
            Place::Header(_) | Place::Query(_) => None,
        })
    }

    /// Whether a response can carry a new id back to where the old one was.
    fn can_tell(&self, index: usize) -> bool {
        let place = self.iter().nth(index).map(|(_, place)| place);
        matches!(place, Some(Place::Cookie(_) | Place::Header(_)))
    }
}

/// How other plugins use these sessions on routes without the middleware.
#[derive(Debug)]
pub(super) struct StoreObject(pub(super) Arc<Store>);

impl SessionStoreObject for StoreObject {
    fn load<'a>(&'a self, mut exchange: Exchange<'a>) -> Maybe<'a, Result<Handle, Failure>> {
        let opened = self.0.open(&mut exchange);
        opened.map(|visit| visit.map(|visit| Handle::new(Arc::new(visit))))
    }

    fn reset(&self) -> Maybe<'_, Result<u64, Failure>> {
        self.0
            .engine
            .reset()
            .map(|reset| reset.map_err(Failure::from))
    }
}
