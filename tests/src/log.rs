//! What a child process writes, line by line, while it runs.

use std::io::{BufRead, BufReader, Read};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use crate::PATIENCE;

/// The lines so far. Clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log {
    shared: Arc<(Mutex<State>, Condvar)>,
}

#[derive(Debug, Default)]
struct State {
    lines: Vec<String>,
    is_over: bool,
}

impl Log {
    /// Reads a pipe to its end on a thread of its own.
    pub(crate) fn of(pipe: impl Read + Send + 'static) -> Self {
        let log = Self::default();
        let reading = log.clone();
        thread::spawn(move || {
            let lines = BufReader::new(pipe).split(b'\n').map_while(Result::ok);
            lines.for_each(|line| {
                reading.update(|state| {
                    state
                        .lines
                        .push(String::from_utf8_lossy(&line).into_owned())
                })
            });
            reading.update(|state| state.is_over = true);
        });
        log
    }

    /// Everything that was written.
    pub(crate) fn text(&self) -> String {
        self.state().lines.join("\n")
    }

    /// Waits until `find` finds something in the lines; `None` when the process ends, or takes too long, without it.
    pub(crate) fn wait<T>(&self, mut find: impl FnMut(&[String]) -> Option<T>) -> Option<T> {
        let mut found = None;
        let unfound = |state: &mut State| {
            found = find(&state.lines);
            found.is_none() && !state.is_over
        };
        let waited = self
            .shared
            .1
            .wait_timeout_while(self.state(), PATIENCE, unfound);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
        found
    }

    /// Waits until the pipe is closed, so that nothing is missing.
    pub(crate) fn wait_for_end(&self) {
        let _: Option<()> = self.wait(|_| None);
    }

    fn update(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state());
        self.shared.1.notify_all();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
