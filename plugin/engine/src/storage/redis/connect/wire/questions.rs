//! What was asked, in its order, and what has been answered. Pure: bytes and values.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::ops::RangeInclusive;
use std::task::{Context, Poll, Waker};

use redis::{RedisError, RedisResult, Value};
use tokio::time::Instant;

/// The commands of one connection that are on their way, and their answers until they are taken.
#[derive(Default)]
pub(super) struct Questions {
    outgoing: Vec<u8>,
    asked: VecDeque<Question>,
    /// The number of the first that is kept. They are numbered as they are asked.
    first: u64,
    /// How many of those that are kept have been answered.
    answered: usize,
    driver: Option<Waker>,
    is_over: bool,
}

#[derive(Debug)]
enum Question {
    Waiting {
        until: Option<Instant>,
        asker: Option<Waker>,
    },
    /// Whoever asked is to give up.
    Overdue,
    /// Its answer will come, and nobody wants it.
    Abandoned,
    Answered(Value),
    Done,
}

impl Questions {
    /// Adds commands, which `write` writes and whose answers are wanted by then, and answers with the number of the
    /// first.
    ///
    /// # Errors
    /// When the connection is over.
    pub(super) fn ask(
        &mut self,
        (count, until): (usize, Option<Instant>),
        write: impl FnOnce(&mut Vec<u8>),
    ) -> io::Result<u64> {
        if self.is_over {
            return Err(over());
        }
        let number = self.first + self.asked.len() as u64;
        self.asked
            .extend((0..count).map(|_| Question::Waiting { until, asker: None }));
        let is_first = self.outgoing.is_empty();
        write(&mut self.outgoing);
        if is_first && let Some(driver) = self.driver.take() {
            driver.wake();
        }
        Ok(number)
    }

    /// Ready when the question of this number has been answered, and with it all before it.
    pub(super) fn poll(&mut self, number: u64, cx: &Context<'_>) -> Poll<RedisResult<()>> {
        if number < self.first + self.answered as u64 {
            return Poll::Ready(Ok(()));
        }
        if self.is_over {
            return Poll::Ready(Err(RedisError::from(over())));
        }
        match self.question(number) {
            Some(Question::Waiting { asker, .. }) => remember(asker, cx),
            Some(Question::Overdue) => return Poll::Ready(Err(RedisError::from(overdue()))),
            Some(Question::Abandoned | Question::Answered(_) | Question::Done) | None => {}
        }
        Poll::Pending
    }

    /// Takes the answer to the question of this number.
    pub(super) fn take(&mut self, number: u64) -> Option<Value> {
        let question = self.question(number)?;
        match std::mem::replace(question, Question::Done) {
            Question::Answered(answer) => {
                self.sweep();
                Some(answer)
            }
            other => {
                *question = other;
                None
            }
        }
    }

    /// Nobody waits for these any more.
    pub(super) fn forget(&mut self, numbers: RangeInclusive<u64>) {
        for number in numbers {
            if let Some(question) = self.question(number) {
                *question = match question {
                    Question::Waiting { .. } | Question::Overdue | Question::Abandoned => {
                        Question::Abandoned
                    }
                    Question::Answered(_) | Question::Done => Question::Done,
                };
            }
        }
        self.sweep();
    }

    /// Takes the answer to the first question that has none. False: nothing was asked.
    pub(super) fn answer(&mut self, answer: Value) -> bool {
        let Some(question) = self.asked.get_mut(self.answered) else {
            return false;
        };
        self.answered += 1;
        match std::mem::replace(question, Question::Done) {
            Question::Waiting { asker, .. } => {
                *question = Question::Answered(answer);
                if let Some(asker) = asker {
                    asker.wake();
                }
            }
            // In the last moment, before the asker was there to give up.
            Question::Overdue => *question = Question::Answered(answer),
            Question::Abandoned | Question::Answered(_) | Question::Done => self.sweep(),
        }
        true
    }

    /// Swaps what is to be sent for `sent`, which is empty, and remembers whom to wake when there is more.
    pub(super) fn swap_outgoing(&mut self, sent: &mut Vec<u8>, cx: &Context<'_>) {
        std::mem::swap(&mut self.outgoing, sent);
        remember(&mut self.driver, cx);
    }

    /// Until when the first one waits who has a limit. Answers come in order, so they have waited longest.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let waiting = self.asked.iter().skip(self.answered);
        waiting.into_iter().find_map(|question| match question {
            Question::Waiting { until, .. } => *until,
            Question::Overdue | Question::Abandoned | Question::Answered(_) | Question::Done => {
                None
            }
        })
    }

    /// Tells those who have waited long enough.
    pub(super) fn expire(&mut self, now: Instant) {
        for question in self.asked.iter_mut().skip(self.answered) {
            if let Question::Waiting {
                until: Some(until),
                asker,
            } = question
                && *until <= now
            {
                let asker = asker.take();
                *question = Question::Overdue;
                if let Some(asker) = asker {
                    asker.wake();
                }
            }
        }
    }

    /// Nothing will be answered any more.
    pub(super) fn end(&mut self) {
        self.is_over = true;
        self.driver = None;
        for question in &mut self.asked {
            if let Question::Waiting { asker, .. } = question
                && let Some(asker) = asker.take()
            {
                asker.wake();
            }
        }
    }

    fn question(&mut self, number: u64) -> Option<&mut Question> {
        let index = number.checked_sub(self.first)?;
        self.asked.get_mut(usize::try_from(index).ok()?)
    }

    fn sweep(&mut self) {
        while self.answered > 0 && matches!(self.asked.front(), Some(Question::Done)) {
            self.asked.pop_front();
            self.first += 1;
            self.answered -= 1;
        }
    }
}

fn remember(known: &mut Option<Waker>, cx: &Context<'_>) {
    match known {
        Some(waker) => waker.clone_from(cx.waker()),
        None => *known = Some(cx.waker().clone()),
    }
}

fn overdue() -> io::Error {
    io::ErrorKind::TimedOut.into()
}

fn over() -> io::Error {
    io::ErrorKind::BrokenPipe.into()
}

/// Shows no command and no answer: they are names and sessions.
impl fmt::Debug for Questions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Questions")
            .field("asked", &self.asked.len())
            .field("answered", &self.answered)
            .field("is_over", &self.is_over)
            .finish_non_exhaustive()
    }
}
