//! The sessions of a principal: who is alive, who has to go, who is ended from elsewhere.
//!
//! Every change is one conditional write of one row, and what a session may do is decided by that row when the session
//! is loaded. So a logout everywhere is over with one write, and a limit cannot be exceeded for a moment.
//!
//! Under several `secrets` a principal may have a roster under each, for the sessions whose rows are under the same one.
//! Sessions move when they are renewed: a mover enters the new roster first and then looks whether it is still on the
//! old one, while whoever ends sessions goes over the rosters to and fro. One of the two sees the other, whichever
//! secret they take for the newest.

use abi::storage::{Key, Unavailable};
use tracing::warn;

use super::event::{Cause, Event, Refusal};
use super::outcome::{Attempt, Revoked, Stop};
use super::revocations::Ended;
use super::session::Session;
use super::{Engine, TOMBSTONE};
use crate::session::{Address, Device, Entry, Excess, Family, Limit, Record, Roster, State};
use crate::storage::Versioned;

/// What becomes of a roster, and what there is to say about it.
enum Amendment<T> {
    Keep(T),
    Write(Roster, T),
}

impl Engine {
    /// The living sessions of `principal`, the youngest first.
    ///
    /// # Errors
    /// When the storage does not answer.
    pub async fn sessions_of(&self, principal: &str) -> Result<Vec<Entry>, Unavailable> {
        let mut entries = Vec::new();
        for address in self.policy.keyring.rosters(principal) {
            let (_, roster) = self.roster(address).await?;
            entries.extend(roster.swept(self.now()).entries());
        }
        entries.sort_by_key(|entry: &Entry| (std::cmp::Reverse(entry.created_at), entry.family));
        entries.dedup_by_key(|entry| entry.family);
        Ok(entries)
    }

    /// Ends one session of `principal`. A family of somebody else is [`Revoked::Absent`], like an unknown one.
    pub async fn revoke_one(&self, principal: &str, family: Family) -> Revoked {
        match self
            .dismiss(principal, |entry| entry.family != family)
            .await
        {
            Ok(0) => Revoked::Absent,
            Ok(_) => Revoked::Done,
            Err(cause) => Revoked::Unavailable(cause),
        }
    }

    /// Ends every session of the principal of `session` except this one, and says how many; none when it belongs to
    /// nobody.
    ///
    /// # Errors
    /// When the storage does not answer: some may have ended.
    pub async fn revoke_others(&self, session: &Session) -> Result<usize, Unavailable> {
        let record = &session.record;
        match self.policy.principal_of(record.attributes()) {
            Some(principal) => {
                self.dismiss(&principal, |entry| entry.family == record.family())
                    .await
            }
            None => Ok(0),
        }
    }

    /// Ends every session of `principal`, and says how many.
    ///
    /// # Errors
    /// When the storage does not answer: some may have ended.
    pub async fn revoke_all(&self, principal: &str) -> Result<usize, Unavailable> {
        self.dismiss(principal, |_| false).await
    }

    async fn dismiss(
        &self,
        principal: &str,
        stays: impl Fn(&Entry) -> bool,
    ) -> Result<usize, Unavailable> {
        let mut dismissed = 0;
        let rosters = self.policy.keyring.rosters(principal);
        let (to, fro) = (rosters.iter(), rosters.iter().rev().skip(1));
        for address in to.chain(fro) {
            let gone = self.amend(*address, |roster| {
                let (left, now) = (roster.retain(&stays), self.now());
                let gone = roster.living(now) - left.living(now);
                match gone {
                    0 => Amendment::Keep(0),
                    gone => Amendment::Write(left, gone),
                }
            });
            let gone = gone.await?;
            (0..gone).for_each(|_| self.happened(Event::Revoked(Cause::Elsewhere), address.key()));
            dismissed += gone;
        }
        Ok(dismissed)
    }

    /// Puts a session that begins on the roster of its principal.
    pub(super) async fn admit(
        &self,
        principal: &str,
        entry: Entry,
        replaced: Option<Family>,
    ) -> Attempt<()> {
        let rosters = self.policy.keyring.rosters(principal);
        let Some((newest, older)) = rosters.split_first() else {
            return Ok(());
        };
        let mut elsewhere = Vec::new();
        for address in older {
            let (_, roster) = self.roster(*address).await?;
            elsewhere.extend(roster.swept(self.now()).entries());
        }
        elsewhere.retain(|entry: &Entry| Some(entry.family) != replaced);
        let limit = self.policy.limit.unwrap_or(MOST);
        self.enter(*newest, (entry, replaced), Some(limit), &elsewhere)
            .await
    }

    async fn enter(
        &self,
        address: Address,
        (entry, replaced): (Entry, Option<Family>),
        limit: Option<Limit>,
        elsewhere: &[Entry],
    ) -> Attempt<()> {
        let evicted = self.amend(address, |roster| {
            // Who moved here stands there still, until the time runs out that it had there.
            let is_only_there = |entry: &&Entry| !roster.names(entry.family);
            let elsewhere = elsewhere.iter().filter(is_only_there).count();
            match roster.admit((entry.clone(), replaced), limit, (elsewhere, self.now())) {
                Some(admission) => {
                    Amendment::Write(admission.roster, Some(admission.evicted.len()))
                }
                None => Amendment::Keep(None),
            }
        });
        let Some(evicted) = evicted.await? else {
            self.happened(Event::Refused(Refusal::TooManySessions), address.key());
            return Err(Stop::Refused(Refusal::TooManySessions));
        };
        if evicted > 0 && self.policy.limit.is_none() {
            let most = MOST.sessions;
            warn!("a user has {most} sessions, the oldest ended: does a client log in each time?");
        }
        (0..evicted).for_each(|_| self.happened(Event::Revoked(Cause::Evicted), address.key()));
        Ok(())
    }

    /// Tells the roster about new clocks of a session before they count, so that the roster never ends before it.
    /// A session that is not on its roster any more is over.
    pub(super) async fn note(&self, record: &Record, at: &Address) -> Attempt<()> {
        let Some(key) = record.roster() else {
            return Ok(());
        };
        let now = self.entry(record, None);
        let is_member = self.amend(at.beside(key), |roster| match roster.entry(now.family) {
            None => Amendment::Keep(false),
            Some(known) if known.seen_at >= now.seen_at && known.expires_at >= now.expires_at => {
                Amendment::Keep(true)
            }
            Some(known) => Amendment::Write(roster.with(known.or_later(now.clone())), true),
        });
        if is_member.await? {
            Ok(())
        } else {
            Err(Stop::Lost)
        }
    }

    /// Tells the roster that a session is about to have less time than `before`, and says what it was told until now; none
    /// when there is nothing to tell.
    ///
    /// The write over the row that held `before` has to follow. Whoever meanwhile gives the session more time tells the
    /// roster again, or believed that it knew; then one of the two writes of that row fails. If it is the one that takes
    /// time, the roster has to be [told what it knew](Self::note_as_before), and otherwise is told anew.
    pub(super) async fn note_less(
        &self,
        (record, before): (&Record, &Record),
        at: &Address,
    ) -> Attempt<Option<Entry>> {
        let less = self.entry(record, None);
        let is_less = less.expires_at < self.policy.lifetime.ends_at(before);
        let is_same = less.family == before.family();
        let Some(key) = record.roster().filter(|_| is_less && is_same) else {
            return Ok(None);
        };
        let told = self.amend(at.beside(key), |roster| match roster.entry(less.family) {
            Some(known) if known.expires_at > less.expires_at => {
                let expires_at = less.expires_at;
                let entry = Entry {
                    expires_at,
                    ..known.clone()
                };
                Amendment::Write(roster.with(entry), Some(known))
            }
            Some(_) | None => Amendment::Keep(None),
        });
        Ok(told.await?)
    }

    /// Takes back what [`note_less`](Self::note_less) told the roster of a session.
    pub(super) async fn note_as_before(
        &self,
        told: Option<Entry>,
        (record, at): (&Record, &Address),
    ) -> Attempt<()> {
        let (Some(key), Some(told)) = (record.roster(), told) else {
            return Ok(());
        };
        let taken_back = self.amend(at.beside(key), |roster| match roster.entry(told.family) {
            Some(known) => Amendment::Write(roster.with(known.or_later(told.clone())), ()),
            None => Amendment::Keep(()),
        });
        Ok(taken_back.await?)
    }

    /// Whether the roster still names the session, or there is none. Who was ended from elsewhere is over, whatever is
    /// in the row.
    pub(super) async fn check_named(&self, session: &Session) -> Attempt<()> {
        let Some(key) = session.record.roster() else {
            return Ok(());
        };
        let (_, roster) = self.roster(session.address().beside(key)).await?;
        if roster.names(session.record.family()) {
            Ok(())
        } else {
            Err(Stop::Lost)
        }
    }

    /// The record as a member of the roster that its principal has where its row goes to.
    pub(super) async fn move_home(
        &self,
        record: Record,
        (from, to): (&Address, &Address),
    ) -> Attempt<Record> {
        let principal = self.policy.principal_of(record.attributes());
        let home = principal.map(|principal| self.policy.keyring.roster_beside(to, &principal));
        let Some(home) = home.filter(|home| Some(home.key()) != record.roster()) else {
            self.note(&record, from).await?;
            return Ok(record);
        };
        let device = self.device_of(&record, from).await?;
        let entry = self.entry(&record, device);
        self.enter(home, (entry, None), None, &[]).await?;
        let moved = record.clone().on_roster(Some(home.key()));
        match self.note(&record, from).await {
            Ok(()) => Ok(moved),
            Err(stop) => {
                self.strike(&moved, to).await;
                Err(stop)
            }
        }
    }

    /// Takes a session that is over off its roster. An outage does not matter: it would stand there, dead, until its
    /// time runs out.
    pub(super) async fn strike(&self, record: &Record, at: &Address) {
        let Some(key) = record.roster() else {
            return;
        };
        let _ = self.expel(at.beside(key), record.family()).await;
    }

    /// Takes a session off a roster, and says whether it stood there.
    pub(super) async fn expel(&self, roster: Address, family: Family) -> Result<bool, Unavailable> {
        let change = |roster: &Roster| match roster.names(family) {
            false => Amendment::Keep(false),
            true => Amendment::Write(roster.retain(|entry| entry.family != family), true),
        };
        self.amend(roster, change).await
    }

    /// Writes what `change` makes of the roster, unless others come first for too long.
    async fn amend<T>(
        &self,
        address: Address,
        change: impl Fn(&Roster) -> Amendment<T>,
    ) -> Result<T, Unavailable> {
        let mut contest = self.contest(address.key()).await?;
        loop {
            let (version, roster) = self.roster(address).await?;
            let (amended, result) = match change(&roster) {
                Amendment::Keep(result) => return Ok(result),
                Amendment::Write(amended, result) => (amended, result),
            };
            let gone = gone(&roster, &amended);
            if self.put(address, version, amended).await? {
                let ended = gone
                    .into_iter()
                    .map(|family| Ended::Member(address, family));
                ended.for_each(|ended| self.remember(ended));
                return Ok(result);
            }
            contest.lost().await?;
        }
    }

    async fn put(
        &self,
        address: Address,
        version: Option<u64>,
        roster: Roster,
    ) -> Result<bool, Unavailable> {
        // Longer than its last session: a roster that begins anew counts its versions anew. By a clock that is ahead it
        // might end sooner than its sessions do by the clocks of others, so each has what it had when it was last seen.
        let left = roster.ends_at().since(self.now());
        let keep = left.max(roster.longest_left()) + TOMBSTONE;
        let state = State::Roster(roster);
        match version {
            Some(version) => self.replace((address, version), state, keep).await,
            None => self.begin_at(address, state, keep).await,
        }
    }

    /// The roster without what has been over for a while, and the version of its row; none when there is no row. What is
    /// over by this clock may not be by that of another gateway, where it would be ended by being left out.
    async fn roster(&self, address: Address) -> Result<(Option<u64>, Roster), Unavailable> {
        Ok(match self.read(address).await? {
            Some(Versioned {
                version,
                state: State::Roster(roster),
            }) => (Some(version), roster.swept(self.now().before(TOMBSTONE))),
            Some(Versioned { version, .. }) => (Some(version), Roster::default()),
            None => (None, Roster::default()),
        })
    }

    /// Where the login of a session came from, as its roster says.
    async fn device_of(&self, record: &Record, at: &Address) -> Attempt<Option<Device>> {
        let Some(key) = record.roster() else {
            return Ok(None);
        };
        let (_, roster) = self.roster(at.beside(key)).await?;
        let entry = roster.entry(record.family());
        Ok(entry.and_then(|entry| entry.device))
    }

    pub(super) fn entry(&self, record: &Record, device: Option<Device>) -> Entry {
        Entry {
            device,
            family: record.family(),
            created_at: record.created_at(),
            seen_at: record.seen_at(),
            expires_at: self.policy.lifetime.ends_at(record),
        }
    }

    pub(super) fn happened(&self, event: Event, key: Key) {
        self.observer.happened(event, key);
    }
}

/// Where nothing else is said: more than anybody has, and so few that the row can be read with every request. A client
/// that keeps no cookie and logs in each time would make it grow without end.
const MOST: Limit = Limit {
    sessions: 1000,
    excess: Excess::EvictOldest,
};

/// Who stands on the roster `before` and not `after`.
fn gone(before: &Roster, after: &Roster) -> Vec<Family> {
    let families = before.entries().map(|entry| entry.family);
    families.filter(|family| !after.names(*family)).collect()
}
