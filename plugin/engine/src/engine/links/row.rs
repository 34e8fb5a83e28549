//! What stands in the row of a name.

use serde_json::{Value, json};

use super::Link;
use crate::session::{Deltas, State, Timestamp};

/// The sessions under a name, and the logins that are over.
#[derive(Default)]
pub(super) struct Links {
    /// Which sessions, and how long each is to be found.
    known: Vec<(Link, Timestamp)>,
    /// Logins that were issued until then are over; and how long that is remembered.
    over: Option<(Timestamp, Timestamp)>,
}

impl Links {
    pub(super) fn of(state: &State) -> Self {
        let State::Live(record) = state else {
            return Self::default();
        };
        let attribute = |name| {
            record
                .attributes()
                .value(name)
                .map(|value| value.to_value())
        };
        let list = attribute(LINKS).unwrap_or_default();
        let list = list.as_array().into_iter().flatten();
        Self {
            known: list.filter_map(link_in).collect(),
            over: attribute(OVER).and_then(|over| Some((time_in(&over, 0)?, time_in(&over, 1)?))),
        }
    }

    /// As attributes.
    pub(super) fn to_deltas(&self) -> Deltas {
        let links = self.known.iter().map(|(link, until)| {
            json!([link.principal, link.family.to_string(), until.as_millis()])
        });
        let mut deltas = Deltas::new();
        deltas.set(LINKS, links.collect::<Value>());
        if let Some((issued, until)) = self.over {
            deltas.set(OVER, json!([issued.as_millis(), until.as_millis()]));
        }
        deltas
    }

    /// Forgets what has had its time.
    pub(super) fn sweep(&mut self, now: Timestamp) {
        self.known.retain(|(_, until)| *until > now);
        self.over = self.over.filter(|(_, until)| *until > now);
    }

    pub(super) fn are_over(&self, issued_at: Timestamp) -> bool {
        self.over.is_some_and(|(until, _)| issued_at <= until)
    }

    pub(super) fn add(&mut self, (link, until): (Link, Timestamp)) {
        self.known.retain(|(known, _)| *known != link);
        let superfluous = (self.known.len() + 1).saturating_sub(MOST);
        self.known.drain(..superfluous);
        self.known.push((link, until));
    }

    /// Logins that were issued until the first of the two times are over, which is remembered until the second.
    pub(super) fn end(&mut self, (issued_until, until): (Timestamp, Timestamp)) {
        let (issued, remembered) = self.over.unwrap_or_default();
        self.over = Some((issued.max(issued_until), remembered.max(until)));
    }

    /// The sessions.
    pub(super) fn into_links(self) -> impl Iterator<Item = Link> {
        self.known.into_iter().map(|(link, _)| link)
    }

    /// When the last of it has had its time.
    pub(super) fn last(&self) -> Timestamp {
        let links = self.known.iter().map(|(_, until)| *until);
        let over = self.over.map(|(_, until)| until);
        links.chain(over).max().unwrap_or_default()
    }
}

fn link_in(value: &Value) -> Option<(Link, Timestamp)> {
    let link = Link {
        principal: value.get(0)?.as_str()?.to_owned(),
        family: value.get(1)?.as_str()?.parse().ok()?,
    };
    Some((link, time_in(value, 2)?))
}

fn time_in(list: &Value, place: usize) -> Option<Timestamp> {
    Some(Timestamp::from_millis(list.get(place)?.as_u64()?))
}

const LINKS: &str = "links";
const OVER: &str = "over";
/// More sessions than anybody has at one provider.
const MOST: usize = 256;
