//! What a check finds that opens nothing.

use super::*;

#[test]
fn a_file_that_is_open_passes_and_stays_as_it_is() {
    let bench = Bench::open(Durability::EveryWrite);
    bench.put(1);

    let looked = look(bench.directory.path());

    assert!(looked.is_ok(), "{looked:?}");
    assert_eq!(bench.write(1, Expected::Version(1), 2), Written::Done);
    assert_eq!(
        bench.restart(Durability::EveryWrite).load(1),
        Loaded::Found(row(2))
    );
}

#[test]
fn a_file_that_was_looked_at_can_be_opened() {
    let directory = directory();
    let open = || FileStorage::open(&config(directory.path()), Arc::new(ManualClock::new(START)));
    drop(open().unwrap());

    let looked = look(directory.path());

    assert!(looked.is_ok(), "{looked:?}");
    assert!(open().is_ok());
}

#[test]
fn nothing_is_made() {
    let directory = directory();

    for path in [directory.path().to_owned(), directory.path().join("a/b")] {
        let looked = look(&path);

        assert!(looked.is_ok(), "{looked:?}");
    }

    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[test]
fn what_opening_would_refuse_is_refused_in_the_same_words() {
    let directory = directory();
    let plain = directory.path().join("plain");
    fs::write(&plain, "mine").unwrap();
    let foreign = directory.path().join("foreign");
    fs::create_dir(&foreign).unwrap();
    fs::write(file(&foreign), "not ours").unwrap();

    for path in [plain.as_path(), &foreign] {
        let clock = Arc::new(ManualClock::new(START));
        let refused = FileStorage::open(&config(path), clock).unwrap_err();

        assert_eq!(look(path), Err(refused.to_string()), "{}", path.display());
    }
    let unmakeable = look(Path::new("/proc/self/sessions")).unwrap_err();
    assert!(
        unmakeable.starts_with("path: cannot make the directory `/proc/self/sessions`: "),
        "{unmakeable}"
    );
    let unwritable = look(Path::new("/proc/self")).unwrap_err();
    assert!(
        unwritable.starts_with("path: cannot read and write `/proc/self/sessions.redb`: "),
        "{unwritable}"
    );
}

fn look(path: &Path) -> Result<(), String> {
    let looked = Unopened::look(&config(path));
    looked.map(drop).map_err(|faults| faults.to_string())
}
