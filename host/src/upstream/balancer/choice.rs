//! Which endpoint is next. Pure: who may be chosen, and how busy each is, are arguments.

use std::sync::atomic::{AtomicI64, Ordering};

use schemars::JsonSchema;
use serde::Deserialize;

/// By what an endpoint is chosen.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Policy {
    /// In turn.
    #[default]
    RoundRobin,
    /// The one with the fewest requests under way, in proportion to its weight; in turn among equals.
    LeastConnections,
}

/// The turns of one worker. Smooth: an endpoint of weight 3 beside one of weight 1 is chosen as `a a b a`, not
/// `a a a b`, and whoever cannot be chosen leaves its turns to all others in proportion to their weights.
#[derive(Debug)]
pub(super) struct Turns(Box<[Turn]>);

#[derive(Debug)]
struct Turn {
    weight: i64,
    // Only this worker's thread ever changes it.
    credit: AtomicI64,
}

impl Turns {
    /// `first` is who would have the first turn among equals: workers that all began at the same endpoint would hit it
    /// together.
    pub(super) fn new(weights: impl IntoIterator<Item = u32>, first: usize) -> Self {
        let turn = |weight| Turn {
            weight: i64::from(weight),
            credit: AtomicI64::new(0),
        };
        let turns = Self(weights.into_iter().map(turn).collect());
        for _ in 0..first.checked_rem(turns.0.len()).unwrap_or(0) {
            turns.next(|_| true);
        }
        turns
    }

    /// Whose turn it is among those who may be chosen. `None` when nobody may.
    pub(super) fn next(&self, may_be_chosen: impl Fn(usize) -> bool) -> Option<usize> {
        let mut best: Option<(usize, i64)> = None;
        let mut total = 0;
        for (number, turn) in self.0.iter().enumerate() {
            if !may_be_chosen(number) {
                continue;
            }
            let credit = turn.credit.load(Ordering::Relaxed) + turn.weight;
            turn.credit.store(credit, Ordering::Relaxed);
            total += turn.weight;
            if best.is_none_or(|(_, most)| credit > most) {
                best = Some((number, credit));
            }
        }
        let (number, credit) = best?;
        self.0[number]
            .credit
            .store(credit - total, Ordering::Relaxed);
        Some(number)
    }

    /// The least busy among those who may be chosen, by requests under way in proportion to weights.
    pub(super) fn least(
        &self,
        may_be_chosen: impl Fn(usize) -> bool,
        under_way: impl Fn(usize) -> usize,
    ) -> Option<usize> {
        let busy = |number: usize| (under_way(number) as i64, self.0[number].weight);
        let all = (0..self.0.len()).filter(|number| may_be_chosen(*number));
        let (least, weight) = all.map(busy).reduce(|one, other| {
            if other.0 * one.1 < one.0 * other.1 {
                other
            } else {
                one
            }
        })?;
        self.next(|number| {
            let (under_way, own) = busy(number);
            may_be_chosen(number) && under_way * weight <= least * own
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn turns_of_heavier_ones_are_spread() {
        let turns = Turns::new([3, 1], 0);

        let chosen: Vec<_> = (0..8).map(|_| turns.next(|_| true).unwrap()).collect();

        assert_eq!(chosen, [0, 0, 1, 0, 0, 0, 1, 0]);
    }

    #[test]
    fn workers_begin_at_different_endpoints() {
        let first = |worker| Turns::new([1, 1, 1], worker).next(|_| true).unwrap();

        assert_eq!([first(0), first(1), first(2), first(3)], [0, 1, 2, 0]);
    }

    #[test]
    fn the_least_busy_is_chosen_and_equals_in_turn() {
        let turns = Turns::new([1, 2, 1], 0);
        let least = |busy: [usize; 3]| turns.least(|_| true, |number| busy[number]).unwrap();

        assert_eq!(least([2, 3, 2]), 1);
        assert_eq!(least([1, 2, 0]), 2);
        let mut equals: Vec<_> = (0..4).map(|_| least([1, 2, 1])).collect();
        equals.sort_unstable();
        assert_eq!(equals, [0, 1, 1, 2]);
    }

    proptest! {
        #[test]
        fn nobody_is_chosen_who_may_not_be_and_somebody_is_when_anybody_may(
            members in prop::collection::vec((1_u32..50, any::<bool>(), 0_usize..9), 1..12),
            first in 0_usize..20,
        ) {
            let turns = Turns::new(members.iter().map(|(weight, ..)| *weight), first);
            let is_up = |number: usize| members[number].1;
            let anybody = members.iter().any(|(_, is_up, _)| *is_up);

            for _ in 0..20 {
                for chosen in [turns.next(is_up), turns.least(is_up, |number| members[number].2)] {
                    prop_assert_eq!(chosen.is_some(), anybody);
                    prop_assert!(chosen.is_none_or(is_up));
                }
            }
        }

        #[test]
        fn weights_hold_within_one_turn_whoever_comes_and_goes(
            weights in prop::collection::vec(1_u32..20, 2..8),
            absent in prop::collection::vec(any::<bool>(), 8),
        ) {
            let turns = Turns::new(weights.iter().copied(), 0);
            let is_up = |number: usize| number == 0 || !absent[number];
            // Somebody was away before; it owes nobody anything now.
            for _ in 0..50 { turns.next(is_up); }
            let total: u32 = weights.iter().sum();
            // Within two rounds the credit from before is spent.
            for _ in 0..2 * total { turns.next(|_| true); }

            let mut counts = vec![0_u32; weights.len()];
            for _ in 0..3 * total { counts[turns.next(|_| true).unwrap()] += 1; }

            for (count, weight) in counts.iter().zip(&weights) {
                prop_assert!(count.abs_diff(3 * weight) <= weights.len() as u32, "{:?} of {:?}", counts, weights);
            }
        }

        #[test]
        fn nobody_chosen_as_least_is_busier_than_another(
            members in prop::collection::vec((1_u32..5, 0_usize..30), 1..10),
        ) {
            let turns = Turns::new(members.iter().map(|(weight, _)| *weight), 0);

            let chosen = turns.least(|_| true, |number| members[number].1).unwrap();

            let (weight, busy) = members[chosen];
            for (other, more) in &members {
                prop_assert!(busy as u64 * u64::from(*other) <= *more as u64 * u64::from(weight));
            }
        }
    }
}
