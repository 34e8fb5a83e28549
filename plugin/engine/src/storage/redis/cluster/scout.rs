//! The task that keeps track of who serves what.

use std::collections::HashSet;
use std::iter::from_fn;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout};
use tracing::warn;

use super::board::Board;
use super::nodes::Nodes;
use super::survey::{ask_acquaintances, ask_strangers};
use super::view::View;
use crate::storage::redis::connect::Address;
use crate::storage::redis::fault::Fault;
use crate::storage::redis::link::{Backoff, Line, News, Outage, jitter};

/// Asks nodes who serves what: when somebody was sent elsewhere, when a connection broke, and now and then.
pub(super) struct Scout {
    seeds: Vec<Address>,
    /// Whom to ask when no master answers: the seeds, and the replicas of which the last answers told.
    strangers: Vec<Address>,
    nodes: Arc<Nodes>,
    hints: mpsc::Receiver<Address>,
    board: Board,
    silence: Outage,
    backoff: Backoff,
}

impl Scout {
    pub(super) fn new(
        seeds: Vec<Address>,
        nodes: Arc<Nodes>,
        hints: mpsc::Receiver<Address>,
        board: Board,
    ) -> Self {
        Self {
            strangers: seeds.clone(),
            seeds,
            nodes,
            hints,
            board,
            silence: Outage::begin(Instant::now()),
            backoff: Backoff::default(),
        }
    }

    pub(super) async fn run(mut self) {
        let mut hinted = Vec::new();
        loop {
            let pause = match self.survey(hinted).await {
                Ok(views) => self.learn(&views),
                Err(fault) => self.despair(&fault),
            };
            hinted = self.rest(pause).await;
        }
    }

    async fn survey(&self, hinted: Vec<Address>) -> Result<Vec<View>, Fault> {
        let views = ask_acquaintances(self.acquaintances(hinted)).await;
        match views.is_empty() {
            true => ask_strangers(&self.strangers, self.nodes.access()).await,
            false => Ok(views),
        }
    }

    /// Some masters, others each time, and the nodes of the hints, as far as we are connected to them.
    fn acquaintances(&self, hinted: Vec<Address>) -> Vec<(Address, Line)> {
        let routes = self.board.routes();
        let masters = routes.map().masters();
        let first = getrandom::u32().unwrap_or_default() as usize % masters.len().max(1);
        let some = masters
            .iter()
            .cycle()
            .skip(first)
            .take(masters.len().min(ASKED));
        let some: HashSet<_> = some
            .map(|master| master.address.clone())
            .chain(hinted)
            .collect();
        let acquaintance = |address| self.nodes.ready(&address).map(|line| (address, line));
        some.into_iter().filter_map(acquaintance).collect()
    }

    fn learn(&mut self, views: &[View]) -> Duration {
        self.silence = Outage::begin(Instant::now());
        self.backoff.reset();
        let replicas = views.iter().flat_map(|view| &view.replicas);
        let strangers: HashSet<_> = self.seeds.iter().chain(replicas).cloned().collect();
        self.strangers = strangers.into_iter().collect();
        self.board.learn(views, &self.nodes);
        match self.board.routes().is_whole() {
            true => jitter(WHILE_WHOLE),
            false => jitter(WHILE_BROKEN),
        }
    }

    fn despair(&mut self, fault: &Fault) -> Duration {
        match self.silence.failed(&fault.cause, Instant::now()) {
            News::None => {}
            News::Cause => warn!(%fault, "no node of the cluster answers"),
            News::Still(attempts) => {
                warn!(%fault, attempts, "still no node of the cluster answers")
            }
        }
        self.board.despair(&fault.cause);
        self.backoff.next(fault.remedy)
    }

    /// Until it is time to look again, or somebody gives a hint.
    async fn rest(&mut self, pause: Duration) -> Vec<Address> {
        // What happens to one request happens to many: one look is for all of them.
        sleep(TOGETHER).await;
        let mut hinted: Vec<_> = from_fn(|| self.hints.try_recv().ok()).collect();
        if hinted.is_empty() {
            hinted.extend(timeout(pause, self.hints.recv()).await.ok().flatten());
        }
        hinted
    }
}

/// Enough that one of them was awake when the cluster last changed.
const ASKED: usize = 5;
const TOGETHER: Duration = Duration::from_millis(50);
const WHILE_WHOLE: Duration = Duration::from_secs(10);
/// A failover takes seconds. It should not take longer because nobody looked.
const WHILE_BROKEN: Duration = Duration::from_millis(500);
