//! A session as its user may see it in a list.

use std::net::IpAddr;
use std::ops::Range;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

/// One of the sessions of a principal. As JSON, its times are milliseconds since 1970:
///
/// ```
/// use std::time::{Duration, UNIX_EPOCH};
///
/// use abi::session::SessionEntry;
/// use serde_json::json;
///
/// let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
/// let entry = SessionEntry::new("4rT0uAkb3Xk", at(1)..at(3)).seen(at(2));
///
/// let expected = json!({ "handle": "4rT0uAkb3Xk", "createdAt": 1000, "seenAt": 2000, "expiresAt": 3000 });
/// assert_eq!(serde_json::to_value(&entry).unwrap(), expected);
/// ```
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[non_exhaustive]
#[serde(rename_all = "camelCase")]
pub struct SessionEntry {
    /// What ends this session: see [`Session::handle`](super::Session::handle). Never the cookie's value.
    pub handle: String,
    /// The login.
    #[serde(with = "milliseconds")]
    pub created_at: SystemTime,
    /// The last request, as precisely as the engine writes it down.
    #[serde(with = "milliseconds")]
    pub seen_at: SystemTime,
    /// The end, if no request comes until then.
    #[serde(with = "milliseconds")]
    pub expires_at: SystemTime,
    /// Where the login came from. Absent when nobody knows, and in an engine older than this field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip: Option<IpAddr>,
    /// What the client of the login called itself: a claim, in at most 255 bytes without control characters. Absent as `ip`
    /// is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
}

impl SessionEntry {
    /// A session from its login to its end, last seen at its login.
    pub fn new(handle: impl Into<String>, life: Range<SystemTime>) -> Self {
        Self {
            handle: handle.into(),
            created_at: life.start,
            seen_at: life.start,
            expires_at: life.end,
            ip: None,
            user_agent: None,
        }
    }

    /// Says when the last request came.
    #[must_use]
    pub fn seen(mut self, at: SystemTime) -> Self {
        self.seen_at = at;
        self
    }

    /// Says where the login came from.
    #[must_use]
    pub fn from_address(mut self, ip: Option<IpAddr>) -> Self {
        self.ip = ip;
        self
    }

    /// Says what the client of the login called itself.
    #[must_use]
    pub fn from_agent(mut self, user_agent: Option<String>) -> Self {
        self.user_agent = user_agent;
        self
    }
}

/// Times as whole milliseconds since 1970. What is earlier is 1970.
mod milliseconds {
    use std::time::{Duration, SystemTime, UNIX_EPOCH};

    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(time: &SystemTime, to: S) -> Result<S::Ok, S::Error> {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis())
            .unwrap_or(u64::MAX)
            .serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<SystemTime, D::Error> {
        let since = Duration::from_millis(u64::deserialize(from)?);
        UNIX_EPOCH
            .checked_add(since)
            .ok_or_else(|| D::Error::custom("a time beyond what this machine can tell"))
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use serde_json::{from_value, json};

    use super::*;

    #[test]
    fn what_a_newer_engine_adds_is_passed_over() {
        let newer =
            json!({ "handle": "h", "createdAt": 1, "seenAt": 1, "expiresAt": 2, "level": 3 });

        let entry: SessionEntry = from_value(newer).unwrap();

        let at = |milliseconds| UNIX_EPOCH + Duration::from_millis(milliseconds);
        assert_eq!(entry, SessionEntry::new("h", at(1)..at(2)));
    }

    #[test]
    fn time_that_cannot_be_told_is_no_entry() {
        for time in [json!(-1), json!("now"), json!(null)] {
            let json = json!({ "handle": "h", "createdAt": 1, "seenAt": time, "expiresAt": 2 });

            from_value::<SessionEntry>(json).unwrap_err();
        }
    }

    #[test]
    fn device_crosses_with_the_entry() {
        let at = |milliseconds| UNIX_EPOCH + Duration::from_millis(milliseconds);
        let entry = SessionEntry::new("h", at(1)..at(2))
            .from_address("2001:db8::7".parse().ok())
            .from_agent(Some("curl/8".to_owned()));

        let json = serde_json::to_value(&entry).unwrap();

        assert_eq!(json["ip"], "2001:db8::7");
        assert_eq!(json["userAgent"], "curl/8");
        assert_eq!(from_value::<SessionEntry>(json).unwrap(), entry);
    }

    #[test]
    fn time_before_1970_is_1970() {
        let long_ago = UNIX_EPOCH - Duration::from_secs(1);

        let json = serde_json::to_value(SessionEntry::new("h", long_ago..UNIX_EPOCH)).unwrap();

        assert_eq!(json["createdAt"], 0);
    }
}
