//! Health checks: asks each endpoint now and then, whether it has requests or not.

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use http::header::{CONNECTION, HeaderValue, USER_AGENT};
use http::uri::PathAndQuery;
use http::{Request, StatusCode, Uri};
use tokio::time::{sleep, timeout};

use super::group::{Group, Member};
use super::health::Streak;
use super::sticky::random;
use crate::body::Body;
use crate::upstream::{Patience, UpstreamError};

/// What to ask, how often, and what is a good answer.
#[derive(Clone, Debug)]
pub(crate) struct Check {
    pub(crate) path: PathAndQuery,
    pub(crate) interval: Duration,
    /// For the whole of it, connecting included.
    pub(crate) timeout: Duration,
    pub(crate) streak: Streak,
    pub(crate) statuses: Box<[RangeInclusive<u16>]>,
}

/// Why an endpoint did not pass.
#[derive(Debug, thiserror::Error)]
enum Missed {
    #[error("the check was not answered in time")]
    Late,
    #[error("the check was answered with {}", .0.as_u16())]
    Status(StatusCode),
    #[error("the check failed: {}", cause(.0))]
    Failed(UpstreamError),
}

/// Checks one endpoint for as long as this is polled. The first time at once.
pub(super) async fn watch(group: Arc<Group>, number: usize) {
    let Some(check) = &group.rules.check else {
        return;
    };
    let member = &group.members[number];
    loop {
        member.checked(ask(member, check).await, check);
        sleep(around(check.interval)).await;
    }
}

async fn ask(member: &Member, check: &Check) -> Result<(), Missed> {
    let patience = Patience {
        connect: check.timeout,
        read: check.timeout,
        write: check.timeout,
    };
    let asked = member.origin.ask(request(check), &patience);
    match timeout(check.timeout, asked).await {
        Ok(Ok(status)) if check.is_good(status) => Ok(()),
        Ok(Ok(status)) => Err(Missed::Status(status)),
        Ok(Err(error)) => Err(Missed::Failed(error)),
        Err(_) => Err(Missed::Late),
    }
}

fn request(check: &Check) -> Request<Body> {
    let mut request = Request::new(Body::Empty);
    *request.uri_mut() = Uri::from(check.path.clone());
    let headers = request.headers_mut();
    headers.insert(USER_AGENT, HeaderValue::from_static("gateway-health-check"));
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    request
}

impl Check {
    fn is_good(&self, status: StatusCode) -> bool {
        let mut statuses = self.statuses.iter();
        statuses.any(|range| range.contains(&status.as_u16()))
    }
}

/// A tenth more or less, so that gateways that were started together do not ask together.
fn around(interval: Duration) -> Duration {
    let share = (random() % 200) as f64 / 1000.0;
    interval.mul_f64(0.9 + share)
}

fn cause(error: &UpstreamError) -> String {
    let source = std::error::Error::source(error);
    source.map_or_else(|| error.to_string(), |source| format!("{error}: {source}"))
}
