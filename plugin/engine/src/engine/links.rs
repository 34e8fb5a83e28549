//! Names that others have for sessions, and what they have said before.
//!
//! A provider ends sessions by names of its own, which say nothing to us. A *link* is a row under such a name that says
//! which sessions are meant; a *mark* is an empty row that says that something has happened. Both go by themselves.

use std::sync::Arc;
use std::time::Duration;

use abi::storage::Unavailable;
use serde_json::{Value, json};

use super::rows::contended;
use super::{Engine, TRIES};
use crate::session::{Deltas, Family, Record, State, Timestamp};

/// A session, as its user's roster names it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Link {
    /// Whose it is.
    pub principal: String,
    /// Which of theirs.
    pub family: Family,
}

impl Engine {
    /// Lets `name` lead to one more session, for so long. Of very many the oldest are forgotten.
    ///
    /// # Errors
    /// When the storage does not answer.
    pub async fn link(&self, name: &str, link: &Link, keep: Duration) -> Result<(), Unavailable> {
        let Some(address) = self.policy.keyring.links(name).into_iter().next() else {
            return Ok(());
        };
        for _ in 0..TRIES {
            let known = self.read(address).await?;
            let now = self.now();
            let row = known.as_ref().map(|row| &row.state);
            let mut links = row.map(links_in).unwrap_or_default();
            links.retain(|(known, until)| known != link && *until > now);
            let superfluous = (links.len() + 1).saturating_sub(MOST);
            links.drain(..superfluous);
            links.push((link.clone(), now.after(keep)));
            let longest = links.iter().map(|(_, until)| until.since(now)).max();
            let state = State::Live(Arc::new(self.record(&links)));
            let keep = longest.unwrap_or(keep);
            let written = match known {
                None => self.add(address, state, keep).await?,
                Some(row) => self.replace((address, row.version), state, keep).await?,
            };
            if written {
                return Ok(());
            }
        }
        Err(contended())
    }

    /// The sessions that `name` leads to; some of them may be over.
    ///
    /// # Errors
    /// When the storage does not answer.
    pub async fn linked(&self, name: &str) -> Result<Vec<Link>, Unavailable> {
        let now = self.now();
        let mut found = Vec::new();
        for address in self.policy.keyring.links(name) {
            if let Some(row) = self.read(address).await? {
                let links = links_in(&row.state).into_iter();
                let alive = links.filter(|(_, until)| *until > now);
                found.extend(alive.map(|(link, _)| link));
            }
        }
        Ok(found)
    }

    /// Writes down for so long that something has happened.
    ///
    /// # Errors
    /// When the storage does not answer: nobody may rely on it then.
    pub async fn mark(&self, name: &str, keep: Duration) -> Result<(), Unavailable> {
        if let Some(address) = self.policy.keyring.links(name).into_iter().next() {
            self.add(address, State::Revoked, keep).await?;
        }
        Ok(())
    }

    /// Whether it was written down.
    ///
    /// # Errors
    /// When the storage does not answer.
    pub async fn is_marked(&self, name: &str) -> Result<bool, Unavailable> {
        for address in self.policy.keyring.links(name) {
            if self.read(address).await?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// A record in which nothing counts but its one attribute: no id leads to it, and nobody asks its clocks.
    fn record(&self, links: &[(Link, Timestamp)]) -> Record {
        let list: Value = links
            .iter()
            .map(|(link, until)| {
                json!([link.principal, link.family.to_string(), until.as_millis()])
            })
            .collect();
        let mut deltas = Deltas::new();
        deltas.set(LINKS, list);
        let blank = self.policy.lifetime.begin(Family::new(0), self.now());
        blank.merge(&deltas)
    }
}

fn links_in(state: &State) -> Vec<(Link, Timestamp)> {
    let State::Live(record) = state else {
        return Vec::new();
    };
    let list = record.attributes().value(LINKS);
    let list = list.map(|list| list.to_value()).unwrap_or_default();
    let links = list.as_array().into_iter().flatten();
    links.filter_map(link_in).collect()
}

fn link_in(value: &Value) -> Option<(Link, Timestamp)> {
    let link = Link {
        principal: value.get(0)?.as_str()?.to_owned(),
        family: value.get(1)?.as_str()?.parse().ok()?,
    };
    let until = Timestamp::from_millis(value.get(2)?.as_u64()?);
    Some((link, until))
}

const LINKS: &str = "links";
/// More sessions than anybody has at one provider.
const MOST: usize = 256;
