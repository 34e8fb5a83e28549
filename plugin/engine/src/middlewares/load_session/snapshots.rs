//! The cookies in which browsers keep snapshots of their sessions: `strategy: cookieCache`.
//!
//! Beside the cookie with the session id, `sid` for example, there is a second one, `sid_cache`. While the two fit
//! together, requests are answered from it, without the storage:
//!
//! - for the shorter of `ttl` and `updateAge`, counted from when the storage was last asked, and never longer than the
//!   clocks of the session allow. So late, at most, is noticed what somebody else did to the session, its end included;
//!   what happened through the same browser is noticed at once, because the response brought another snapshot or took
//!   both cookies away. A response that was slow to come may bring back an older one, for that time at most.
//! - not on `sensitivePaths`, and not when the use of the session is to be written down (`touchInterval`) or a new id is
//!   due (`autoRenewAfter`): then the storage is asked anyway.
//! - for reading. Whatever writes loads the session first, so a snapshot brings back nothing that is over.
//!
//! While the storage is away, requests are served that a snapshot can answer; those that write are not.

use std::sync::Once;
use std::time::Duration;

use abi::config::Faults;
use abi::{Exchange, Services};
use tracing::warn;

use super::basis::Remembered;
use super::config::{PathGlobs, Settings, SnapshotCookie};
use super::cookie_header::CookieHeader;
use super::presented::{Place, Places, Presented};
use crate::cookie::Candidates;
use crate::engine::Session;
use crate::session::{Lifetime, SessionId, Snapshot, Timestamp};

/// The snapshot cookies of one middleware.
#[derive(Debug)]
pub(super) struct SnapshotCookies {
    /// By the number of the place in the request where the id is that each goes with.
    cookies: Box<[(usize, SnapshotCookie)]>,
    header: CookieHeader,
    lifetime: Lifetime,
    sensitive_paths: PathGlobs,
    too_large: Once,
}

/// What a request says about the snapshots of its client.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held {
    /// When the request came. Nothing that the storage says about the session is older.
    pub(super) since: Timestamp,
    /// Whether there was a snapshot, good or bad.
    pub(super) any: bool,
}

/// A snapshot to go by.
#[derive(Debug)]
pub(super) struct Recalled {
    pub(super) remembered: Remembered,
    /// The place its id stood in.
    pub(super) place: usize,
    /// Whether there is something to write down about the session, so that the storage comes first if it answers.
    pub(super) is_due: bool,
}

impl Held {
    const fn nothing(since: Timestamp) -> Self {
        Self { since, any: false }
    }
}

impl SnapshotCookies {
    /// None when the configuration has no snapshots.
    pub(super) fn new(
        settings: &Settings,
        places: &Places,
        services: &Services,
    ) -> Result<Option<Self>, Faults> {
        let cookie = |(place, what): (usize, &Place)| match what {
            Place::Cookie(name) => Some((place, settings.snapshot(name)?.clone())),
            Place::Header(_) | Place::Query(_) => None,
        };
        let cookies: Box<[_]> = places.iter().filter_map(cookie).collect();
        if cookies.is_empty() {
            return Ok(None);
        }
        Ok(Some(Self {
            cookies,
            header: CookieHeader::resolve(services)?,
            lifetime: settings.policy.lifetime,
            sensitive_paths: settings.sensitive_paths.clone(),
            too_large: Once::new(),
        }))
    }

    /// Looks for a snapshot that one of the ids of a request may be served from.
    ///
    /// Of several ids from a cookie, each has its turn. One from elsewhere that comes before them has no snapshot, and
    /// is not passed over for that.
    pub(super) fn recall(
        &self,
        exchange: &Exchange<'_>,
        presented: &Presented,
        now: Timestamp,
    ) -> (Held, Option<Recalled>) {
        let first = presented.first().map(|(place, _)| place);
        let Some(cookie) = first.and_then(|place| self.at(place)) else {
            return (Held::nothing(now), None);
        };
        let texts = self.header.find(exchange, &cookie.rules.name);
        let held = Held {
            since: now,
            any: texts.clone().next().is_some(),
        };
        if !held.any || self.sensitive_paths.matches(exchange.path()) {
            return (held, None);
        }
        let mut ids = presented.iter();
        let mut recalled = ids.find_map(|found| self.read(found, texts.clone(), now));
        if let Some(recalled) = &mut recalled {
            recalled.remembered.beside = presented.several().into();
        }
        (held, recalled)
    }

    /// The session that an id and one of the texts tell of together, if its clocks let it live.
    fn read(
        &self,
        (place, id): (usize, &SessionId),
        mut texts: Candidates<'_>,
        now: Timestamp,
    ) -> Option<Recalled> {
        let cookie = self.at(place)?;
        let decode = |text| cookie.snapshots.decode(id, text, now).ok();
        let Snapshot { record, .. } = texts.find_map(decode)?;
        self.lifetime.remaining(&record, now).ok()?;
        Some(Recalled {
            is_due: self.lifetime.is_due(&record, now) || self.lifetime.is_touch_due(&record, now),
            place,
            remembered: Remembered {
                id: id.clone(),
                record,
                since: now,
                beside: Box::default(),
            },
        })
    }

    /// The header values that give the client a snapshot of `session`: beside the id that came from this place, or, for
    /// a new session, beside every one. One that is too large for a cookie is none, and takes the place of what the
    /// client has.
    pub(super) fn set(
        &self,
        session: &Session,
        from: Option<usize>,
        held: Held,
        now: Timestamp,
    ) -> impl Iterator<Item = String> {
        let snapshot = Snapshot {
            record: session.record().clone(),
            issued_at: held.since,
        };
        self.of(from).flat_map(move |cookie| {
            let left = self.left(cookie, &snapshot, now);
            let text = cookie.snapshots.encode(session.id(), &snapshot, now);
            if text.is_none() && !left.is_zero() {
                self.say_too_large();
            }
            let cleared = (text.is_none() && held.any).then(|| cookie.rules.clear());
            let set = text.map(|text| cookie.rules.issue_text(text, left, now));
            set.into_iter().chain(cleared.into_iter().flatten())
        })
    }

    /// How long the snapshot counts from now on.
    fn left(&self, cookie: &SnapshotCookie, snapshot: &Snapshot, now: Timestamp) -> Duration {
        let remaining = self.lifetime.remaining(&snapshot.record, now);
        let trusted = cookie.snapshots.ends_at(snapshot).since(now);
        remaining.unwrap_or_default().min(trusted)
    }

    /// The header values that make the client forget its snapshots.
    pub(super) fn clear(&self, from: Option<usize>) -> impl Iterator<Item = String> {
        self.of(from).flat_map(|cookie| cookie.rules.clear())
    }

    /// Keeps every snapshot from the upstream: it has no use for one, and its logs need none.
    pub(super) fn strip(&self, exchange: &mut Exchange<'_>) {
        for (_, cookie) in &self.cookies {
            self.header.strip(exchange, &cookie.rules.name);
        }
    }

    fn at(&self, place: usize) -> Option<&SnapshotCookie> {
        self.of(Some(place)).next()
    }

    fn of(&self, from: Option<usize>) -> impl Iterator<Item = &SnapshotCookie> {
        let is_meant = move |place: usize| from.is_none_or(|from| from == place);
        let cookies = self.cookies.iter();
        cookies.filter_map(move |(place, cookie)| is_meant(*place).then_some(cookie))
    }

    /// Once is enough: whoever keeps so much in one session keeps it in many.
    fn say_too_large(&self) {
        self.too_large.call_once(|| {
            warn!(
                "a session is too large for a snapshot, and is read from the storage at each request"
            );
        });
    }
}
