//! A service and how to talk to it: what all workers have in common.

use std::io;
use std::sync::Arc;

use http::{Request, StatusCode};

use super::attempt::Spare;
use super::connection::Connection;
use super::occupancy::Occupancy;
use super::tls::Tls;
use super::{Endpoint, Keep, Patience, Protocol, UpstreamError, exchange};
use crate::body::Body;
use crate::metrics::{Metrics, UpstreamCounters};

/// A service behind the gateway, and how to talk to it.
#[derive(Debug)]
pub struct Origin {
    pub(super) endpoint: Endpoint,
    // There if the endpoint wants it, and only then.
    pub(super) tls: Option<Tls>,
    pub(super) protocol: Protocol,
    pub(super) keep: Keep,
    pub(super) patience: Patience,
    // Where nobody asks how many requests are under way, they are not counted.
    pub(super) occupancy: Option<Arc<Occupancy>>,
    pub(super) counters: UpstreamCounters,
}

impl Origin {
    /// Where it is.
    pub(crate) const fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// A new connection.
    pub(super) async fn open(&self, protocol: Protocol) -> Result<Connection, UpstreamError> {
        let (stream, chosen) = self.dial(protocol).await.map_err(unreachable)?;
        let opened = Connection::open(stream, chosen).await;
        opened.map_err(|error| UpstreamError::Failed(error.into()))
    }

    /// Sends a request over a connection of its own, and reads no more of the answer than its status.
    pub(super) async fn ask(
        &self,
        mut request: Request<Body>,
        patience: &Patience,
    ) -> Result<StatusCode, UpstreamError> {
        *request.uri_mut() = self.endpoint.target(request.uri());
        self.endpoint.name_host(request.headers_mut());
        let connection = self.open(self.protocol).await?;
        connection.form(&mut request, self.endpoint.scheme());
        let answer = exchange::run(connection, &mut request, Spare::None, patience).await;
        let answered = answer.map_err(|failure| failure.error)?;
        Ok(answered.response.status())
    }

    /// Counts the requests under way.
    pub(crate) fn counted(mut self) -> Self {
        self.occupancy
            .get_or_insert_with(|| Arc::new(Occupancy::new(0)));
        self
    }

    /// Shows what goes on with it, as a service of this action.
    pub(crate) fn shown(mut self, action: &str, metrics: &Metrics) -> Self {
        self.counters = UpstreamCounters::new(metrics, action, &self.endpoint.to_string());
        self
    }

    /// Goes on counting where the same service was counted until now, with the same bound.
    pub(super) fn follow(&mut self, before: &Self) {
        if let (Some(own), Some(known)) = (&mut self.occupancy, &before.occupancy)
            && own.limit() == known.limit()
        {
            *own = Arc::clone(known);
        }
    }

    /// 0 where they are not counted.
    pub(super) fn under_way(&self) -> usize {
        let occupancy = self.occupancy.as_ref();
        occupancy.map_or(0, |occupancy| occupancy.under_way())
    }

    pub(super) fn has_room(&self) -> bool {
        let occupancy = self.occupancy.as_ref();
        occupancy.is_none_or(|occupancy| occupancy.has_room())
    }
}

fn unreachable(error: io::Error) -> UpstreamError {
    match error.kind() {
        io::ErrorKind::TimedOut => UpstreamError::ConnectTimeout,
        _ => UpstreamError::Connect(error),
    }
}
