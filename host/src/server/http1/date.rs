//! The date of responses that have none (RFC 9110 6.6.1).

use std::cell::RefCell;
use std::time::SystemTime;

/// The date as it is now. It is written once a second and thread.
pub(super) fn now() -> [u8; LENGTH] {
    let second = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |time| time.as_secs());
    LAST.with_borrow_mut(|last| {
        if last.0 != Some(second) {
            *last = (Some(second), write(second));
        }
        last.1
    })
}

fn write(second: u64) -> [u8; LENGTH] {
    let time = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(second);
    let text = httpdate::fmt_http_date(time);
    // Always of this length.
    text.as_bytes().try_into().unwrap_or([b' '; LENGTH])
}

const LENGTH: usize = "Sun, 06 Nov 1994 08:49:37 GMT".len();

thread_local! {
    static LAST: RefCell<(Option<u64>, [u8; LENGTH])> = const { RefCell::new((None, [0; LENGTH])) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_that_of_the_standard() {
        assert_eq!(&write(784_111_777), b"Sun, 06 Nov 1994 08:49:37 GMT");
    }
}
