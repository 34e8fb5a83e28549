//! How long a session lives on, for a program that wants to say so in time.

use std::time::{Duration, SystemTime};

use abi::session::SessionEntry;
use serde_json::{Value, json};

use super::times::rfc3339;
use crate::session::Timestamp;

/// When the session began and ends, and how many whole seconds are left until then: a client whose clock is wrong counts
/// those.
pub(super) fn to_json(entry: &SessionEntry, now: Timestamp) -> Value {
    let now = SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(now.as_millis()));
    let left = now.and_then(|now| entry.expires_at.duration_since(now).ok());
    json!({
        "createdAt": rfc3339(entry.created_at),
        "expiresAt": rfc3339(entry.expires_at),
        "expiresIn": left.unwrap_or_default().as_secs(),
    })
}
