//! Taking turns on one thread.

use std::future::poll_fn;
use std::task::Poll;

/// Lets messages that are as far as this one catch up, so that all of them are sent one right after the other. Whoever
/// sleeps at the other end is then woken once, and a wake costs more than this.
pub(crate) async fn let_others_go_on() {
    let mut is_next = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut is_next, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
