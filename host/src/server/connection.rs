//! One client connection from its first byte to its last.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;

use arc_swap::ArcSwap;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::sync::watch;

use super::activity::Activity;
use super::arrival::{Arrival, Protocol, Socket, arrive};
use super::http2::Streams;
use super::watchdog::{Farewell, Watchdog};
use super::worker::Plan;
use super::{Service, exchange};
use crate::forwarding::Sender;

/// What every connection of a worker shares.
pub(super) struct Doorway<S> {
    pub(super) service: S,
    /// For connections that are accepted from now on.
    pub(super) plan: Arc<ArcSwap<Plan>>,
    pub(super) stopping: watch::Receiver<bool>,
}

/// What every request of a connection shares.
pub(super) struct Client<S> {
    pub(super) doorway: Arc<Doorway<S>>,
    pub(super) plan: Arc<Plan>,
    pub(super) activity: Arc<Activity>,
    pub(super) sender: Sender,
}

/// Serves a connection until it is closed, upgraded, overdue or no longer wanted.
pub(super) async fn serve<S: Service>(socket: Socket, doorway: Arc<Doorway<S>>) {
    let plan = doorway.plan.load_full();
    let _present = plan.settings.traffic.connection();
    let activity = Activity::new(plan.settings.timeouts);
    let mut stopping = doorway.stopping.clone();
    let mut stop = pin!(stopping.wait_for(|stop| *stop));
    let mut watchdog = Watchdog::new(&activity, stop.as_mut());
    let arriving = pin!(arrive(socket, &plan, &activity));
    let arrived = watchdog.guard(arriving, Farewell::None, |_| {}).await;
    let Arrival { io, peer, protocol } = match arrived {
        Some(Ok(arrival)) => arrival,
        Some(Err(error)) => return tracing::debug!(%error, "no request came"),
        None => return,
    };
    let client = Arc::new(Client {
        doorway,
        plan: Arc::clone(&plan),
        activity: Arc::clone(&activity),
        sender: Sender::new(peer),
    });
    let io = TokioIo::new(io);
    let ended = match protocol {
        Protocol::Http1 => {
            let service = service_fn(|request| {
                let client = Arc::clone(&client);
                async move { Ok::<_, Infallible>(exchange::run(&client, request, None).await) }
            });
            let connection = pin!(plan.http1.serve_connection(io, service).with_upgrades());
            watchdog
                .guard(connection, Farewell::None, |it| it.graceful_shutdown())
                .await
        }
        Protocol::Http2 => {
            let streams = Streams::new(plan.settings.timeouts.idle.get());
            let builder = plan.http2(streams.clone());
            let service = service_fn(move |request| {
                let (client, delivery) = (Arc::clone(&client), streams.announce());
                async move { Ok::<_, Infallible>(exchange::run(&client, request, Some(delivery)).await) }
            });
            // In a box: its size should not be that of every connection.
            let mut connection = Box::pin(builder.serve_connection(io, service));
            watchdog
                .guard(connection.as_mut(), Farewell::Said, |it| {
                    it.graceful_shutdown()
                })
                .await
        }
    };
    if let Some(Err(error)) = ended {
        tracing::debug!(%error, "client connection failed");
    }
}
