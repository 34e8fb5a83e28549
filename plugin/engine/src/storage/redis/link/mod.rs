//! One connection to a server, kept up by a task of its own.
//!
//! Requests never connect. They take the connection that is there. When there is none, they wait for one while the
//! outage is so young that it may be over in a moment, and later give up at once: an outage costs no request more than
//! that, and no request queues behind an attempt to reconnect. Only the first attempt is waited for, so that a gateway
//! that has just started does not refuse its first requests.

mod backoff;
mod hearing;
mod lane;
mod latency;
mod line;
mod outage;
mod seek;
mod share;
mod supervisor;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use abi::storage::Unavailable;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

pub(super) use self::backoff::{Backoff, jitter};
pub(super) use self::hearing::Hearing;
use self::lane::Lanes;
use self::latency::Latency;
pub(super) use self::line::Line;
pub(super) use self::outage::{News, Outage};
pub(super) use self::seek::{Fixed, Leave, Returns, Seek};
pub(super) use self::share::{Share, index};
use self::supervisor::Supervisor;
use super::connect::Access;
use crate::runtime::{Runtime, Task};

/// The way to the connection.
#[derive(Debug)]
pub(super) struct Link {
    status: watch::Receiver<Status>,
    lanes: Lanes,
    latency: Arc<Latency>,
    _supervisor: Task,
}

/// What all links of a storage have in common. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Terms {
    pub(super) access: Access,
    /// None when nobody keeps copies of rows.
    pub(super) hearing: Option<Hearing>,
    /// How long a server may be silent before its connections are left; no less than 600 ms and no more than 5 s.
    pub(super) silence: Duration,
    pub(super) runtime: Arc<Runtime>,
}

/// How long to wait for a connection when there is none.
#[derive(Clone, Copy, Debug)]
pub(super) enum Patience {
    /// From now on, for whoever comes before the first connection.
    FromNow(Duration),
    /// From the beginning of the outage, for requests.
    OfOutage(Duration),
}

#[derive(Clone, Debug)]
enum Status {
    Down {
        cause: Unavailable,
        since: Instant,
    },
    /// The first attempt to connect is under way.
    New,
    Up(Line),
}

impl Link {
    /// Begins to connect, and to reconnect for as long as the link lives.
    ///
    /// # Errors
    /// When the threads cannot be started.
    pub(super) fn open(seek: impl Seek, share: Share, terms: &Terms) -> io::Result<Self> {
        let (publish, status) = watch::channel(Status::New);
        let supervisor = Supervisor::new(seek, share, terms, publish);
        Ok(Self {
            status,
            lanes: Lanes::new(terms),
            latency: supervisor.latency(),
            _supervisor: terms.runtime.spawn(supervisor.run())?,
        })
    }

    /// The connection, if there is one in time other than the `broken` one. The first attempt to connect is always
    /// waited for: it is over soon, one way or the other.
    pub(super) async fn line(
        &self,
        patience: Patience,
        broken: Option<u64>,
    ) -> Result<Line, Unavailable> {
        match self.at_once(broken) {
            Some(line) => Ok(line),
            // In a box, so that the future of a command has no room for what it hardly ever does.
            None => Box::pin(self.wait(patience, broken)).await,
        }
    }

    /// The connection, if it is up and not the `broken` one.
    pub(super) fn at_once(&self, broken: Option<u64>) -> Option<Line> {
        let status = self.status.borrow();
        status.line(broken).map(|line| self.lanes.instead_of(line))
    }

    async fn wait(&self, patience: Patience, broken: Option<u64>) -> Result<Line, Unavailable> {
        let mut status = self.status.clone();
        let _ = status
            .wait_for(|status| !matches!(status, Status::New))
            .await;
        let deadline = match &*status.borrow() {
            Status::Down { since, .. } => patience.deadline(*since),
            // That it broke is no news yet.
            Status::New | Status::Up(_) => patience.deadline(Instant::now()),
        };
        let another = status.wait_for(|status| status.line(broken).is_some());
        match timeout_at(deadline, another).await {
            Ok(Ok(status)) => status.line(broken).cloned().ok_or_else(broke),
            Ok(Err(_)) | Err(_) => Err(self.cause()),
        }
    }

    /// The connection, if it is up.
    pub(super) fn ready(&self) -> Option<Line> {
        self.status.borrow().line(None).cloned()
    }

    /// How fast the server answered lately. Zero before the first check.
    pub(super) fn latency(&self) -> Duration {
        self.latency.average()
    }

    fn cause(&self) -> Unavailable {
        match &*self.status.borrow() {
            Status::Down { cause, .. } => cause.clone(),
            Status::New => Unavailable::new("not connected yet"),
            Status::Up(_) => broke(),
        }
    }
}

impl Terms {
    /// How long one answer may take. A connection is left after two that did not come.
    fn answer_within(&self) -> Duration {
        (self.silence / 2).clamp(SOONEST, LATEST)
    }
}

impl Patience {
    /// Until when to wait in an outage that began then.
    pub(super) fn deadline(self, outage_began: Instant) -> Instant {
        match self {
            Self::FromNow(limit) => Instant::now() + limit,
            Self::OfOutage(limit) => outage_began + limit,
        }
    }
}

impl Status {
    fn line(&self, broken: Option<u64>) -> Option<&Line> {
        match self {
            Self::Up(line) if Some(line.number) != broken => Some(line),
            Self::Down { .. } | Self::New | Self::Up(_) => None,
        }
    }
}

const SOONEST: Duration = Duration::from_millis(300);
/// However patient a command is: a server that is gone has to be found out.
const LATEST: Duration = Duration::from_millis(2500);

fn broke() -> Unavailable {
    Unavailable::new("the connection broke")
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use tokio::time::{advance, sleep};

    use super::*;
    use crate::storage::redis::keys::Keys;

    #[tokio::test(start_paused = true)]
    async fn a_young_outage_is_waited_out_and_an_old_one_is_told_at_once() {
        let (link, _publish) = link_that_is_down();
        let start = Instant::now();
        let patience = Patience::OfOutage(Duration::from_millis(50));

        advance(Duration::from_millis(30)).await;
        assert_eq!(link.line(patience, None).await.unwrap_err(), gone());
        assert_eq!(start.elapsed(), Duration::from_millis(50));

        assert_eq!(link.line(patience, None).await.unwrap_err(), gone());
        assert_eq!(start.elapsed(), Duration::from_millis(50));
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_waits_from_now_on_waits_in_an_old_outage_too() {
        let (link, _publish) = link_that_is_down();
        let start = Instant::now();
        advance(Duration::from_secs(60)).await;

        let patience = Patience::FromNow(Duration::from_secs(1));
        assert_eq!(link.line(patience, None).await.unwrap_err(), gone());

        assert_eq!(start.elapsed(), Duration::from_secs(61));
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_attempt_to_connect_is_waited_for() {
        let (link, publish) = link_in(Status::New);
        let start = Instant::now();
        let end_of_attempt = async {
            sleep(Duration::from_secs(1)).await;
            publish.send_replace(down(start));
        };

        let patience = Patience::OfOutage(Duration::from_millis(50));
        let (line, ()) = tokio::join!(link.line(patience, None), end_of_attempt);

        assert_eq!(line.unwrap_err(), gone());
        assert_eq!(start.elapsed(), Duration::from_secs(1));
    }

    fn link_that_is_down() -> (Link, watch::Sender<Status>) {
        link_in(down(Instant::now()))
    }

    fn down(since: Instant) -> Status {
        Status::Down {
            cause: gone(),
            since,
        }
    }

    fn link_in(status: Status) -> (Link, watch::Sender<Status>) {
        let (publish, status) = watch::channel(status);
        let supervisor = Runtime::default().spawn(pending()).unwrap();
        let link = Link {
            status,
            lanes: Lanes::new(&terms()),
            latency: Arc::default(),
            _supervisor: supervisor,
        };
        (link, publish)
    }

    fn terms() -> Terms {
        let access = Access {
            login: redis::RedisConnectionInfo::default(),
            tls: None,
            limit: Duration::from_secs(1),
            keys: Keys::Parts,
        };
        Terms {
            access,
            hearing: None,
            silence: Duration::from_secs(1),
            runtime: Arc::default(),
        }
    }

    fn gone() -> Unavailable {
        Unavailable::new("gone")
    }
}
