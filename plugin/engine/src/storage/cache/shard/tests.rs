use super::*;
use crate::session::State;

#[test]
fn what_was_read_counts_until_it_is_too_old() {
    let mut shard = shard(8);

    shard.read(MINE, 3, NOW);

    assert_eq!(shard.version(NOW), Some(3));
    assert_eq!(shard.version(NOW.after(AGE - MILLISECOND)), Some(3));
    assert_eq!(shard.version(NOW.after(AGE)), None);
    assert_eq!(shard.stale(&MINE, NOW.after(AGE)), None);
}

#[test]
fn an_answer_that_news_overtook_is_not_kept() {
    let mut shard = shard(8);
    for news in [
        |shard: &mut Shard| shard.forget(&MINE),
        |shard: &mut Shard| shard.forget(&YOURS),
        |shard: &mut Shard| shard.doubt(&MINE),
        Shard::gap,
        Shard::clear,
        |shard: &mut Shard| shard.wrote(YOURS, row(9), shard.token(NOW)),
    ] {
        let token = shard.token(NOW);
        news(&mut shard);
        shard.land(MINE, &found(1), token);

        assert_eq!(shard.version(NOW), None);
    }
}

#[test]
fn an_older_answer_does_not_replace_a_newer_one() {
    let mut shard = shard(8);
    let token = shard.token(NOW);

    shard.land(MINE, &found(2), token);
    shard.land(MINE, &found(1), token);

    assert_eq!(shard.version(NOW), Some(2));
}

#[test]
fn a_row_that_begins_anew_is_kept_once_the_copy_is_outdated() {
    let mut shard = shard(8);
    shard.read(MINE, 7, NOW);

    shard.gap();
    shard.read(MINE, 1, NOW);

    assert_eq!(shard.version(NOW), Some(1));
}

#[test]
fn a_read_that_came_too_late_to_count_still_outdates_what_was_answered_before_it() {
    let mut shard = shard(8);
    let late = shard.token(NOW);
    shard.gap();
    let early = shard.token(NOW);

    shard.land(MINE, &Loaded::Found(row(4)), late);
    shard.land(MINE, &Loaded::Found(row(3)), early);

    assert_eq!(shard.version(NOW), None);
    assert_eq!(shard.stale(&MINE, NOW).map(|row| row.version), Some(4));
}

#[test]
fn absence_is_not_kept_and_takes_nothing_away() {
    let mut shard = shard(8);
    shard.read(MINE, 1, NOW);
    let token = shard.token(NOW);

    shard.land(YOURS, &Loaded::Absent, token);

    assert_eq!((shard.entries.len(), shard.version(NOW)), (1, Some(1)));
}

#[test]
fn what_was_written_here_is_kept_and_outdates_what_was_asked_before() {
    let mut shard = shard(8);
    let (reading, writing) = (shard.token(NOW), shard.token(NOW));

    shard.wrote(MINE, row(2), writing);
    assert_eq!(shard.version(NOW), Some(2));

    shard.entries = Dense::new();
    shard.land(MINE, &found(1), reading);
    assert_eq!(shard.version(NOW), None);
}

#[test]
fn of_two_writes_at_once_none_is_kept() {
    let mut shard = shard(8);
    let writing = shard.token(NOW);

    shard.forget(&MINE);
    shard.wrote(MINE, row(2), writing);

    assert_eq!(shard.version(NOW), None);
}

#[test]
fn after_a_gap_copies_are_stale_and_not_gone() {
    let mut shard = shard(8);
    shard.read(MINE, 1, NOW);

    shard.gap();

    assert_eq!(shard.version(NOW), None);
    assert_eq!(shard.stale(&MINE, NOW), Some(row(1)));
    assert_eq!(shard.stale(&MINE, NOW.after(AGE)), None);
}

#[test]
fn a_doubtful_copy_is_stale_for_good_and_a_forgotten_one_gone() {
    let mut shard = shard(8);
    shard.read(MINE, 1, NOW);
    shard.read(YOURS, 1, NOW);

    shard.doubt(&MINE);
    shard.forget(&YOURS);

    assert_eq!(shard.version(NOW), None);
    assert_eq!(shard.stale(&MINE, NOW), Some(row(1)));
    assert_eq!(shard.stale(&YOURS, NOW), None);
}

#[test]
fn reads_are_joined_until_news_or_age_forbid_it() {
    let mut shard = shard(8);
    let first = shard.join(MINE, NOW);
    let is_first = |flight: &Arc<Flight>| Arc::ptr_eq(flight, &first);

    assert!(is_first(&shard.join(MINE, NOW.after(AGE - MILLISECOND))));
    assert!(!is_first(&shard.join(YOURS, NOW)));

    shard.forget(&MINE);
    let second = shard.join(MINE, NOW);
    assert!(!is_first(&second), "the row changed");

    shard.gap();
    let third = shard.join(MINE, NOW);
    assert!(!Arc::ptr_eq(&second, &third), "it may have changed");

    let fourth = shard.join(MINE, NOW.after(AGE));
    assert!(!Arc::ptr_eq(&third, &fourth), "too old");
}

#[test]
fn a_read_that_nobody_waits_for_is_not_joined() {
    let mut shard = shard(8);
    let abandoned = Arc::downgrade(&shard.join(MINE, NOW));

    let _flight = shard.join(YOURS, NOW);

    assert_eq!(abandoned.strong_count(), 0);
    assert_eq!(abandoned.weak_count(), 0, "nothing is left of it");
}

#[test]
fn the_oldest_makes_room() {
    let mut shard = shard(4);
    for (number, at) in [(1, 30), (2, 10), (3, 20), (4, 40), (5, 50)] {
        let key = Key::new([number; 32]);
        shard.read(key, 1, NOW.after(MILLISECOND * at));
    }

    let now = NOW.after(MILLISECOND * 50);
    let kept: Vec<_> = (1..=5)
        .filter(|number| shard.fresh(&Key::new([*number; 32]), now).is_some())
        .collect();
    assert_eq!(kept, [1, 3, 4, 5]);
}

#[test]
fn copies_that_are_too_old_give_their_memory_back() {
    let mut shard = shard(1000);
    for number in 0..200 {
        shard.read(Key::new([number; 32]), 1, NOW);
    }

    for number in 200..=255 {
        shard.read(Key::new([number; 32]), 1, NOW.after(AGE));
    }

    assert_eq!(shard.entries.len(), 56);
}

impl Shard {
    /// Reads a row in one step.
    fn read(&mut self, key: Key, version: u64, at: Timestamp) {
        let token = self.token(at);
        self.land(key, &found(version), token);
    }

    fn version(&self, now: Timestamp) -> Option<u64> {
        Some(self.fresh(&MINE, now)?.version)
    }
}

fn shard(entries: usize) -> Shard {
    Shard::new(Limits {
        entries,
        max_age: AGE,
    })
}

fn found(version: u64) -> Loaded<Versioned> {
    Loaded::Found(row(version))
}

fn row(version: u64) -> Versioned {
    Versioned {
        version,
        state: State::Revoked,
    }
}

const MINE: Key = Key::new([1; 32]);
const YOURS: Key = Key::new([2; 32]);
const AGE: Duration = Duration::from_secs(2);
const MILLISECOND: Duration = Duration::from_millis(1);
const NOW: Timestamp = Timestamp::from_millis(1_000_000);
