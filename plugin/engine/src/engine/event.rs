//! What happens to sessions, for whoever keeps the log and counts.

use abi::storage::Key;

use crate::session::End;

/// Takes note of events. Called in the midst of operations: it must not wait.
pub trait Observer: Send + Sync + 'static {
    /// Something happened to the session whose row this is.
    fn happened(&self, event: Event, key: Key);
}

/// Nobody listens.
impl Observer for () {
    fn happened(&self, _: Event, _: Key) {}
}

/// What happened. Its name and its reason never change from release to release: people build alarms on them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Event {
    /// A session began.
    Created,
    /// It got a new id that follows from the old one, because it was time.
    Renewed(Occasion),
    /// It got an id that has nothing to do with the old one.
    Rotated(Change),
    /// A retired id was used after the grace, and the session is over.
    ReuseDetected,
    /// It was ended.
    Revoked(Cause),
    /// Somebody came with its id after its time.
    Expired(End),
    /// Something was not stored.
    Refused(Refusal),
    /// Somebody came with the id of a session that was ended.
    RevokedId,
}

/// Why it was time for a new id.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Occasion {
    /// The session was old enough. Its life is a fresh one.
    Age,
    /// Its row was named by an older secret. Its life is a fresh one too, where it would be renewed in time.
    Secret,
}

/// Why a session got another id.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Change {
    /// Somebody logged in.
    Login,
    /// What it may do changed, or a plugin asked for it.
    Rights,
}

/// Who ended a session.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Cause {
    /// Its own user, or a plugin on their behalf, on this device.
    Logout,
    /// Its principal, from another session: one, all others, or everywhere.
    Elsewhere,
    /// A newer login of the same principal, at the limit.
    Evicted,
    /// A life of nothing was set for it.
    Expiry,
    /// The provider of its tokens has ended it.
    Tokens,
}

/// What was refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Refusal {
    /// The principal has as many sessions as are allowed.
    TooManySessions,
    /// The attributes would be larger than allowed.
    TooLarge,
}

impl Event {
    /// The name in logs and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Renewed(_) => "renewed",
            Self::Rotated(_) => "rotated",
            Self::ReuseDetected => "reuse-detected",
            Self::Revoked(_) => "revoked",
            Self::Expired(_) => "expired",
            Self::Refused(_) | Self::RevokedId => "refused",
        }
    }

    /// The reason code in logs and metrics.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Created => "first-write",
            Self::Renewed(Occasion::Age) => "age",
            Self::Renewed(Occasion::Secret) => "secret",
            Self::Rotated(Change::Login) => "login",
            Self::Rotated(Change::Rights) => "rights",
            Self::ReuseDetected => "retired-id",
            Self::Revoked(Cause::Logout) => "logout",
            Self::Revoked(Cause::Elsewhere) => "elsewhere",
            Self::Revoked(Cause::Evicted) => "evicted",
            Self::Revoked(Cause::Expiry) => "expiry",
            Self::Revoked(Cause::Tokens) => "tokens",
            Self::Expired(End::Life) => "life",
            Self::Expired(End::Idle) => "idle",
            Self::Expired(End::Absolute) => "absolute",
            Self::Refused(Refusal::TooManySessions) => "too-many-sessions",
            Self::Refused(Refusal::TooLarge) => "too-large",
            Self::RevokedId => "revoked",
        }
    }

    /// Every event there is, so that counters exist before the first of them.
    pub const ALL: [Self; 17] = [
        Self::Created,
        Self::Renewed(Occasion::Age),
        Self::Renewed(Occasion::Secret),
        Self::Rotated(Change::Login),
        Self::Rotated(Change::Rights),
        Self::ReuseDetected,
        Self::Revoked(Cause::Logout),
        Self::Revoked(Cause::Elsewhere),
        Self::Revoked(Cause::Evicted),
        Self::Revoked(Cause::Expiry),
        Self::Revoked(Cause::Tokens),
        Self::Expired(End::Life),
        Self::Expired(End::Idle),
        Self::Expired(End::Absolute),
        Self::Refused(Refusal::TooManySessions),
        Self::Refused(Refusal::TooLarge),
        Self::RevokedId,
    ];
}
