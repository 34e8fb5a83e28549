//! Who serves which slot, as far as several nodes together know.

use std::collections::{HashMap, HashSet};

use super::slot::Slot;
use super::view::{Claim, Master, NodeId, View};

/// The masters of a cluster and their slots.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Map {
    /// In the order of their first slots.
    masters: Vec<Master>,
    /// For each slot the place of its master among them.
    owners: Box<[Option<usize>]>,
}

impl Default for Map {
    fn default() -> Self {
        Self {
            masters: Vec::new(),
            owners: vec![None; Slot::COUNT].into(),
        }
    }
}

impl Map {
    /// What to believe after hearing `views`. Of contradicting claims the one of the greater epoch holds, and among
    /// equals the one that more nodes make.
    ///
    /// A master that is ahead of all they know of it keeps what it has: the only ones that answered may be those that
    /// slept while it was elected.
    pub(super) fn merge(&self, views: &[View]) -> Self {
        let kept = self.ahead_of(views);
        let claims = views.iter().flat_map(|view| &view.claims).chain(&kept);
        let mut owners = vec![None; Slot::COUNT];
        for claim in self.by_weight(claims) {
            for slot in claim.slots.clone() {
                if let Some(owner) = owners.get_mut(usize::from(slot)) {
                    *owner = Some(&claim.master);
                }
            }
        }
        Self::of_owners(&owners)
    }

    /// All that serve slots, each once. [`owner`](Self::owner) counts in this order.
    pub(super) fn masters(&self) -> &[Master] {
        &self.masters
    }

    /// The place of the slot's master among the masters.
    pub(super) fn owner(&self, slot: Slot) -> Option<usize> {
        self.owners[slot.index()]
    }

    /// Whether every slot is served by somebody.
    pub(super) fn is_complete(&self) -> bool {
        self.owners.iter().all(Option::is_some)
    }

    /// Whether every slot has the same master at the same address in both.
    pub(super) fn serves_as(&self, other: &Self) -> bool {
        self.owners == other.owners
            && self.masters.len() == other.masters.len()
            && self
                .masters
                .iter()
                .zip(&other.masters)
                .all(|(one, other)| one.is(other))
    }

    /// The masters at addresses where `later` finds none.
    pub(super) fn left_by(&self, later: &Self) -> impl Iterator<Item = &Master> {
        let there: HashSet<_> = later.masters.iter().map(|master| &master.address).collect();
        self.masters
            .iter()
            .filter(move |master| !there.contains(&master.address))
    }

    /// Whether slots left a master that serves nothing any more: it failed, was told to step down, or was drained.
    pub(super) fn replaces_a_master_of(&self, before: &Self) -> bool {
        let serving: HashSet<_> = self.masters.iter().map(|master| &master.id).collect();
        let inherits = |(old, new): (&Option<usize>, &Option<usize>)| {
            let left = old.is_some_and(|old| !serving.contains(&before.masters[old].id));
            left && new.is_some()
        };
        before.owners.iter().zip(&self.owners).any(inherits)
    }
}

impl Map {
    /// Each claim once, and those after the others that hold against them.
    fn by_weight<'a>(&self, claims: impl Iterator<Item = &'a Claim>) -> Vec<&'a Claim> {
        let mut votes = HashMap::<&Claim, usize>::new();
        for claim in claims {
            *votes.entry(claim).or_default() += 1;
        }
        let mut claims: Vec<_> = votes.into_iter().collect();
        claims.sort_by_key(|&(claim, votes)| {
            // Where neither is better, the one we have: links must not come and go with the order of the answers.
            let is_known = self.masters.iter().any(|master| master.is(&claim.master));
            let Master { epoch, address, .. } = &claim.master;
            (*epoch, votes, is_known, address)
        });
        claims.into_iter().map(|(claim, _)| claim).collect()
    }

    fn of_owners(owners: &[Option<&Master>]) -> Self {
        let mut places = HashMap::<&NodeId, usize>::new();
        let mut map = Self::default();
        for (place, owner) in map.owners.iter_mut().zip(owners) {
            *place = owner.map(|master| {
                *places.entry(&master.id).or_insert_with(|| {
                    map.masters.push(master.clone());
                    map.masters.len() - 1
                })
            });
        }
        map
    }

    /// The claims of those masters of which some view knows, and none the latest.
    fn ahead_of(&self, views: &[View]) -> Vec<Claim> {
        let known = |master: &Master| {
            views
                .iter()
                .filter_map(|view| view.epochs.get(&master.id))
                .max()
        };
        let is_ahead = |master: &Master| known(master).is_some_and(|known| *known < master.epoch);
        let ahead: Vec<bool> = self.masters.iter().map(is_ahead).collect();
        let claim = |(slot, owner): (u16, &Option<usize>)| {
            owner.filter(|owner| ahead[*owner]).map(|owner| Claim {
                slots: slot..=slot,
                master: self.masters[owner].clone(),
            })
        };
        (0..).zip(&self.owners).filter_map(claim).collect()
    }
}

#[cfg(test)]
mod tests;
