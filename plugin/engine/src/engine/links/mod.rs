//! Names that others have for sessions, and what they have said before.
//!
//! A provider ends sessions by names of its own, which say nothing to us. A *link* is a row under such a name that says
//! which sessions are meant, and which logins under this name are *over*; a *mark* is an empty row that says that something
//! has happened. Both go by themselves.
//!
//! A logout may overtake its login: the provider speaks of it before the login is linked. So both write the one row of the
//! name, and whichever comes second sees the other.

mod row;

use std::time::Duration;

use abi::storage::Unavailable;

use self::row::Links;
use super::Engine;
use crate::session::{Address, Family, Record, State, Timestamp};
use crate::storage::Versioned;

/// A session, as its user's roster names it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Link {
    /// Whose it is.
    pub principal: String,
    /// Which of theirs.
    pub family: Family,
}

/// What else is to be known of a login.
#[derive(Clone, Copy, Debug)]
pub struct Linking {
    /// When the provider spoke of it, by the provider's clock.
    pub issued_at: Timestamp,
    /// How long it is to be found.
    pub keep: Duration,
}

/// What came of it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Linked {
    /// The name leads to it.
    Done,
    /// The login is over already.
    Over,
}

impl Engine {
    /// Lets `name` lead to one more session, unless its login is over. Of very many the oldest are forgotten.
    ///
    /// # Errors
    /// When the storage does not answer.
    pub async fn link(
        &self,
        name: &str,
        link: &Link,
        linking: Linking,
    ) -> Result<Linked, Unavailable> {
        let Some(address) = self.policy.keyring.links(name).into_iter().next() else {
            return Ok(Linked::Done);
        };
        let until = self.now().after(linking.keep);
        self.amend_links(address, |links| {
            if links.are_over(linking.issued_at) {
                return Linked::Over;
            }
            links.add((link.clone(), until));
            Linked::Done
        })
        .await
    }

    /// Ends the logins under `name` that were issued until then, by the provider's clock, and says which sessions those
    /// may be; to end them is left to the caller. It is remembered for so long: until then, such a login is over when it
    /// is linked.
    ///
    /// # Errors
    /// When the storage does not answer.
    pub async fn end_logins(
        &self,
        name: &str,
        (issued_until, keep): (Timestamp, Duration),
    ) -> Result<Vec<Link>, Unavailable> {
        let until = self.now().after(keep);
        for address in self.policy.keyring.links(name) {
            self.amend_links(address, |links| {
                links.end((issued_until, until));
                Linked::Done
            })
            .await?;
        }
        self.linked(name).await
    }

    /// The sessions that `name` leads to; some of them may be over.
    ///
    /// # Errors
    /// When the storage does not answer.
    pub async fn linked(&self, name: &str) -> Result<Vec<Link>, Unavailable> {
        let mut found = Vec::new();
        for address in self.policy.keyring.links(name) {
            let row = self.read(address).await?;
            found.extend(links_in(row.as_ref(), self.now()).into_links());
        }
        Ok(found)
    }

    /// Writes down for so long that something has happened.
    ///
    /// # Errors
    /// When the storage does not answer: nobody may rely on it then.
    pub async fn mark(&self, name: &str, keep: Duration) -> Result<(), Unavailable> {
        if let Some(address) = self.policy.keyring.links(name).into_iter().next() {
            self.begin_at(address, State::Revoked, keep).await?;
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

    /// Writes what `change` makes of a row, unless that is over.
    async fn amend_links(
        &self,
        address: Address,
        change: impl Fn(&mut Links) -> Linked,
    ) -> Result<Linked, Unavailable> {
        let mut contest = self.contest(address.key()).await?;
        loop {
            let row = self.read(address).await?;
            let now = self.now();
            let mut links = links_in(row.as_ref(), now);
            if change(&mut links) == Linked::Over {
                return Ok(Linked::Over);
            }
            let keep = links.last().since(now);
            let state = State::Live(self.record(&links));
            let written = match row {
                None => self.begin_at(address, state, keep).await?,
                Some(row) => self.replace((address, row.version), state, keep).await?,
            };
            if written {
                return Ok(Linked::Done);
            }
            contest.lost().await?;
        }
    }

    /// A record in which nothing counts but its attributes: no id leads to it, and nobody asks its clocks.
    fn record(&self, links: &Links) -> Record {
        let blank = self.policy.lifetime.begin(Family::new(0), self.now());
        blank.merge(&links.to_deltas())
    }
}

/// What a row says that has not had its time.
fn links_in(row: Option<&Versioned>, now: Timestamp) -> Links {
    let mut links = row.map(|row| Links::of(&row.state)).unwrap_or_default();
    links.sweep(now);
    links
}
