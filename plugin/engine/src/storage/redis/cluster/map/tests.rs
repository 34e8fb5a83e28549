use proptest::collection::vec;
use proptest::prelude::{prop_assert, proptest};

use super::*;
use crate::storage::redis::connect::Address;

#[test]
fn a_first_view_is_believed() {
    let map = Map::default().merge(&[view(&[(0, 8191, "a", 1), (8192, 16_383, "b", 2)])]);

    assert_eq!(owner(&map, 0), Some("a"));
    assert_eq!(owner(&map, 8191), Some("a"));
    assert_eq!(owner(&map, 8192), Some("b"));
    assert!(map.is_complete());
}

#[test]
fn a_slot_that_nobody_claims_is_nobodys() {
    let map = Map::default().merge(&[view(&[(1, 16_383, "a", 1)])]);

    assert_eq!(owner(&map, 0), None);
    assert!(!map.is_complete());
}

#[test]
fn the_greater_epoch_wins_whoever_is_asked_first() {
    let asleep = view(&[(0, 16_383, "old", 1)]);
    let awake = view(&[(0, 16_383, "new", 2)]);

    for views in [[asleep.clone(), awake.clone()], [awake, asleep]] {
        assert_eq!(owner(&Map::default().merge(&views), 0), Some("new"));
    }
}

#[test]
fn a_greater_epoch_wins_against_any_majority() {
    let asleep = view(&[(0, 16_383, "old", 1)]);
    let awake = view(&[(0, 16_383, "new", 2)]);

    let map = Map::default().merge(&[asleep.clone(), awake, asleep]);

    assert_eq!(owner(&map, 0), Some("new"));
}

#[test]
fn of_equal_epochs_the_majority_wins() {
    let (one, two) = (view(&[(0, 9, "a", 3)]), view(&[(0, 9, "b", 3)]));

    for views in [
        [one.clone(), two.clone(), two.clone()],
        [two.clone(), two, one],
    ] {
        assert_eq!(owner(&Map::default().merge(&views), 5), Some("b"));
    }
}

#[test]
fn of_two_equals_the_known_one_stays() {
    let (one, two) = (view(&[(0, 9, "a", 3)]), view(&[(0, 9, "b", 3)]));

    for known in [&one, &two] {
        let map = Map::default().merge(std::slice::from_ref(known));
        for views in [[one.clone(), two.clone()], [two.clone(), one.clone()]] {
            assert!(map.merge(&views).serves_as(&map));
        }
    }
}

#[test]
fn nodes_that_slept_do_not_bring_a_deposed_master_back() {
    let map = Map::default().merge(&[view(&[(0, 16_383, "new", 7)])]);
    let mut asleep = view(&[(0, 16_383, "old", 1)]);
    asleep.epochs.insert("new".into(), 1);

    let map = map.merge(&[asleep]);

    assert_eq!(owner(&map, 0), Some("new"));
}

#[test]
fn a_slot_given_away_under_an_older_epoch_goes_where_they_say() {
    let map = Map::default().merge(&[view(&[(0, 9, "a", 9), (10, 19, "b", 3)])]);

    let map = map.merge(&[view(&[(1, 9, "a", 9), (0, 0, "b", 3), (10, 19, "b", 3)])]);

    assert_eq!(owner(&map, 0), Some("b"));
    assert_eq!(owner(&map, 1), Some("a"));
}

#[test]
fn a_master_that_nobody_knows_any_more_is_forgotten() {
    let map = Map::default().merge(&[view(&[(0, 9, "a", 9)])]);

    let rebuilt = map.merge(&[view(&[(0, 9, "b", 1)])]);

    assert_eq!(owner(&rebuilt, 0), Some("b"));
    assert_eq!(rebuilt.masters().len(), 1);
}

#[test]
fn claims_beyond_the_last_slot_are_ignored() {
    let map = Map::default().merge(&[view(&[(16_383, u16::MAX, "a", 1)])]);

    assert_eq!(owner(&map, 16_383), Some("a"));
}

#[test]
fn only_other_masters_or_addresses_are_a_change() {
    let map = Map::default().merge(&[view(&[(0, 9, "a", 1)])]);
    let later = map.merge(&[view(&[(0, 9, "a", 2)])]);
    let moved = map.merge(&[view(&[(0, 8, "a", 2), (9, 9, "b", 3)])]);
    let mut elsewhere = view(&[(0, 9, "a", 1)]);
    elsewhere.claims[0].master.address = Address::tcp("a", 7);

    assert!(map.serves_as(&later));
    assert!(!map.serves_as(&moved));
    assert!(!map.serves_as(&map.merge(&[elsewhere])));
}

#[test]
fn a_failover_is_told_from_a_slot_that_moved() {
    let map = Map::default().merge(&[view(&[(0, 9, "a", 1), (10, 19, "b", 2)])]);
    let one_moved = map.merge(&[view(&[(0, 8, "a", 1), (9, 9, "c", 3), (10, 19, "b", 2)])]);
    let failed_over = map.merge(&[view(&[(0, 9, "c", 3), (10, 19, "b", 2)])]);
    let gone = map.merge(&[view(&[(10, 19, "b", 2)])]);

    assert!(!one_moved.replaces_a_master_of(&map));
    assert!(failed_over.replaces_a_master_of(&map));
    assert!(!gone.replaces_a_master_of(&map), "nobody took over yet");
    assert!(
        !map.replaces_a_master_of(&Map::default()),
        "a first look is no failover"
    );
}

proptest! {
    #[test]
    fn every_slot_is_with_a_claim_that_none_beats(
        views in vec(vec((0..40_u16, 0..8_u16, 0..4_usize, 0..4_u64), 0..6), 1..4),
    ) {
        let ids = ["a", "b", "c", "d"];
        let claims = |of: &[(u16, u16, usize, u64)]| -> Vec<_> {
            of.iter().map(|&(first, more, id, epoch)| (first, first + more, ids[id], epoch)).collect()
        };
        let views: Vec<_> = views.iter().map(|of| view(&claims(of))).collect();

        let map = Map::default().merge(&views);

        for slot in 0..48_u16 {
            let claims = views.iter().flat_map(|view| &view.claims);
            let claims = claims.filter(|claim| claim.slots.contains(&slot));
            let masters: Vec<_> = claims.map(|claim| &claim.master).collect();
            let greatest = masters.iter().map(|master| master.epoch).max();
            let best = masters.iter().filter(|master| Some(master.epoch) == greatest);
            let best: Vec<_> = best.map(|master| &*master.id).collect();
            match owner(&map, slot.into()) {
                Some(owner) => prop_assert!(best.contains(&owner)),
                None => prop_assert!(best.is_empty()),
            }
        }
        prop_assert!(map.merge(&views).serves_as(&map), "the same answers change nothing");
    }
}

/// First and last slot, name and epoch of each master.
fn view(claims: &[(u16, u16, &str, u64)]) -> View {
    let claim = |&(first, last, id, epoch): &(u16, u16, &str, u64)| Claim {
        slots: first..=last,
        master: Master {
            id: id.into(),
            address: Address::tcp(id, 6379),
            epoch,
        },
    };
    View {
        claims: claims.iter().map(claim).collect(),
        epochs: claims
            .iter()
            .map(|&(_, _, id, epoch)| (id.into(), epoch))
            .collect(),
        replicas: Vec::new(),
    }
}

fn owner(map: &Map, slot: usize) -> Option<&str> {
    let place = map.owners[slot]?;
    Some(&map.masters[place].id)
}
