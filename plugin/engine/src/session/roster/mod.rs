//! The sessions of one principal.
//!
//! One row per principal names its sessions by their family. It is the truth about them: a session that belongs to
//! somebody is alive only while it stands here. So ending one, all others or all of them, and keeping their number
//! below a limit, is one conditional write of one row each, however many there are.

mod entries;
mod lone;
mod packed;

use std::fmt;
use std::time::Duration;

use super::device::Device;
use super::family::Family;
use super::timestamp::Timestamp;

pub(crate) use self::entries::Entries;
pub(crate) use self::lone::Lone;
pub(crate) use self::packed::Packed;

/// The living sessions of a principal. Immutable, like a [`Record`](super::Record), and cheap to clone.
#[derive(Clone, Eq, PartialEq)]
pub struct Roster(Entries);

/// What the roster knows about a session.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Entry {
    /// Which session.
    pub family: Family,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was last seen in use.
    pub seen_at: Timestamp,
    /// When it ends, if nothing happens before.
    pub expires_at: Timestamp,
    /// Where the login came from, if that is known.
    pub device: Option<Device>,
}

/// How many sessions a principal may have, and what becomes of one more.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limit {
    /// At least 1.
    pub sessions: usize,
    /// What happens at the limit.
    pub excess: Excess,
}

/// What becomes of a login beyond the limit.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Excess {
    /// The oldest session ends.
    EvictOldest,
    /// The login is refused.
    Refuse,
}

/// A roster with one more session, and the sessions that ended for it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Admission {
    /// What to store.
    pub roster: Roster,
    /// Who had to go.
    pub evicted: Vec<Family>,
}

impl Entry {
    /// The same session with the later of both clocks: what is known may be newer than what is told. Where the login
    /// came from is told once.
    #[must_use]
    pub fn or_later(&self, other: Self) -> Self {
        Self {
            device: other.device.or_else(|| self.device.clone()),
            seen_at: self.seen_at.max(other.seen_at),
            expires_at: self.expires_at.max(other.expires_at),
            ..other
        }
    }
}

impl Roster {
    /// The sessions in the order of their families. Some may be over already: see [`swept`](Self::swept).
    pub fn entries(&self) -> impl Iterator<Item = Entry> {
        self.0.iter()
    }

    /// Whether a session is on the roster.
    pub fn names(&self, family: Family) -> bool {
        self.0.names(family)
    }

    /// What is known about a session; nothing when it is not on the roster.
    pub fn entry(&self, family: Family) -> Option<Entry> {
        self.0.find(family)
    }

    /// Adds a session; none when the limit refuses it. What is over at `now` does not count. `elsewhere` is how many more
    /// living sessions the principal has on rosters of older secrets. A session that the new one replaces is about to go: it does not count, and nobody
    /// has to go for it.
    pub fn admit(
        &self,
        (entry, replaced): (Entry, Option<Family>),
        limit: Option<Limit>,
        (elsewhere, now): (usize, Timestamp),
    ) -> Option<Admission> {
        let newcomer = entry.family;
        let mut roster = self.with(entry);
        let Some(limit) = limit else {
            let evicted = Vec::new();
            return Some(Admission { roster, evicted });
        };
        let is_living = |family| self.swept(now).names(family);
        let going = usize::from(replaced.is_some_and(is_living));
        let living = roster.living(now) + elsewhere;
        let excess = living.saturating_sub(limit.sessions + going);
        if excess > 0 && limit.excess == Excess::Refuse {
            return None;
        }
        let evicted = roster.swept(now).oldest(excess, [Some(newcomer), replaced]);
        roster = roster.retain(|entry| !evicted.contains(&entry.family));
        Some(Admission { roster, evicted })
    }

    /// The roster with this entry, in place of the one that its family had.
    #[must_use]
    pub fn with(&self, entry: Entry) -> Self {
        std::iter::once(entry).chain(self.entries()).collect()
    }

    /// The roster with those sessions only that `stays` names.
    #[must_use]
    pub fn retain(&self, stays: impl Fn(&Entry) -> bool) -> Self {
        self.entries().filter(|entry| stays(entry)).collect()
    }

    /// The roster without the sessions that are over at `now`.
    #[must_use]
    pub fn swept(&self, now: Timestamp) -> Self {
        if self.0.ends().all(|end| end > now) {
            return self.clone();
        }
        self.retain(|entry| entry.expires_at > now)
    }

    /// How many of its sessions are not over at `now`.
    pub fn living(&self, now: Timestamp) -> usize {
        self.0.ends().filter(|end| *end > now).count()
    }

    /// The longest time that one of its sessions had left when it was last seen.
    pub fn longest_left(&self) -> Duration {
        let left = self
            .entries()
            .map(|entry| entry.expires_at.since(entry.seen_at));
        left.max().unwrap_or_default()
    }

    /// When the last of its sessions ends; the epoch when there is none.
    pub fn ends_at(&self) -> Timestamp {
        self.0.ends().max().unwrap_or_default()
    }

    /// The bytes on the heap.
    pub fn footprint(&self) -> usize {
        self.0.footprint()
    }

    fn oldest(&self, count: usize, spared: [Option<Family>; 2]) -> Vec<Family> {
        let others = self
            .entries()
            .filter(|entry| !spared.contains(&Some(entry.family)));
        let mut by_age: Vec<_> = others
            .map(|entry| (entry.created_at, entry.family))
            .collect();
        by_age.sort_unstable();
        by_age
            .into_iter()
            .take(count)
            .map(|(_, family)| family)
            .collect()
    }
}

impl Default for Roster {
    fn default() -> Self {
        Self(Entries::of(&[]))
    }
}

impl From<Roster> for Entries {
    fn from(roster: Roster) -> Self {
        roster.0
    }
}

impl From<Packed> for Roster {
    fn from(packed: Packed) -> Self {
        Self(Entries::Packed(packed))
    }
}

impl From<Lone> for Roster {
    fn from(lone: Lone) -> Self {
        Self(Entries::Lone(lone))
    }
}

impl fmt::Debug for Roster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.entries()).finish()
    }
}

/// Of two entries for one family the first one stays.
impl FromIterator<Entry> for Roster {
    fn from_iter<I: IntoIterator<Item = Entry>>(entries: I) -> Self {
        let mut entries: Vec<_> = entries.into_iter().collect();
        entries.sort_by_key(|entry| entry.family);
        entries.dedup_by_key(|entry| entry.family);
        Self(Entries::of(&entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_admitted_session_is_on_the_roster_and_a_stranger_is_not() {
        let roster = of(&[1, 2]);

        assert!(roster.entry(Family::new(1)).is_some());
        assert!(roster.entry(Family::new(3)).is_none());
    }

    #[test]
    fn without_a_limit_everybody_is_admitted() {
        let roster: Roster = (1..=100).map(entry).collect();

        assert_eq!(roster.entries().count(), 100);
        assert_eq!(admit(&roster, 101, None), Some((101, vec![])));
    }

    #[test]
    fn at_the_limit_the_oldest_goes() {
        let limit = limit(3, Excess::EvictOldest);

        assert_eq!(admit(&of(&[1, 2]), 9, limit), Some((3, vec![])));
        assert_eq!(admit(&of(&[5, 1, 2]), 9, limit), Some((3, vec![1])));
        assert_eq!(admit(&of(&[5, 4, 3, 2]), 9, limit), Some((3, vec![2, 3])));
    }

    #[test]
    fn at_the_limit_a_login_is_refused() {
        let limit = limit(2, Excess::Refuse);

        assert_eq!(admit(&of(&[1]), 9, limit), Some((2, vec![])));
        assert_eq!(admit(&of(&[1, 2]), 9, limit), None);
    }

    #[test]
    fn sessions_on_older_rosters_count() {
        let limit = limit(3, Excess::EvictOldest);

        let admission = of(&[1, 2])
            .admit((entry(9), None), limit, (2, START))
            .unwrap();

        assert_eq!(admission.evicted, [Family::new(1), Family::new(2)]);
    }

    #[test]
    fn the_newcomer_is_never_the_one_to_go() {
        let admission = of(&[5])
            .admit((entry(1), None), limit(1, Excess::EvictOldest), (0, START))
            .unwrap();

        assert_eq!(admission.evicted, [Family::new(5)]);
    }

    #[test]
    fn nobody_has_to_go_for_who_replaces_a_session() {
        for excess in [Excess::Refuse, Excess::EvictOldest] {
            let replaced = Some(Family::new(1));

            let admission = of(&[1, 2]).admit((entry(9), replaced), limit(2, excess), (0, START));

            assert_eq!(admission.unwrap().evicted, []);
        }
    }

    #[test]
    fn what_is_over_counts_for_nothing_and_nobody_has_to_go_for_it() {
        let now = entry(2).expires_at;
        let limit = limit(2, Excess::EvictOldest);

        let admission = of(&[1, 2, 3]).admit((entry(9), None), limit, (0, now));

        assert_eq!(admission.unwrap().evicted, []);
        let admission = of(&[1, 2, 3, 4]).admit((entry(9), None), limit, (0, now));
        assert_eq!(admission.unwrap().evicted, [Family::new(3)]);
    }

    #[test]
    fn an_entry_takes_28_bytes_and_what_its_device_is_and_a_lone_one_no_block() {
        let device = Device::new(None, Some(b"curl/8.15.0"));
        let known = Entry { device, ..entry(2) };

        assert_eq!(of(&[1]).footprint(), 0);
        assert_eq!(of(&[1, 2]).footprint(), 8 + 4 + 2 * 28);
        assert_eq!(of(&[1, 2, 3]).footprint() - of(&[1, 2]).footprint(), 28);
        assert_eq!(
            of(&[1]).with(known).footprint(),
            of(&[1, 2]).footprint() + 1 + "curl/8.15.0".len()
        );
    }

    #[test]
    fn devices_are_those_of_their_entries() {
        let with_device = |number: u64| Entry {
            device: Device::new(None, Some("x".repeat(number as usize).as_bytes())),
            ..entry(number)
        };
        let entries = [1, 2, 0, 300, 3].map(with_device);

        let roster: Roster = entries.iter().cloned().collect();

        for entry in entries {
            assert_eq!(roster.entry(entry.family), Some(entry));
        }
    }

    #[test]
    fn later_clock_of_an_entry_leaves_its_device() {
        let device = Device::new(None, Some(b"curl/8.5.0"));
        let known = Entry {
            device: device.clone(),
            ..entry(1)
        };

        assert_eq!(known.or_later(entry(1)).device, device);
        assert_eq!(entry(1).or_later(known).device, device);
    }

    #[test]
    fn sweeping_drops_what_is_over_and_keeps_the_rest() {
        let roster = of(&[1, 2, 3]);

        let swept = roster.swept(entry(2).expires_at);

        assert_eq!(swept, of(&[3]));
        assert_eq!(swept.ends_at(), entry(3).expires_at);
        assert_eq!(of(&[]).ends_at(), Timestamp::default());
    }

    fn admit(roster: &Roster, newcomer: u64, limit: Option<Limit>) -> Option<(usize, Vec<u64>)> {
        let admission = roster.admit((entry(newcomer), None), limit, (0, START))?;
        let evicted = admission.evicted.iter().map(|family| family.bits());
        Some((admission.roster.entries().count(), evicted.collect()))
    }

    fn of(families: &[u64]) -> Roster {
        families.iter().copied().map(entry).collect()
    }

    /// The higher the number the younger the session.
    fn entry(number: u64) -> Entry {
        let at = Timestamp::from_millis(number * 1000);
        Entry {
            family: Family::new(number),
            created_at: at,
            seen_at: at,
            expires_at: Timestamp::from_millis(1_000_000 + number),
            device: None,
        }
    }

    /// Before any of the sessions ends.
    const START: Timestamp = Timestamp::from_millis(0);

    fn limit(sessions: usize, excess: Excess) -> Option<Limit> {
        Some(Limit { sessions, excess })
    }
}
