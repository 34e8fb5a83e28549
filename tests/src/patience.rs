//! Waiting for what others do and tell nobody of. Who tells of it is listened to instead: see [`crate::Gateway::logged`].

use std::io;
use std::process::Child;
use std::thread;
use std::time::{Duration, Instant};

/// How long the harness waits for something that must happen. Not a limit that a test relies on: whoever waits this
/// long has failed.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Looks again and again until it is so.
///
/// # Panics
/// When it never is, with `what` was waited for.
#[track_caller]
pub fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    until_some(what, || is_so().then_some(()));
}

/// Looks again and again until there is something, and returns it.
///
/// # Panics
/// When there never is, with `what` was waited for.
#[track_caller]
pub fn until_some<T>(what: &str, mut find: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = find() {
            return found;
        }
        assert!(began.elapsed() < PATIENCE, "waited in vain until {what}");
        thread::sleep(PAUSE);
    }
}

/// Waits until `process` listens where `connect` looks; false when it has ended.
///
/// # Panics
/// When it does neither.
#[track_caller]
pub(crate) fn listens<T>(process: &mut Child, connect: impl Fn() -> io::Result<T>) -> bool {
    until_some("somebody listens", || {
        let has_ended = process.try_wait().is_ok_and(|status| status.is_some());
        match has_ended {
            true => Some(false),
            false => connect().is_ok().then_some(true),
        }
    })
}

/// Between two looks; short beside what one costs, and long enough to leave the processor to those who are waited for.
const PAUSE: Duration = Duration::from_millis(5);
