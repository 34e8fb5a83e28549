//! When tokens are renewed.

use crate::tokens::token_set::TokenSet;

/// What has to be so for a provider to be asked for new tokens.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Due {
    /// The old ones end within so many seconds, and have lived for half of their life.
    Before(u64),
    /// Somebody asks for them, and the old ones are not as good as new: whoever asks all the time has the provider called
    /// once in five seconds.
    Asked,
}

impl Due {
    /// Whether it is so with `tokens` at `now`, in seconds since 1970. Never, where nobody knows when they end.
    pub fn holds(self, tokens: &TokenSet, now: u64) -> bool {
        match self {
            Self::Before(margin) => tokens.is_due(now, margin),
            Self::Asked if tokens.is_new(now, AS_GOOD_AS_NEW) => tokens.is_due(now, 0),
            Self::Asked => tokens.expires_at.is_some(),
        }
    }
}

/// In seconds.
const AS_GOOD_AS_NEW: u64 = 5;
