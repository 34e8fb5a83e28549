//! What a storage gives back for a row: a state, or refused. No rule makes anything of it that could not be stored.
#![no_main]
#![forbid(unsafe_code)]

use std::time::Duration;

use engine::session::{Family, Lifetime, Record, State, Timestamp, decode, encode};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(state) = decode(bytes) else {
        return;
    };
    check_stored(&state);
    match state {
        State::Live(record) => check_life(&record),
        State::Rotating(rotating) => check_life(&rotating.record),
        State::Roster(roster) => {
            let now = Timestamp::from_millis(NOW);
            check_stored(&State::Roster(roster.swept(now)));
        }
        State::Rotated(_) | State::Revoked => {}
    }
});

fn check_stored(state: &State) {
    assert_eq!(decode(&encode(state)).as_ref(), Ok(state));
}

fn check_life(record: &Record) {
    for now in [0, NOW, u64::MAX].map(Timestamp::from_millis) {
        let [renewed, touched, again] = [
            LIFETIME.renew(record, now),
            LIFETIME.touch(record, now),
            LIFETIME.begin_again(record, Family::new(7), now),
        ];
        for record in [renewed, touched, again] {
            let left = LIFETIME.remaining(&record, now).unwrap_or_default();
            assert!(left <= ABSOLUTE, "{left:?}");
            check_stored(&State::Live(record));
        }
    }
}

const NOW: u64 = 1_763_683_200_000;
const HOUR: Duration = Duration::from_secs(60 * 60);
const ABSOLUTE: Duration = HOUR.saturating_mul(24);
const LIFETIME: Lifetime = Lifetime {
    absolute: Some(ABSOLUTE),
    idle: Some(HOUR),
    ..Lifetime::new(HOUR, Some(HOUR))
};
