//! What a token says.
//!
//! ```text
//! aud         the name of its cookie
//! sid         names the session and not its id: base64url of HMAC-SHA256(names, "session.so token 1" + session id)
//! sub         the principal, if there is one
//! iat, exp    seconds since 1970: read from the storage, trusted until; both rounded down
//! session     the clocks in milliseconds since 1970, the family, the key of the roster in base64url
//! attributes  what the session knows
//! ```

use std::borrow::Cow;
use std::num::NonZeroU64;

use abi::storage::Key;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use super::{Snapshot, SnapshotError};
use crate::session::attributes::Attributes;
use crate::session::head::Head;
use crate::session::id::SessionId;
use crate::session::record::Record;
use crate::session::secrets::Keys;
use crate::session::timestamp::Timestamp;

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Claims<'a> {
    aud: Cow<'a, str>,
    sid: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sub: Option<Cow<'a, str>>,
    iat: u64,
    exp: u64,
    session: Session,
    attributes: Attributes,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Session {
    created_at: Timestamp,
    renewed_at: Timestamp,
    seen_at: Timestamp,
    expires_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    own_life: Option<NonZeroU64>,
    family: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    roster: Option<String>,
}

/// What a token is made for.
pub(super) struct Purpose<'a> {
    cookie: &'a str,
    sid: String,
}

impl<'a> Purpose<'a> {
    pub(super) fn new(cookie: &'a str, keys: &Keys, id: &SessionId) -> Self {
        let sid = keys.names.of(SID_DOMAIN, id.as_bytes());
        Self {
            cookie,
            sid: URL_SAFE_NO_PAD.encode(sid),
        }
    }
}

impl<'a> Claims<'a> {
    /// `user` is the attribute that names the principal.
    pub(super) fn new(
        purpose: Purpose<'a>,
        snapshot: &'a Snapshot,
        ends_at: Timestamp,
        user: Option<&str>,
    ) -> Self {
        let attributes = snapshot.record.attributes();
        Self {
            aud: purpose.cookie.into(),
            sid: purpose.sid,
            sub: user.and_then(|user| attributes.principal(user)),
            iat: seconds(snapshot.issued_at),
            exp: seconds(ends_at),
            session: Session::of(&snapshot.record),
            attributes: attributes.into(),
        }
    }

    pub(super) fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("every name is a text")
    }
}

impl Claims<'static> {
    pub(super) fn from_json(json: &[u8]) -> Result<Self, SnapshotError> {
        serde_json::from_slice(json).map_err(|_| SnapshotError::Content)
    }

    /// Whether they were made for this, and hold `now`.
    pub(super) fn check(&self, purpose: &Purpose<'_>, now: Timestamp) -> Result<(), SnapshotError> {
        if self.aud != purpose.cookie {
            return Err(SnapshotError::Cookie);
        }
        if self.sid != purpose.sid {
            return Err(SnapshotError::Id);
        }
        if seconds(now) >= self.exp {
            return Err(SnapshotError::Expired);
        }
        Ok(())
    }

    pub(super) fn into_snapshot(self) -> Option<Snapshot> {
        let record = self.session.into_record(&self.attributes)?;
        Some(Snapshot {
            record,
            issued_at: Timestamp::from_millis(self.iat.checked_mul(1000)?),
        })
    }
}

impl Session {
    fn of(record: &Record) -> Self {
        let head = record.head();
        Self {
            created_at: head.created_at,
            renewed_at: head.renewed_at,
            seen_at: head.seen_at,
            expires_at: head.expires_at,
            own_life: head.own_life,
            family: head.family.to_string(),
            roster: head
                .roster
                .map(|key| URL_SAFE_NO_PAD.encode(key.as_bytes())),
        }
    }

    fn into_record(self, attributes: &Attributes) -> Option<Record> {
        let head = Head {
            created_at: self.created_at,
            renewed_at: self.renewed_at,
            seen_at: self.seen_at,
            expires_at: self.expires_at,
            own_life: self.own_life,
            family: self.family.parse().ok()?,
            roster: match self.roster {
                Some(roster) => Some(key(&roster)?),
                None => None,
            },
        };
        head.is_consistent()
            .then(|| Record::new(head, attributes.view()))
    }
}

fn key(text: &str) -> Option<Key> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    bytes.try_into().ok().map(Key::new)
}

fn seconds(at: Timestamp) -> u64 {
    at.as_millis() / 1000
}

const SID_DOMAIN: &[u8] = b"session.so token 1";
