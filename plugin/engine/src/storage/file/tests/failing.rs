//! A disk that has no room for a while, and a thread that ends.

use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use tokio::sync::oneshot;

use super::disk::Disk;
use super::queue::Batch;
use super::*;

#[test]
fn a_full_disk_is_an_outage_with_its_reason_that_ends_when_there_is_room() {
    for durability in BOTH {
        let (bench, disk) = on_a_disk(durability, AT_ONCE);
        bench.put(1);

        disk.fill();
        eventually(|| bench.write(2, Expected::Absent, 1) == no_room());
        eventually(|| bench.load(1) == Loaded::Found(row(1)));
        disk.empty();

        eventually(|| bench.write(3, Expected::Absent, 1) == Written::Done);
        assert_eq!(bench.load(1), Loaded::Found(row(1)));
        assert_eq!(block_on(bench.storage.probe().wait()), Ok(()));
    }
}

#[test]
fn nobody_waits_while_the_disk_is_known_to_be_full() {
    for durability in BOTH {
        let (bench, disk) = on_a_disk(durability, NEVER);
        disk.fill();
        assert!(block_on(bench.storage.probe().wait()).is_err());

        // The next attempt is an hour away.
        eventually(|| bench.write(1, Expected::Absent, 1) == no_room());
        assert!(block_on(bench.storage.probe().wait()).is_err());
        assert!(block_on(bench.storage.reset().wait()).is_err());
    }
}

#[test]
fn every_second_what_was_acknowledged_outlives_the_outage() {
    let (bench, disk) = on_a_disk(Durability::EverySecond, AT_ONCE);

    disk.fill();
    let mut acknowledged = 0;
    while bench.write(acknowledged, Expected::Absent, 1) == Written::Done {
        acknowledged += 1;
    }
    eventually(|| (0..acknowledged).all(|number| bench.load(number) == Loaded::Found(row(1))));
    disk.empty();

    eventually(|| (0..acknowledged).all(|number| bench.file_has(number) == Ok(true)));
}

#[test]
fn what_is_swept_on_a_full_disk_is_an_outage_too() {
    let (bench, disk) = on_a_disk(Durability::EveryWrite, AT_ONCE);
    assert_eq!(bench.keep(1, Expected::Absent, 1, SECOND), Written::Done);
    bench.put(2);

    disk.fill();
    bench.clock.advance(SECOND);
    eventually(|| bench.storage.queue.admits().is_err());
    disk.empty();

    eventually(|| bench.file_has(1) == Ok(false));
    assert_eq!(bench.load(2), Loaded::Found(row(1)));
}

#[test]
fn a_file_that_is_gone_is_an_outage_and_not_an_empty_one() {
    let (bench, disk) = on_a_disk(Durability::EveryWrite, AT_ONCE);
    bench.put(1);

    disk.fill();
    fs::remove_file(disk.file()).unwrap();
    assert!(matches!(
        bench.write(2, Expected::Absent, 1),
        Written::Unavailable(_)
    ));
    disk.empty();

    eventually(|| matches!(bench.load(1), Loaded::Unavailable(_)));
    assert!(matches!(
        bench.write(2, Expected::Absent, 1),
        Written::Unavailable(_)
    ));
    assert!(matches!(bench.load(1), Loaded::Unavailable(_)));
}

#[test]
fn a_file_that_was_removed_under_way_is_an_outage_until_it_is_back() {
    for durability in BOTH {
        let bench = Bench::with(durability, AT_ONCE);
        bench.put(1);
        let probe = || block_on(bench.storage.probe().wait());
        assert_eq!(probe(), Ok(()));
        let (file, elsewhere) = (
            file(bench.directory.path()),
            bench.directory.path().join("x"),
        );

        fs::rename(&file, &elsewhere).unwrap();

        assert!(probe().is_err());
        eventually(|| matches!(bench.write(2, Expected::Absent, 1), Written::Unavailable(_)));
        assert!(!file.exists(), "nothing is made in its place");
        fs::rename(&elsewhere, &file).unwrap();
        eventually(|| probe() == Ok(()));
        assert_eq!(bench.load(1), Loaded::Found(row(1)));
    }
}

#[test]
fn a_file_that_was_put_in_the_place_of_another_is_the_one_that_counts() {
    let bench = Bench::with(Durability::EveryWrite, AT_ONCE);
    bench.put(1);
    let other = Bench::open(Durability::EveryWrite);
    other.put(2);
    let path = other.directory.path().to_owned();
    drop(other.storage);

    fs::rename(file(&path), file(bench.directory.path())).unwrap();

    assert!(block_on(bench.storage.probe().wait()).is_err());
    eventually(|| block_on(bench.storage.probe().wait()) == Ok(()));
    assert_eq!(bench.load(1), Loaded::Absent);
    assert_eq!(bench.load(2), Loaded::Found(row(1)));
}

#[test]
fn what_waits_at_the_same_time_shares_a_sync() {
    let (bench, disk) = on_a_disk(Durability::EveryWrite, NEVER);
    let writer = Writer {
        database: Arc::clone(&bench.storage.database),
        queue: Arc::default(),
        overlay: None,
        clock: bench.clock.clone(),
        pace: NEVER,
    };
    let mut batch = Batch::default();
    let answers: Vec<_> = (0..50)
        .map(|number| {
            let (reply, answer) = oneshot::channel();
            batch.writes.push((change(number), reply));
            answer
        })
        .collect();
    let before = disk.syncs();

    writer.serve(batch).unwrap();

    assert_eq!(disk.syncs(), before + 1);
    assert!(
        answers
            .into_iter()
            .all(|mut answer| answer.try_recv() == Ok(Ok(true)))
    );
    assert_eq!(bench.load(49), Loaded::Found(row(1)));
}

#[test]
fn a_conflict_costs_no_sync() {
    let (bench, disk) = on_a_disk(Durability::EveryWrite, NEVER);
    bench.put(1);
    let before = disk.syncs();

    assert_eq!(bench.write(1, Expected::Absent, 1), Written::Conflict);

    assert_eq!(disk.syncs(), before);
}

#[test]
fn nobody_waits_for_a_thread_that_has_ended() {
    let queue = Queue::default();
    let mut waiting = pin!(probe(&queue));
    assert!(poll(waiting.as_mut()).is_pending());

    queue.end();

    let stopped = || Poll::Ready(Err(Unavailable::new("the storage has stopped")));
    assert_eq!(poll(waiting), stopped());
    assert_eq!(poll(pin!(probe(&queue))), stopped());
}

#[test]
fn more_than_can_wait_for_a_disk_is_refused() {
    let queue = Queue::default();
    let mut waiting = Vec::new();

    let refused = loop {
        let mut next = Box::pin(probe(&queue));
        match poll(next.as_mut()) {
            Poll::Pending => waiting.push(next),
            Poll::Ready(answer) => break answer,
        }
    };

    let too_many = Unavailable::new("too many writes wait for the disk");
    assert_eq!((waiting.len(), refused), (8192, Err(too_many)));
}

async fn probe(queue: &Queue) -> Result<(), Unavailable> {
    queue.ask(|batch, reply| batch.probes.push(reply)).await
}

fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

fn on_a_disk(durability: Durability, pace: Pace) -> (Bench, Disk) {
    let directory = directory();
    let disk = Disk::at(directory.path());
    let clock = Arc::new(ManualClock::new(START));
    let storage = FileStorage::on(disk.clone(), durability, clock.clone(), pace).unwrap();
    let bench = Bench {
        storage,
        clock,
        directory,
    };
    (bench, disk)
}

fn change(number: usize) -> Change {
    Change {
        key: key(number),
        expected: Expected::Absent,
        stored: Stored {
            end: START.after(HOUR),
            row: row(1),
        },
    }
}

fn no_room() -> Written {
    Written::Unavailable(Unavailable::new(
        "the file cannot be used: no storage space",
    ))
}
