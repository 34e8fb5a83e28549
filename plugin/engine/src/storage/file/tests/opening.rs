//! What is found when a gateway starts.

use std::os::unix::fs::PermissionsExt;

use redb::TableDefinition;

use super::*;

#[test]
fn reopening_keeps_everything() {
    for (before, after) in [(BOTH[0], BOTH[1]), (BOTH[1], BOTH[0])] {
        let bench = Bench::open(before);
        bench.put(1);
        assert_eq!(bench.write(1, Expected::Version(1), 2), Written::Done);
        assert_eq!(bench.keep(2, Expected::Absent, 1, SECOND), Written::Done);

        let bench = bench.restart(after);

        assert_eq!(bench.load(1), Loaded::Found(row(2)));
        assert_eq!(bench.write(1, Expected::Version(1), 2), Written::Conflict);
        assert_eq!(bench.load(2), Loaded::Found(row(1)));
        bench.clock.advance(SECOND);
        assert_eq!(bench.load(2), Loaded::Absent);
    }
}

#[test]
fn a_second_gateway_is_refused_and_harms_nobody() {
    let bench = Bench::open(Durability::EveryWrite);

    let fault = refused(bench.directory.path());

    assert!(
        fault.ends_with("sessions.redb` is in use by another gateway"),
        "{fault}"
    );
    bench.put(1);
    assert_eq!(
        bench.restart(Durability::EveryWrite).load(1),
        Loaded::Found(row(1))
    );
}

#[test]
fn of_gateways_that_start_at_once_on_nothing_one_wins() {
    use crate::storage::conformance::Crowd;

    let directory = directory();

    let outcomes = Crowd(8).run(|_| open(directory.path()));

    let refused = outcomes.iter().filter_map(|outcome| outcome.as_ref().err());
    let refused: Vec<_> = refused.map(ToString::to_string).collect();
    assert_eq!(refused.len(), 7, "{refused:?}");
    assert!(
        refused
            .iter()
            .all(|fault| fault.ends_with("in use by another gateway")),
        "{refused:?}"
    );
}

#[test]
fn directory_and_file_are_made_for_their_owner_only() {
    let directory = directory();
    let path = directory.path().join("deep/sessions");

    let _storage = open(&path).unwrap();

    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&path), mode(&file(&path))), (0o700, 0o600));
    assert_eq!(fs::read_dir(&path).unwrap().count(), 1);
}

#[test]
fn an_empty_path_is_a_directory_that_goes_with_the_storage() {
    let storage = open(Path::new("")).unwrap();
    let file = storage.database.file().to_owned();
    assert!(file.exists());

    drop(storage);

    assert!(!file.parent().unwrap().exists());
}

#[test]
fn two_empty_paths_are_two_storages() {
    let [one, other] = [open(Path::new("")).unwrap(), open(Path::new("")).unwrap()];

    assert_ne!(one.database.file(), other.database.file());
}

#[test]
fn a_file_where_the_directory_should_be_is_a_fault() {
    let directory = directory();
    let path = directory.path().join("sessions.db");
    fs::write(&path, "mine").unwrap();

    for path in [path.clone(), path.join("below")] {
        let fault = refused(&path);
        assert!(
            fault.contains("is not a directory") || fault.contains("Not a directory"),
            "{fault}"
        );
    }
    assert_eq!(fs::read(&path).unwrap(), b"mine");
}

#[test]
fn a_directory_that_cannot_be_written_is_a_fault() {
    // Nobody can make files there, not even the administrator that tests may run as.
    let fault = refused(Path::new("/proc/self"));

    assert!(
        fault.starts_with("path: cannot read and write `/proc/self/sessions.redb"),
        "{fault}"
    );
}

#[test]
fn a_directory_that_cannot_be_made_is_a_fault() {
    let fault = refused(Path::new("/proc/self/sessions"));

    assert!(
        fault.starts_with("path: cannot make the directory `/proc/self/sessions`: "),
        "{fault}"
    );
}

#[test]
fn what_is_not_ours_is_a_fault_and_stays() {
    for content in [
        &b""[..],
        b"x",
        b"SQLite format 3\0 and so on",
        &[0; 100_000],
    ] {
        let directory = directory();
        fs::write(file(directory.path()), content).unwrap();

        let fault = refused(directory.path());

        assert!(
            fault.ends_with("is no file of this storage and was left as it is"),
            "{fault}"
        );
        assert_eq!(fs::read(file(directory.path())).unwrap(), content);
    }
}

#[test]
fn a_database_of_somebody_else_is_a_fault() {
    let directory = directory();
    drop(redb::Database::create(file(directory.path())).unwrap());

    let fault = refused(directory.path());

    assert!(
        fault.ends_with("is no file of this storage and was left as it is"),
        "{fault}"
    );
}

#[test]
fn a_truncated_file_is_a_fault_and_stays() {
    let whole = five_hundred_rows();

    for length in [9, 100, 4096, 5000, whole.len() / 2, whole.len() - 1] {
        let directory = directory();
        fs::write(file(directory.path()), &whole[..length]).unwrap();

        let fault = refused(directory.path());

        assert!(
            fault.contains("is damaged; restore it"),
            "at {length}: {fault}"
        );
        assert_eq!(
            fs::read(file(directory.path())).unwrap(),
            &whole[..length],
            "at {length}"
        );
    }
}

#[test]
fn a_rotten_file_is_a_fault_or_an_outage_and_never_a_panic() {
    let whole = five_hundred_rows();
    let mut random = 1_u64;
    for _ in 0..100 {
        let mut rotten = whole.clone();
        for _ in 0..64 {
            random = random.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
            rotten[(random >> 33) as usize % whole.len()] ^= 0x40;
        }
        let directory = directory();
        fs::write(file(directory.path()), rotten).unwrap();

        let Ok(storage) = open(directory.path()) else {
            continue;
        };
        (0..500).for_each(|number| drop(storage.load(&key(number))));
        let _ = block_on(
            storage
                .write(&key(900), Expected::Absent, row(1), HOUR)
                .wait(),
        );
    }
}

#[test]
fn a_file_of_a_later_release_is_a_fault() {
    let directory = directory();
    drop(open(directory.path()).unwrap());
    let database = redb::Database::open(file(directory.path())).unwrap();
    let transaction = database.begin_write().unwrap();
    let formats: TableDefinition<'_, (), u64> = TableDefinition::new("format");
    transaction
        .open_table(formats)
        .unwrap()
        .insert((), 2)
        .unwrap();
    transaction.commit().unwrap();
    drop(database);

    let fault = refused(directory.path());

    assert!(
        fault.ends_with("has format 2, and this release knows only 1"),
        "{fault}"
    );
}

#[test]
fn what_a_crash_left_half_made_is_begun_anew() {
    let directory = directory();
    fs::write(directory.path().join("sessions.redb.new"), "half a file").unwrap();

    let storage = open(directory.path());

    assert!(storage.is_ok(), "{storage:?}");
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
}

/// A file as a gateway leaves it.
fn five_hundred_rows() -> Vec<u8> {
    let bench = Bench::open(Durability::EverySecond);
    (0..500).for_each(|number| bench.put(number));
    let Bench {
        storage, directory, ..
    } = bench;
    drop(storage);
    fs::read(file(directory.path())).unwrap()
}

fn open(path: &Path) -> Result<FileStorage, Faults> {
    FileStorage::open(&config(path), Arc::new(ManualClock::new(START)))
}

#[track_caller]
fn refused(path: &Path) -> String {
    let faults = open(path).expect_err("opened");
    assert_eq!(faults.iter().count(), 1, "{faults}");
    faults.to_string()
}
