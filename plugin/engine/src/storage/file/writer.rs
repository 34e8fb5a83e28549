//! The thread that writes: whatever waits when it gets to it shares one transaction, and so one sync of the disk.

use std::sync::Arc;
use std::time::Duration;

use abi::storage::Unavailable;
use tracing::{error, info};

use super::database::Database;
use super::overlay::{Overlay, Rows};
use super::queue::{Batch, Queue, Reply, answer, fail};
use super::row::Change;
use crate::clock::Clock;

/// Everything that changes the file goes through one of these.
pub(super) struct Writer {
    pub(super) database: Arc<Database>,
    pub(super) queue: Arc<Queue>,
    /// Where writes are acknowledged before they are in the file, if they are.
    pub(super) overlay: Option<Arc<Overlay>>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) pace: Pace,
}

/// How long things may wait.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// Acknowledged rows for their commit.
    pub(super) commit: Duration,
    /// Dead rows for the broom, when nobody writes.
    pub(super) sweep: Duration,
    /// The first attempt after a failure. Later ones come up to eight times as late.
    pub(super) retry: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            commit: Duration::from_secs(1),
            sweep: Duration::from_secs(5),
            retry: Duration::from_secs(1),
        }
    }
}

impl Writer {
    /// Works until the queue is closed. What was acknowledged is in the file then.
    pub(super) fn run(self) {
        // However this ends, nobody waits for it any more.
        let _closing = Closing(&self.queue);
        let mut pause = self.pace.sweep;
        while let Some(batch) = self.queue.take(pause, self.pace.commit) {
            pause = self.pace.sweep;
            match self.serve(batch) {
                Ok(SLICE) => pause = Duration::ZERO,
                Ok(_) => {}
                Err(cause) => self.recover(&cause),
            }
        }
        self.finish();
    }

    /// Does what was asked for and answers. Says how many dead rows were removed.
    pub(super) fn serve(&self, batch: Batch) -> Result<usize, Unavailable> {
        let (changes, replies): (Vec<_>, Vec<_>) = batch.writes.into_iter().unzip();
        let Committed { verdicts, swept } = match self.commit(&changes) {
            Ok(committed) => committed,
            Err(cause) => {
                fail(replies, &cause);
                fail(batch.probes, &cause);
                fail(batch.resets, &cause);
                return Err(cause);
            }
        };
        for (reply, verdict) in replies.into_iter().zip(verdicts) {
            // Whoever has gone needs no answer.
            let _ = reply.send(Ok(verdict));
        }
        self.probe(batch.probes)?;
        self.reset(batch.resets)?;
        Ok(swept)
    }

    /// Commits changes, what the overlay has, and the removal of a slice of what is dead.
    fn commit(&self, changes: &[Change]) -> Result<Committed, Unavailable> {
        let Some(overlay) = &self.overlay else {
            return self.write(changes, &Rows::new());
        };
        let done = self.write(changes, &overlay.leave());
        match done {
            Ok(_) => overlay.left(),
            Err(_) => overlay.stayed(),
        }
        done
    }

    fn write(&self, changes: &[Change], leaving: &Rows) -> Result<Committed, Unavailable> {
        let now = self.clock.now();
        self.database.change(|tables| {
            for (key, stored) in leaving {
                tables.put(key, stored)?;
            }
            let verdicts = changes.iter().map(|change| tables.apply(change, now));
            Ok(Committed {
                verdicts: verdicts.collect::<Result<_, _>>()?,
                swept: tables.sweep(now, SLICE)?,
            })
        })
    }

    fn probe(&self, replies: Vec<Reply<()>>) -> Result<(), Unavailable> {
        if replies.is_empty() {
            return Ok(());
        }
        let probed = self.database.probe();
        answer(replies, &probed);
        probed
    }

    fn reset(&self, replies: Vec<Reply<u64>>) -> Result<(), Unavailable> {
        if replies.is_empty() {
            return Ok(());
        }
        let removed = self.database.clear(self.clock.now());
        answer(replies, &removed);
        removed.map(drop)
    }

    /// After a failure: refuses everything, so that nobody waits for a disk that is full, until a commit succeeds.
    fn recover(&self, cause: &Unavailable) {
        let file = self.database.file();
        error!(file = %file.display(), error = %cause, "sessions cannot be written");
        self.queue.refuse(cause);
        // At once, so that everything in it can be read while nothing can be written, as on a full disk. Where opening
        // fails too, as on a disk that does not sync, nothing can be read either, and reads say why.
        let _ = self.database.reopen();
        let mut pause = self.pace.retry;
        while self.queue.rest(pause) {
            pause = (2 * pause).min(8 * self.pace.retry);
            match self.revive() {
                Ok(()) => {
                    info!(file = %file.display(), "sessions are written again");
                    return self.queue.admit();
                }
                Err(cause) => self.queue.refuse(&cause),
            }
        }
    }

    /// Every failed commit costs opening the file anew, and that reads all of it. So the disk is tried without it
    /// first.
    fn revive(&self) -> Result<(), Unavailable> {
        self.database.try_room()?;
        self.database.open_if_closed()?;
        let done = self.commit(&[]).and_then(|_| self.database.probe());
        if done.is_err() {
            let _ = self.database.reopen();
        }
        done
    }

    fn finish(&self) {
        if self.overlay.is_none() {
            return;
        }
        if let Err(cause) = self.commit(&[]) {
            let file = self.database.file();
            error!(file = %file.display(), error = %cause, "the sessions of the last second are lost");
        }
    }
}

/// What came of a commit.
struct Committed {
    /// Which changes were made, in their order.
    verdicts: Vec<bool>,
    /// How many dead rows were removed.
    swept: usize,
}

/// Closes a queue when the thread that serves it ends, be it by a panic.
struct Closing<'a>(&'a Queue);

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// How many dead rows a commit removes at most. They lie anywhere in the file: fifty are a few milliseconds, and whoever
/// waits for the next commit waits for those as well.
const SLICE: usize = 50;
