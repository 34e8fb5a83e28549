//! The replicas of the master, as far as rows may be read from them.

use std::io;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use abi::storage::Key;
use tokio::sync::watch;

use super::Route;
use super::council::{Council, Verdict};
use super::progress::Progress;
use super::seek;
use crate::runtime::Task;
use crate::storage::redis::connect::Address;
use crate::storage::redis::link::{Line, Link, Share, Terms, index};

/// One link to each replica that the sentinels know.
#[derive(Debug)]
pub(super) struct Replicas {
    links: Arc<RwLock<Vec<Replica>>>,
    _keeper: Task,
}

#[derive(Debug)]
struct Replica {
    address: Address,
    link: Link,
}

/// Opens links to replicas that are new, and closes those to replicas that are gone.
struct Keeper {
    verdict: watch::Receiver<Verdict>,
    links: Arc<RwLock<Vec<Replica>>>,
    progress: Arc<Progress>,
    terms: Terms,
}

impl Replicas {
    pub(super) fn open(
        council: &Council,
        progress: &Arc<Progress>,
        terms: &Terms,
    ) -> io::Result<Self> {
        let links = Arc::default();
        let keeper = Keeper {
            verdict: council.verdict(),
            links: Arc::clone(&links),
            progress: Arc::clone(progress),
            // The master is there for whoever finds no replica: none is waited for.
            terms: Terms {
                silence: Duration::ZERO,
                ..terms.clone()
            },
        };
        Ok(Self {
            links,
            _keeper: terms.runtime.spawn(keeper.run())?,
        })
    }

    /// How many can be read from now.
    #[cfg(test)]
    pub(super) fn ready(&self) -> usize {
        let links = self.links.read().unwrap_or_else(PoisonError::into_inner);
        links
            .iter()
            .filter(|replica| replica.link.ready().is_some())
            .count()
    }

    /// A connection to read `key` through, unless `route` leads to the master, which answers after `master`.
    pub(super) fn line(&self, key: &Key, route: Route, master: Duration) -> Option<Line> {
        let links = self.links.read().unwrap_or_else(PoisonError::into_inner);
        let ready = links
            .iter()
            .filter_map(|replica| Some((replica.link.ready()?, &replica.link)));
        match route {
            Route::ToMaster => None,
            Route::ByLatency => {
                let (line, link) = ready.min_by_key(|(_, link)| link.latency())?;
                (link.latency() < master).then_some(line)
            }
            Route::Randomly => {
                // The same server for the same row, or a row would be seen to go back in time.
                let mut ready: Vec<_> = ready.map(|(line, _)| line).collect();
                let choice = usize::try_from(index(key, ready.len() as u64 + 1)).ok()?;
                (choice < ready.len()).then(|| ready.swap_remove(choice))
            }
        }
    }
}

impl Keeper {
    async fn run(mut self) {
        loop {
            let replicas = self.verdict.borrow_and_update().replicas().to_vec();
            self.keep(replicas);
            if self.verdict.changed().await.is_err() {
                return;
            }
        }
    }

    fn keep(&self, replicas: Vec<Address>) {
        let mut links = self.links.write().unwrap_or_else(PoisonError::into_inner);
        links.retain(|replica| replicas.contains(&replica.address));
        for address in replicas {
            if links.iter().any(|replica| replica.address == address) {
                continue;
            }
            let seek = seek::Replica {
                address: address.clone(),
                progress: Arc::clone(&self.progress),
            };
            // Without a thread for it there is no link, and rows are read from the master.
            if let Ok(link) = Link::open(seek, Share::ALL, &self.terms) {
                links.push(Replica { address, link });
            }
        }
        links.sort_unstable_by(|one, other| one.address.cmp(&other.address));
    }
}
