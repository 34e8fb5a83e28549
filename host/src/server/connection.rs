//! One client connection from its first byte to its last.

use std::convert::Infallible;
use std::future::Future;
use std::net::IpAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::sync::watch;
use tokio::time::{Instant, Sleep, sleep_until};

use super::activity::{Activity, Watched};
use super::worker::Plan;
use super::{Peer, Scheme, Service, exchange};
use crate::forwarding::Sender;
use crate::stream::Stream;

/// What every connection of a worker shares.
pub(super) struct Doorway<S> {
    pub(super) service: S,
    pub(super) plan: Arc<Plan>,
    pub(super) stopping: watch::Receiver<bool>,
}

/// What every request of a connection shares.
pub(super) struct Client<S> {
    pub(super) doorway: Arc<Doorway<S>>,
    pub(super) activity: Arc<Activity>,
    pub(super) sender: Sender,
}

/// Serves a connection until it is closed, upgraded, overdue or no longer wanted.
pub(super) async fn serve<S: Service>(
    stream: Stream,
    address: Option<IpAddr>,
    doorway: Arc<Doorway<S>>,
) {
    let settings = &doorway.plan.settings;
    let sender = Sender::new(Peer {
        address,
        scheme: Scheme::Http,
        is_trusted: settings.trusted_proxies.contains(address),
    });
    let activity = Activity::new(settings.timeouts);
    let http = doorway.plan.http.clone();
    let mut stopping = doorway.stopping.clone();
    let io = TokioIo::new(Watched {
        stream,
        activity: Arc::clone(&activity),
    });
    let client = Arc::new(Client {
        doorway,
        activity: Arc::clone(&activity),
        sender,
    });
    let service = service_fn(|request| {
        let client = Arc::clone(&client);
        async move { Ok::<_, Infallible>(exchange::run(&client, request).await) }
    });
    let mut connection = pin!(http.serve_connection(io, service).with_upgrades());
    let mut stop = pin!(stopping.wait_for(|stop| *stop));
    let mut is_stopping = false;
    let mut alarm = Alarm::default();
    let ended = std::future::poll_fn(|cx| {
        loop {
            if let Poll::Ready(ended) = connection.as_mut().poll(cx) {
                return Poll::Ready(ended);
            }
            if is_stopping || stop.as_mut().poll(cx).is_pending() {
                return alarm.poll(activity.deadline(), cx).map(Ok);
            }
            is_stopping = true;
            if activity.is_waiting() {
                return Poll::Ready(Ok(()));
            }
            connection.as_mut().graceful_shutdown();
        }
    });
    if let Err(error) = ended.await {
        tracing::debug!(%error, "client connection failed");
    }
}

/// A timer for a deadline that keeps moving. It is moved only when it fires or when the deadline comes closer.
#[derive(Default)]
struct Alarm(Option<Pin<Box<Sleep>>>);

impl Alarm {
    /// Ready when the deadline is over.
    fn poll(&mut self, deadline: Option<Instant>, cx: &mut Context<'_>) -> Poll<()> {
        let Some(deadline) = deadline else {
            return Poll::Pending;
        };
        let sleep = self
            .0
            .get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        if deadline < sleep.deadline() {
            sleep.as_mut().reset(deadline);
        }
        while sleep.as_mut().poll(cx).is_ready() {
            if deadline <= Instant::now() {
                return Poll::Ready(());
            }
            sleep.as_mut().reset(deadline);
        }
        Poll::Pending
    }
}
