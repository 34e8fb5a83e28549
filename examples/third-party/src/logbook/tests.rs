use super::*;
use crate::Guestbook;
use abi::serde_json::json;
use abi::storage::StorageHandle;
use abi::testing::{TestGateway, wait};

#[test]
fn row_that_was_written_is_found() {
    let book = book();

    let written = wait(book.write(&ANNA, Expected::Absent, row(1), HOUR));

    assert_eq!(written, Written::Done);
    assert_eq!(wait(book.load(&ANNA)), Loaded::Found(row(1)));
    assert_eq!(wait(book.load(&BEN)), Loaded::Absent);
}

#[test]
fn only_the_expected_version_is_replaced() {
    let book = book();
    let write = |expected, version| wait(book.write(&ANNA, expected, row(version), HOUR));

    assert_eq!(write(Expected::Version(1), 2), Written::Conflict);
    assert_eq!(write(Expected::Absent, 1), Written::Done);
    assert_eq!(write(Expected::Absent, 1), Written::Conflict);
    assert_eq!(write(Expected::Version(1), 2), Written::Done);
    assert_eq!(write(Expected::Version(1), 2), Written::Conflict);
    assert_eq!(wait(book.load(&ANNA)), Loaded::Found(row(2)));
}

#[test]
fn row_whose_time_has_run_out_is_absent() {
    let mut pages = Pages {
        lines: HashMap::new(),
        max_rows: 10,
    };
    let start = Instant::now();
    let line = || Line {
        row: row(1),
        until: start + HOUR,
    };

    pages.write(ANNA, Expected::Absent, line(), start);

    assert_eq!(pages.read(&ANNA, start + HOUR - TICK), Some(&row(1)));
    assert_eq!(pages.read(&ANNA, start + HOUR), None);
    assert_eq!(
        pages.write(ANNA, Expected::Version(1), line(), start + HOUR),
        Written::Conflict
    );
    assert_eq!(
        pages.write(ANNA, Expected::Absent, line(), start + HOUR),
        Written::Done
    );
}

#[test]
fn full_book_takes_new_rows_only_in_place_of_old_ones() {
    let mut pages = Pages {
        lines: HashMap::new(),
        max_rows: 1,
    };
    let start = Instant::now();
    let line = |version, keep| Line {
        row: row(version),
        until: start + keep,
    };
    pages.write(ANNA, Expected::Absent, line(1, HOUR), start);

    let refused = pages.write(BEN, Expected::Absent, line(1, HOUR), start);
    let replaced = pages.write(ANNA, Expected::Version(1), line(2, HOUR), start);
    let later = pages.write(BEN, Expected::Absent, line(1, 2 * HOUR), start + HOUR);

    assert!(matches!(refused, Written::Unavailable(_)), "{refused:?}");
    assert_eq!((replaced, later), (Written::Done, Written::Done));
    assert_eq!(pages.lines.len(), 1);
}

#[test]
fn reset_counts_what_was_there() {
    let book = book();
    for key in [ANNA, BEN] {
        let _ = wait(book.write(&key, Expected::Absent, row(1), HOUR));
    }

    assert_eq!(wait(book.reset()), Ok(2));
    assert_eq!(wait(book.load(&ANNA)), Loaded::Absent);
}

#[test]
fn book_without_rows_is_refused() {
    let plugin = TestGateway::new().open::<Guestbook>(json!({})).unwrap();

    let faults = plugin
        .storage("LogbookStorage", json!({ "maxRows": 0 }))
        .unwrap_err();

    assert!(faults.to_string().contains("nonzero"), "{faults}");
}

fn book() -> StorageHandle {
    let plugin = TestGateway::new().open::<Guestbook>(json!({})).unwrap();
    plugin.storage("LogbookStorage", json!({})).unwrap()
}

fn row(version: u64) -> Row {
    Row {
        version,
        payload: b"whatever the engine wants to find again".to_vec(),
    }
}

const ANNA: Key = Key::new([1; 32]);
const BEN: Key = Key::new([2; 32]);
const HOUR: Duration = Duration::from_secs(3600);
const TICK: Duration = Duration::from_nanos(1);
