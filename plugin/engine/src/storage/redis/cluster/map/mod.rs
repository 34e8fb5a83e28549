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
        let mut votes = HashMap::<&Claim, usize>::new();
        for claim in views.iter().flat_map(|view| &view.claims).chain(&kept) {
            *votes.entry(claim).or_default() += 1;
        }
        let mut claims: Vec<_> = votes.into_iter().collect();
        claims.sort_by_key(|(claim, votes)| (claim.master.epoch, *votes));
        let mut painted = vec![None; Slot::COUNT];
        for (claim, _) in claims {
            for slot in claim.slots.clone() {
                if let Some(owner) = painted.get_mut(usize::from(slot)) {
                    *owner = Some(&claim.master);
                }
            }
        }
        Self::of_owners(&painted)
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
        let places = |map: &Self| -> Vec<_> {
            let masters = map.masters.iter();
            masters
                .map(|one| (one.id.clone(), one.address.clone()))
                .collect()
        };
        self.owners == other.owners && places(self) == places(other)
    }

    /// The masters that `later` finds elsewhere or not at all.
    pub(super) fn left_by(&self, later: &Self) -> impl Iterator<Item = &Master> {
        let there: HashSet<_> = later
            .masters
            .iter()
            .map(|one| one.address.clone())
            .collect();
        let masters = self.masters.iter();
        masters.filter(move |master| !there.contains(&master.address))
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
