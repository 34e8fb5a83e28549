//! Who is still at work when a worker is to stop.

use std::convert::Infallible;

use tokio::sync::mpsc;

/// Keeps a worker alive: held by each connection and each tunnel.
#[derive(Clone, Debug)]
pub struct Alive(mpsc::Sender<Infallible>);

/// Hands out [`Alive`]s without keeping the worker alive itself.
#[derive(Clone, Debug)]
pub struct Tracker(mpsc::WeakSender<Infallible>);

/// The worker's end.
#[derive(Debug)]
pub(super) struct Drain(mpsc::Receiver<Infallible>);

/// Begins to count.
pub(super) fn drain() -> (Drain, Alive) {
    let (alive, drain) = mpsc::channel(1);
    (Drain(drain), Alive(alive))
}

impl Drain {
    /// Waits until nobody is at work any more.
    pub(super) async fn finished(mut self) {
        // Nothing is ever sent: the only event is that the last sender is gone.
        while self.0.recv().await.is_some() {}
    }
}

impl Alive {
    pub(super) fn tracker(&self) -> Tracker {
        Tracker(self.0.downgrade())
    }
}

impl Tracker {
    /// Counts somebody in; `None` when the worker has ended.
    pub fn track(&self) -> Option<Alive> {
        self.0.upgrade().map(Alive)
    }

    /// Counts nobody, for an upstream outside of a worker.
    pub fn detached() -> Self {
        drain().1.tracker()
    }
}
