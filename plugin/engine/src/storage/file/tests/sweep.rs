//! How rows leave the file when their time has run out.

use super::*;

#[test]
fn dead_rows_leave_a_slice_at_a_time_and_living_ones_stay() {
    let bench = Bench::with(Durability::EveryWrite, NEVER);
    let dying = (0..450).map(|number| bench.keep(number, Expected::Absent, 1, SECOND));
    assert!(dying.into_iter().all(|written| written == Written::Done));
    bench.put(500);
    bench.clock.advance(SECOND);

    let sweep = || {
        bench
            .storage
            .database
            .change(|tables| tables.sweep(bench.clock.now(), 200))
            .unwrap()
    };
    let slices = [sweep(), sweep(), sweep(), sweep()];

    assert_eq!(slices, [200, 200, 50, 0]);
    assert!((0..450).all(|number| bench.file_has(number) == Ok(false)));
    assert_eq!(bench.load(500), Loaded::Found(row(1)));
}

#[test]
fn a_row_that_was_written_again_is_swept_at_its_new_end() {
    let bench = Bench::with(Durability::EveryWrite, NEVER);
    assert_eq!(bench.keep(1, Expected::Absent, 1, SECOND), Written::Done);
    assert_eq!(
        bench.keep(1, Expected::Version(1), 2, 3 * SECOND),
        Written::Done
    );
    let sweep = || {
        bench
            .storage
            .database
            .change(|tables| tables.sweep(bench.clock.now(), 200))
            .unwrap()
    };

    bench.clock.advance(SECOND);
    let early = sweep();
    bench.clock.advance(2 * SECOND);
    let late = sweep();

    assert_eq!((early, late), (0, 1));
}

#[test]
fn dead_rows_leave_by_themselves() {
    for durability in BOTH {
        let bench = Bench::with(durability, AT_ONCE);
        for number in 0..450 {
            assert_eq!(
                bench.keep(number, Expected::Absent, 1, SECOND),
                Written::Done
            );
        }

        bench.clock.advance(SECOND);

        eventually(|| (0..450).all(|number| bench.file_has(number) == Ok(false)));
    }
}

#[test]
fn one_write_after_a_silence_is_enough_to_empty_the_file() {
    let bench = Bench::with(Durability::EveryWrite, NEVER);
    for number in 0..450 {
        assert_eq!(
            bench.keep(number, Expected::Absent, 1, SECOND),
            Written::Done
        );
    }
    bench.clock.advance(SECOND);

    bench.put(500);

    eventually(|| (0..450).all(|number| bench.file_has(number) == Ok(false)));
}

#[test]
fn reset_does_not_count_the_dead() {
    for durability in BOTH {
        let bench = Bench::open(durability);
        assert_eq!(bench.keep(1, Expected::Absent, 1, SECOND), Written::Done);
        bench.put(2);
        bench.clock.advance(SECOND);

        assert_eq!(block_on(bench.storage.reset().wait()), Ok(1));
        assert_eq!(bench.load(2), Loaded::Absent);
    }
}
