//! Commands and answers on a connection that one thread uses: the one that waits for the answers.
//!
//! A client library's connection is made to be shared by the tasks of many threads. For each command it allocates a
//! message, two queues carry it there and back, and a parser that can stop anywhere takes the answer apart: more work
//! than the command. Here commands are written one behind the other into one buffer, answers are read out of another
//! one in the same order, and whoever asked takes their own. Both buffers are kept. Commands that come within one turn of
//! the event loop go out together.

mod alarm;
mod driver;
mod questions;
pub mod reply;

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redis::{FromRedisValue, RedisResult, Value};
use tokio::time::Instant;

pub(crate) use self::driver::Driver;
use self::questions::Questions;
use super::stream::Stream;

/// The one end of a connection. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Wire(Arc<Mutex<Questions>>);

impl Wire {
    /// Carries commands over a stream on which the server knows us already, in RESP2. It does so while the future is
    /// polled, and ends with it.
    pub(super) fn over(stream: Pin<Box<dyn Stream>>) -> (Self, Driver) {
        let wire = Self(Arc::default());
        let driver = Driver::new(stream, wire.clone());
        (wire, driver)
    }

    /// Sends what `write` writes, which is `N` commands, and waits for their answers. Nobody comes in between.
    ///
    /// # Errors
    /// When the connection ends before. What a server says against a command is in its answer.
    pub(crate) async fn ask<const N: usize>(
        &self,
        write: impl FnOnce(&mut Vec<u8>),
    ) -> RedisResult<[Value; N]> {
        self.ask_until(None, write).await
    }

    /// As [`ask`](Self::ask), for as long as there is time.
    ///
    /// # Errors
    /// Also when it is over: a timeout.
    pub(crate) async fn ask_until<const N: usize>(
        &self,
        deadline: impl Into<Option<Instant>>,
        write: impl FnOnce(&mut Vec<u8>),
    ) -> RedisResult<[Value; N]> {
        let asked = Asked {
            wire: self,
            first: self.questions().ask((N, deadline.into()), write)?,
            count: N,
        };
        poll_fn(|cx| self.questions().poll(asked.last(), cx)).await?;
        Ok(std::array::from_fn(|index| {
            let answer = self.questions().take(asked.first + index as u64);
            // All up to the last are answered.
            answer.unwrap_or_default()
        }))
    }

    fn questions(&self) -> MutexGuard<'_, Questions> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What an answer says.
///
/// # Errors
/// When it is an error, or something else than was asked for.
pub(crate) fn read<T: FromRedisValue>(answer: Value) -> RedisResult<T> {
    Ok(redis::from_redis_value(answer.extract_error()?)?)
}

/// Commands whose answers somebody waits for. When they go away, the answers are nobody's.
struct Asked<'a> {
    wire: &'a Wire,
    first: u64,
    count: usize,
}

impl Asked<'_> {
    const fn last(&self) -> u64 {
        self.first + self.count as u64 - 1
    }
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        self.wire.questions().forget(self.first..=self.last());
    }
}

#[cfg(test)]
mod tests;
