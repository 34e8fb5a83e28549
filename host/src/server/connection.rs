//! One client connection from its first byte to its last.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;

use arc_swap::ArcSwap;
use futures_util::FutureExt;
use http::Request;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::sync::watch;

use super::activity::Activity;
use super::arrival::{Arrival, Protocol, Socket, arrive};
use super::drain::Alive;
use super::http1::{Conversation, Post, Wire};
use super::http2::Streams;
use super::stop::Stop;
use super::watchdog::{End, Manner, Watchdog};
use super::watched::Watched;
use super::worker::Plan;
use super::{Incoming, Service, exchange};
use crate::forwarding::Sender;

/// What every connection of a worker shares.
pub(super) struct Doorway<S> {
    pub(super) service: S,
    /// For connections that are accepted from now on.
    pub(super) plan: Arc<ArcSwap<Plan>>,
    pub(super) stopping: watch::Receiver<bool>,
    /// For responses to requests over HTTP/1.1.
    pub(super) post: Arc<Post>,
}

/// What every request of a connection shares.
pub(super) struct Client<S> {
    pub(super) doorway: Arc<Doorway<S>>,
    pub(super) plan: Arc<Plan>,
    pub(super) activity: Arc<Activity>,
    pub(super) sender: Sender,
}

/// Serves a connection until it is closed, upgraded, overdue or no longer wanted.
pub(super) async fn serve<S: Service>(socket: Socket, _alive: Alive, doorway: Arc<Doorway<S>>) {
    let plan = doorway.plan.load_full();
    let _present = plan.settings.traffic.connection();
    let activity = Activity::new(plan.settings.timeouts);
    let mut order = doorway.stopping.clone();
    let coming = pin!(async move {
        // Without anybody who could give it, it is as good as given.
        let _ = order.wait_for(|order| *order).await;
    });
    let stop = Stop::new(doorway.stopping.clone(), coming);
    let mut watchdog = Watchdog::new(&activity, stop);
    let arriving = pin!(arrive(socket, &plan, &activity));
    let arrived = watchdog.guard(arriving, Manner::Closed, |_| {}).await;
    let Arrival { io, peer, protocol } = match arrived {
        End::Over(Ok(arrival)) => arrival,
        End::Over(Err(error)) => return tracing::debug!(%error, "no request came"),
        End::Cut | End::Rest => return,
    };
    let client = Arc::new(Client {
        doorway,
        plan: Arc::clone(&plan),
        activity: Arc::clone(&activity),
        sender: Sender::new(peer),
    });
    let ended = match protocol {
        Protocol::Http1 => http1(io, &client, &mut watchdog).await,
        Protocol::Http2 => http2(io, client, &mut watchdog).await,
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "client connection failed");
    }
}

/// Serves HTTP/1.1. Between requests that are far apart nothing is kept but the socket: the buffers of a connection are
/// most of what it weighs.
async fn http1<S: Service>(
    io: Watched,
    client: &Arc<Client<S>>,
    watchdog: &mut Watchdog<'_>,
) -> Result<(), Failed> {
    let wire = Arc::new(Wire::new(io));
    loop {
        // In a box, and gone before the rest begins: it has room for a request, which is most of it.
        let mut talk = Box::pin(Conversation::new(&wire, client).run());
        match watchdog.guard(talk.as_mut(), Manner::Resting, |_| {}).await {
            End::Over(ended) => return Ok(ended?),
            End::Cut => return Ok(()),
            End::Rest => drop(talk),
        }
        let woken = pin!(wire.rest());
        match watchdog.guard(woken, Manner::Closed, |_| {}).await {
            End::Over(readable) => readable?,
            End::Cut | End::Rest => return Ok(()),
        }
    }
}

async fn http2<S: Service>(
    io: Watched,
    client: Arc<Client<S>>,
    watchdog: &mut Watchdog<'_>,
) -> Result<(), Failed> {
    let plan = Arc::clone(&client.plan);
    let streams = Streams::new(plan.settings.timeouts.idle.get());
    let builder = plan.http2(streams.clone());
    let service = service_fn(move |request: Request<hyper::body::Incoming>| {
        let (client, delivery) = (Arc::clone(&client), streams.announce());
        exchange::run(client, request.map(Incoming::Http2), Some(delivery)).map(Ok::<_, Infallible>)
    });
    // In a box: its size should not be that of every connection.
    let mut connection = Box::pin(builder.serve_connection(TokioIo::new(io), service));
    let served = watchdog
        .guard(connection.as_mut(), Manner::Told, |it| {
            it.graceful_shutdown();
        })
        .await;
    match served {
        End::Over(ended) => Ok(ended?),
        End::Cut | End::Rest => Ok(()),
    }
}

/// A connection that went wrong, which happens all the time.
type Failed = Box<dyn std::error::Error + Send + Sync>;
