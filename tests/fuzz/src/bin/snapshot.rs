//! The cookie with a snapshot of the session, in both encodings: nobody without the secret makes one, or changes one.
#![no_main]
#![forbid(unsafe_code)]

use std::sync::LazyLock;
use std::time::Duration;

use abi::config::Secret;
use engine::cookie::MAX_PAIR;
use engine::session::{
    Encoding, Record, Secrets, SessionId, Snapshot, SnapshotError, SnapshotRules, Snapshots, State,
    Timestamp, decode,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Bench { both, id } = &*BENCH;
    for snapshots in both {
        let now = Timestamp::from_millis(1_763_683_200_000);
        assert!(snapshots.decode(id, data, now).is_err(), "nobody made this");
    }

    let Some((&[high, low, mask], row)) = data.split_first_chunk() else {
        return;
    };
    if let Ok(State::Live(record)) = decode(row) {
        let at = usize::from(u16::from_be_bytes([high, low]));
        both.iter()
            .for_each(|snapshots| check(snapshots, &record, (at, mask)));
    }
});

fn check(snapshots: &Snapshots, record: &Record, (at, mask): (usize, u8)) {
    let snapshot = Snapshot {
        record: record.clone(),
        issued_at: record.seen_at(),
    };
    let now = snapshot.issued_at.after(Duration::from_secs(1));
    let Some(text) = snapshots.encode(&BENCH.id, &snapshot, now) else {
        return;
    };
    assert!(COOKIE.len() + text.len() <= MAX_PAIR);
    let mut text = text.into_bytes();
    match snapshots.decode(&BENCH.id, &text, now) {
        Ok(found) => {
            assert_eq!(found.record, snapshot.record);
            assert!(snapshot.issued_at.since(found.issued_at) < Duration::from_secs(1));
        }
        // A token counts in whole seconds.
        Err(error) => assert_eq!(error, SnapshotError::Expired),
    }
    let at = at % text.len();
    text[at] ^= mask;
    assert!(mask == 0 || snapshots.decode(&BENCH.id, &text, now).is_err());
}

static BENCH: LazyLock<Bench> = LazyLock::new(Bench::new);

struct Bench {
    both: [Snapshots; 2],
    id: SessionId,
}

impl Bench {
    fn new() -> Self {
        let secrets = [
            "the newest of two secrets for fuzzing",
            "the older of two secrets for fuzzing",
        ];
        let secrets = Secrets::parse(&secrets.map(Secret::new)).expect("long enough");
        let secrets = secrets.expect("two");
        let rules = |encoding| SnapshotRules {
            cookie: COOKIE.into(),
            encoding,
            trust: Duration::from_secs(300),
            principal: Some("user_id".into()),
        };
        Self {
            both: [Encoding::Compact, Encoding::Jwt]
                .map(|encoding| Snapshots::new(secrets.clone(), rules(encoding))),
            id: SessionId::parse(&[b'A'; SessionId::ENCODED_LEN]).expect("an id of zeros"),
        }
    }
}

const COOKIE: &str = "sid_cache";
