use std::collections::HashMap;
use std::time::Duration;

use super::*;
use crate::session::{
    Deltas, Device, Entry, Family, Lifetime, Nonce, Record, Roster, Rotated, SixBytes,
};
use crate::storage::dense::Dense;

#[test]
fn every_state_has_the_slot_that_says_it_in_the_fewest_bytes() {
    let slots = states().map(|state| slot(1, Versioned::first(state)));

    assert!(matches!(
        slots,
        [
            AnySlot::Visitor(_),
            AnySlot::Member(_),
            AnySlot::Wide(_),
            AnySlot::Lone(_),
            AnySlot::Roster(_),
            AnySlot::Other(_),
            AnySlot::Other(_)
        ]
    ));
}

#[test]
fn what_lies_in_a_slot_is_what_was_put_there() {
    for row in states().into_iter().flat_map(versions) {
        let slot = slot(1, row.clone());

        let end = NOW.after(KEEP);
        assert_eq!(slot.row().load(just_before(end)), Some(row));
        assert_eq!(slot.row().load(end), None);
        assert_eq!(slot.row().dies_at(), end);
    }
}

#[test]
fn a_lone_entry_that_is_kept_for_an_odd_time_has_another_slot() {
    let state = State::Roster(Roster::from_iter([entry(None)]));
    let kept = |millis| {
        let lease = Lease::new(NOW, KEEP + Duration::from_millis(millis));
        let slot = AnySlot::new(&key(1), Versioned::first(state.clone()), lease);
        assert_eq!(slot.row().dies_at(), lease.dies_at);
        slot
    };

    assert!(matches!(kept(1000), AnySlot::Lone(_)));
    assert!(matches!(kept(1), AnySlot::Other(_)));
    assert!(matches!(kept(70_000_000), AnySlot::Other(_)));
}

#[test]
fn rows_of_every_kind_are_found_whichever_go() {
    let (mut slots, mut model) = (Dense::<Slots>::new(), HashMap::new());
    for number in 0..700 {
        let row = Versioned::first(states()[number as usize % 7].clone());
        slots.insert(slot(number, row.clone()));
        model.insert(number, row);
        if number % 3 == 0 {
            let gone = number * 5 % (number + 1);
            let at = slots.position(&key(gone));
            assert_eq!(at.is_some(), model.remove(&gone).is_some());
            at.map(|at| slots.remove(at));
        }
    }

    assert_eq!(slots.len(), model.len());
    for number in 0..700 {
        let at = slots.position(&key(number));
        let found = at.and_then(|at| slots.items().load(at, NOW));
        assert_eq!(found.as_ref(), model.get(&number), "{number}");
    }
    // Each once.
    let mut keys: Vec<_> = slots.iter().map(|row| row.key().hash()).collect();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), model.len());
}

#[test]
fn the_dead_of_every_kind_are_swept() {
    let mut slots = Dense::<Slots>::new();
    for number in 0..70 {
        let row = Versioned::first(states()[number as usize % 7].clone());
        slots.insert(slot(number, row));
    }
    let is_over = |row: &dyn Row| row.key().hash().is_multiple_of(2);

    for _ in 0..20 {
        slots.sweep(is_over, drop);
    }

    assert!(!slots.iter().any(is_over));
    assert!(!slots.is_empty());
}

/// One of each kind, and a second one of the last.
fn states() -> [State; 7] {
    let lifetime = Lifetime::new(Duration::from_secs(3600), None);
    let visitor = lifetime.begin(Family::new(7), NOW);
    let mut own_life = Deltas::new();
    own_life.expire(Duration::from_secs(60), NOW);
    let rotated = Rotated {
        nonce: Nonce::generate().unwrap(),
        until: NOW,
    };
    let roster = |device| State::Roster(Roster::from_iter([entry(device)]));
    [
        State::Live(visitor.clone()),
        State::Live(member(&visitor)),
        State::Live(member(&visitor).merge(&own_life)),
        roster(None),
        roster(Device::new(None, Some(b"curl"))),
        State::Rotated(rotated.into()),
        State::Revoked,
    ]
}

fn member(visitor: &Record) -> Record {
    visitor.clone().on_roster(Some(key(9)))
}

fn entry(device: Option<Device>) -> Entry {
    Entry {
        family: Family::new(7),
        created_at: NOW,
        seen_at: NOW,
        expires_at: NOW.after(KEEP - Duration::from_secs(300)),
        device,
    }
}

/// The first, the last, and those at which fewer bytes are too few.
fn versions(state: State) -> Vec<Versioned> {
    let versions = [
        1,
        u64::from(u32::MAX),
        u64::from(u32::MAX) + 1,
        SixBytes::MAX,
    ];
    let row = |version| Versioned {
        version,
        state: state.clone(),
    };
    versions.map(row).into()
}

fn slot(number: u64, row: Versioned) -> AnySlot {
    AnySlot::new(&key(number), row, Lease::new(NOW, KEEP))
}

fn key(number: u64) -> Key {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes());
    Key::new(bytes)
}

fn just_before(time: Timestamp) -> Timestamp {
    Timestamp::from_millis(time.as_millis() - 1)
}

const NOW: Timestamp = Timestamp::from_millis(1_764_457_000_000);
const KEEP: Duration = Duration::from_secs(3600);
