//! What all sentinels together know: which server is the master now.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use abi::storage::Unavailable;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::storage::redis::connect::Address;
use crate::storage::redis::fault::Fault;
use crate::storage::redis::link::Returns;

/// Where sentinels report and links learn. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Council {
    minutes: Arc<Mutex<Minutes>>,
    verdict: watch::Sender<Verdict>,
    moved: watch::Sender<u64>,
}

/// What one sentinel knows.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Opinion {
    pub(super) master: Address,
    /// Counts the failovers. A sentinel that has not heard of the last one has a lower number than the others.
    pub(super) epoch: u64,
    pub(super) replicas: Vec<Address>,
}

/// What a sentinel says by itself.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Switch {
    pub(super) from: Address,
    pub(super) to: Address,
}

/// What is to be believed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Verdict {
    /// Whom the sentinels name that know of the last failover.
    Known(Opinion),
    /// No sentinel can be asked; the last of them could not for this reason.
    Unknown(Unavailable),
    /// Not all of them were asked yet.
    Waiting,
}

#[derive(Debug)]
struct Minutes {
    seats: Vec<Seat>,
    elected: Option<(Opinion, Instant)>,
    served: Option<Address>,
}

#[derive(Clone, Debug)]
enum Seat {
    Asked(Opinion),
    Empty(Unavailable),
    New,
}

impl Council {
    /// As many sentinels as there are `seats`, none of them asked yet.
    pub(super) fn new(seats: usize) -> Self {
        Self {
            minutes: Arc::new(Mutex::new(Minutes {
                seats: vec![Seat::New; seats],
                elected: None,
                served: None,
            })),
            verdict: watch::Sender::new(Verdict::Waiting),
            moved: watch::Sender::default(),
        }
    }

    pub(super) fn verdict(&self) -> watch::Receiver<Verdict> {
        self.verdict.subscribe()
    }

    /// Counts how often the connections have followed the master to another server, or are back at the same one.
    pub(super) fn moved(&self) -> watch::Receiver<u64> {
        self.moved.subscribe()
    }

    /// For one connection to the master, to count with.
    pub(super) fn returns(&self) -> Returns {
        Returns::new(&self.moved)
    }

    /// A sentinel was asked.
    pub(super) fn asked(&self, seat: usize, opinion: Opinion) {
        self.take(seat, Seat::Asked(opinion));
    }

    /// A sentinel cannot be asked.
    pub(super) fn lost(&self, seat: usize, cause: Unavailable) {
        self.take(seat, Seat::Empty(cause));
    }

    /// A sentinel says by itself that the master has moved. It does not say in which epoch, so it is taken for the next:
    /// never too high, and higher than that of all who have not heard of it. What is not about the master that is
    /// known is old news, from one that has heard of it late.
    pub(super) fn switched(&self, seat: usize, switch: Switch) {
        let elected = self
            .minutes()
            .elected
            .as_ref()
            .map(|(elected, _)| elected.clone());
        if let Some(elected) = elected.filter(|elected| elected.master == switch.from) {
            self.asked(
                seat,
                Opinion {
                    master: switch.to,
                    epoch: elected.epoch + 1,
                    replicas: elected.replicas,
                },
            );
        }
    }

    /// A connection to the master works.
    pub(super) fn arrived(&self, master: &Address) {
        let before = self.minutes().served.replace(master.clone());
        if before.is_some_and(|before| before != *master) {
            self.moved.send_modify(|moved| *moved += 1);
        }
    }

    fn take(&self, seat: usize, taken: Seat) {
        let mut minutes = self.minutes();
        minutes.seats[seat] = taken;
        let verdict = minutes.verdict(Instant::now());
        // Under the lock, so that what is decided later is told later.
        self.verdict.send_if_modified(|known| {
            let is_new = *known != verdict;
            *known = verdict;
            is_new
        });
    }

    fn minutes(&self) -> MutexGuard<'_, Minutes> {
        self.minutes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Minutes {
    fn verdict(&mut self, now: Instant) -> Verdict {
        let opinions = self.seats.iter().filter_map(Seat::opinion);
        if let Some(best) = opinions.max_by_key(|opinion| opinion.epoch) {
            let stays = self.elected.as_ref().is_some_and(|(elected, since)| {
                best.epoch < elected.epoch && now - *since < MEMORY
            });
            if !stays {
                let best = best.clone();
                let since = self.since(&best, now);
                self.elected = Some((best, since));
            }
        }
        match (&self.elected, self.seats.iter().find_map(Seat::cause)) {
            (Some((elected, _)), _) => Verdict::Known(elected.clone()),
            (None, Some(cause)) if !self.seats.iter().any(Seat::is_new) => {
                Verdict::Unknown(cause.clone())
            }
            (None, _) => Verdict::Waiting,
        }
    }

    /// When the epoch of `best` began.
    fn since(&self, best: &Opinion, now: Instant) -> Instant {
        match &self.elected {
            Some((elected, since)) if elected.epoch == best.epoch => *since,
            _ => now,
        }
    }
}

impl Seat {
    const fn opinion(&self) -> Option<&Opinion> {
        match self {
            Self::Asked(opinion) => Some(opinion),
            Self::Empty(_) | Self::New => None,
        }
    }

    const fn cause(&self) -> Option<&Unavailable> {
        match self {
            Self::Empty(cause) => Some(cause),
            Self::Asked(_) | Self::New => None,
        }
    }

    const fn is_new(&self) -> bool {
        matches!(self, Self::New)
    }
}

impl Verdict {
    /// Whether there is something to go by.
    pub(super) const fn is_passed(&self) -> bool {
        !matches!(self, Self::Waiting)
    }

    /// The master.
    pub(super) fn master(&self) -> Result<&Address, Fault> {
        match self {
            Self::Known(opinion) => Ok(&opinion.master),
            Self::Unknown(cause) => Err(Fault::lost(format!(
                "no sentinel knows the master: {cause}"
            ))),
            Self::Waiting => Err(Fault::lost("no sentinel was asked yet")),
        }
    }

    pub(super) fn replicas(&self) -> &[Address] {
        match self {
            Self::Known(opinion) => &opinion.replicas,
            Self::Unknown(_) | Self::Waiting => &[],
        }
    }
}

/// How long an epoch is remembered that nobody speaks of any more. The sentinel that told of it may be gone, and the
/// others hear of it within two seconds. Later, their epochs began anew: somebody has reset them.
const MEMORY: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests;
