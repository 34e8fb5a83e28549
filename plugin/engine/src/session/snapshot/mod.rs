//! What a browser keeps of its session, so that the storage need not be asked each time.
//!
//! A second cookie carries the record as it was when it was last read from the storage. It is trusted for a bounded
//! time and only beside the session id that it was made for: a copy is worth nothing without the id, and what is
//! ended in the storage goes on answering reads for that time at most.

mod claims;
mod compact;
mod token;

use std::time::Duration;

use super::id::SessionId;
use super::record::Record;
use super::sealed::OpenError;
use super::secrets::Secrets;
use super::timestamp::Timestamp;
use crate::cookie::MAX_PAIR;

/// A session as the storage had it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Snapshot {
    /// The session. Nothing may be written from it: the storage may have a newer one by now.
    pub record: Record,
    /// When it was read from the storage.
    pub issued_at: Timestamp,
}

/// How a snapshot is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Encoding {
    /// Sealed: nobody but a gateway can read it. The shorter one.
    Compact,
    /// A JSON Web Token (RFC 7519), signed with HS256: whoever has the cookie can read it.
    Jwt,
}

/// What all snapshots of one middleware share.
#[derive(Clone, Debug)]
pub struct SnapshotRules {
    /// The name of their cookie. A snapshot under another name is refused.
    pub cookie: Box<str>,
    /// How they are written. What was written in the other way is refused.
    pub encoding: Encoding,
    /// How long they are trusted after they were read from the storage.
    pub trust: Duration,
    /// The attribute that names the user, for the `sub` of a token.
    pub principal: Option<Box<str>>,
}

/// Writes snapshots and reads them back.
#[derive(Clone, Debug)]
pub struct Snapshots {
    secrets: Secrets,
    rules: SnapshotRules,
}

impl Snapshots {
    /// Snapshots under these rules, sealed or signed with the newest of `secrets`.
    pub const fn new(secrets: Secrets, rules: SnapshotRules) -> Self {
        Self { secrets, rules }
    }

    /// The value of the cookie that goes with `id`; none when there is nothing to gain from one: the cookie would be
    /// larger than browsers keep, its time is over already, or the operating system gave no random bytes.
    pub fn encode(&self, id: &SessionId, snapshot: &Snapshot, now: Timestamp) -> Option<String> {
        self.judge(snapshot, now).ok()?;
        let text = match self.rules.encoding {
            Encoding::Compact => compact::encode(self, id, snapshot).ok()?,
            Encoding::Jwt => token::encode(self, id, snapshot),
        };
        (self.rules.cookie.len() + text.len() <= MAX_PAIR).then_some(text)
    }

    /// The snapshot in the value of a cookie that came together with `id`.
    ///
    /// # Errors
    /// When it is anything else, was made for something else, or its time is over. Then the storage is asked.
    pub fn decode(
        &self,
        id: &SessionId,
        text: &[u8],
        now: Timestamp,
    ) -> Result<Snapshot, SnapshotError> {
        if text.len() > MAX_PAIR {
            return Err(SnapshotError::Shape);
        }
        let snapshot = match self.rules.encoding {
            Encoding::Compact => compact::decode(self, id, text)?,
            Encoding::Jwt => token::decode(self, id, text, now)?,
        };
        self.judge(&snapshot, now)?;
        Ok(snapshot)
    }

    /// The first instant at which a snapshot counts for nothing.
    pub fn ends_at(&self, snapshot: &Snapshot) -> Timestamp {
        let trusted = snapshot.issued_at.after(self.rules.trust);
        trusted.min(snapshot.record.expires_at())
    }

    fn judge(&self, snapshot: &Snapshot, now: Timestamp) -> Result<(), SnapshotError> {
        match snapshot.issued_at {
            later if later > now => Err(SnapshotError::Future),
            _ if now >= self.ends_at(snapshot) => Err(SnapshotError::Expired),
            _ => Ok(()),
        }
    }
}

/// Why a cookie is no snapshot of this session. Says nothing of what is in it.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SnapshotError {
    /// Made for another cookie, of another middleware perhaps.
    #[error("made for another cookie")]
    Cookie,
    /// Opened, and not a record of a session: of a newer gateway perhaps.
    #[error("not a record of a session")]
    Content,
    /// Its time is over.
    #[error("expired")]
    Expired,
    /// Issued later than now: the clocks of two gateways differ, or one was set back.
    #[error("issued in the future")]
    Future,
    /// Made for another session id.
    #[error("made for another session id")]
    Id,
    /// Not written as this gateway writes snapshots.
    #[error("not a snapshot")]
    Shape,
    /// Not sealed or signed for this by a secret of the list.
    #[error(transparent)]
    Sealed(#[from] OpenError),
}

#[cfg(test)]
mod tests;
