//! Which of many sessions are asked for.

use engine::session::SessionId;

/// Ids, chosen while the sessions are made.
pub(crate) struct Sample {
    sessions: usize,
    /// A thousand, evenly spread over the order in which the sessions were made.
    pub(crate) hot: Vec<SessionId>,
    /// A million, or all there are, in no order.
    pub(crate) any: Vec<SessionId>,
}

impl Sample {
    /// Of so many.
    pub(crate) const fn of(sessions: usize) -> Self {
        Self {
            sessions,
            hot: Vec::new(),
            any: Vec::new(),
        }
    }

    /// To be told of each, by its number.
    pub(crate) fn see(&mut self, number: usize, id: &SessionId) {
        if number.is_multiple_of(self.sessions.div_ceil(HOT)) {
            self.hot.push(id.clone());
        }
        if number.is_multiple_of(self.sessions.div_ceil(ANY)) {
            self.any.push(id.clone());
        }
    }

    /// What it takes, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        size_of::<SessionId>() * (self.hot.capacity() + self.any.capacity())
    }

    /// Fisher and Yates, with numbers that are random enough.
    pub(crate) fn shuffle(&mut self) {
        let mut random = 0x9e37_79b9_7f4a_7c15_u64;
        for last in (1..self.any.len()).rev() {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            self.any.swap(last, random as usize % (last + 1));
        }
    }
}

const HOT: usize = 1000;
const ANY: usize = 1_000_000;
