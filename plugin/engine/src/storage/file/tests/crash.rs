//! What a crash leaves.

use super::*;

#[test]
fn what_was_acknowledged_survives_a_crash() {
    let bench = Bench::with(Durability::EveryWrite, NEVER);
    for number in 0..20 {
        bench.put(number);

        let left = bench.crash();

        assert_eq!(left.load(number), Loaded::Found(row(1)));
    }
}

#[test]
fn every_second_a_crash_takes_back_what_was_not_committed_and_nothing_else() {
    let bench = Bench::with(Durability::EverySecond, NEVER);
    bench.put(1);
    assert_eq!(
        block_on(bench.storage.probe().wait()),
        Ok(()),
        "a probe commits"
    );
    bench.put(2);
    assert_eq!(bench.write(1, Expected::Version(1), 2), Written::Done);

    let left = bench.crash();

    assert_eq!(left.load(1), Loaded::Found(row(1)));
    assert_eq!(left.load(2), Loaded::Absent);
    assert_eq!(
        (bench.load(1), bench.load(2)),
        (Loaded::Found(row(2)), Loaded::Found(row(1)))
    );
}

#[test]
fn every_second_what_was_acknowledged_is_committed_by_itself() {
    let bench = Bench::with(Durability::EverySecond, AT_ONCE);
    bench.put(1);

    eventually(|| bench.file_has(1) == Ok(true));
}

#[test]
fn every_second_what_was_acknowledged_is_committed_at_the_end() {
    let bench = Bench::with(Durability::EverySecond, NEVER);
    (0..100).for_each(|number| bench.put(number));

    let bench = bench.restart(Durability::EveryWrite);

    assert!((0..100).all(|number| bench.load(number) == Loaded::Found(row(1))));
}

#[test]
fn every_second_nobody_can_tell_what_has_been_committed() {
    let bench = Bench::with(Durability::EverySecond, AT_ONCE);
    for number in 0..200 {
        bench.put(number);
        for version in 1..20 {
            assert_eq!(bench.load(number), Loaded::Found(row(version)));
            assert_eq!(bench.write(number, Expected::Absent, 1), Written::Conflict);
            assert_eq!(
                bench.write(number, Expected::Version(version), version + 1),
                Written::Done
            );
        }
    }
}

#[test]
fn every_second_a_row_that_died_before_its_commit_does_not_uncover_an_older_one() {
    let bench = Bench::with(Durability::EverySecond, NEVER);
    bench.put(1);
    assert_eq!(block_on(bench.storage.probe().wait()), Ok(()));
    assert_eq!(
        bench.keep(1, Expected::Version(1), 2, SECOND),
        Written::Done
    );
    bench.clock.advance(SECOND);

    assert_eq!(bench.load(1), Loaded::Absent);
    assert_eq!(block_on(bench.storage.probe().wait()), Ok(()));
    assert_eq!(bench.load(1), Loaded::Absent);
    assert_eq!(
        bench.restart(Durability::EveryWrite).load(1),
        Loaded::Absent
    );
}
