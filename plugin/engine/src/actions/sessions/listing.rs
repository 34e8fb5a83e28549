//! A part of the list, and what it says of each session.

use abi::session::SessionEntry;
use serde_json::{Value, json};

use super::super::times::rfc3339;
use super::super::visitor::Visitor;

/// Which part of the list is asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Range {
    pub(super) limit: usize,
    pub(super) offset: usize,
}

/// A session to be shown.
#[derive(Clone, Copy, Debug)]
pub(super) struct Item<'a> {
    pub(super) entry: &'a SessionEntry,
    /// Whether it is the one of this request.
    pub(super) is_current: bool,
}

/// Sessions to be shown.
#[derive(Debug)]
pub(super) struct Listed<'a> {
    pub(super) sessions: Vec<Item<'a>>,
    pub(super) range: Range,
    /// How many there are, shown or not.
    pub(super) total: usize,
}

impl Range {
    /// What `limit` and `offset` of a query say; none when one of them is no number in its range.
    pub(super) fn read(query: &str) -> Option<Self> {
        let mut range = Self {
            limit: USUAL_LIMIT,
            offset: 0,
        };
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match &*name {
                "limit" => range.limit = number(&value).filter(|n| (1..=MOST).contains(n))?,
                "offset" => range.offset = number(&value)?,
                _ => {}
            }
        }
        Some(range)
    }
}

impl<'a> Listed<'a> {
    pub(super) fn new(visitor: &Visitor, sessions: &'a [SessionEntry], range: Range) -> Self {
        let part = sessions.iter().skip(range.offset).take(range.limit);
        Self {
            sessions: part.map(|entry| Item::new(visitor, entry)).collect(),
            range,
            total: sessions.len(),
        }
    }

    pub(super) fn one(visitor: &Visitor, entry: &'a SessionEntry, total: usize) -> Self {
        Self {
            sessions: vec![Item::new(visitor, entry)],
            range: Range {
                limit: 1,
                offset: 0,
            },
            total,
        }
    }

    pub(super) fn to_json(&self) -> Value {
        let sessions = self.sessions.iter().map(|item| item.to_json());
        json!({ "sessions": sessions.collect::<Vec<_>>(), "total": self.total })
    }
}

impl<'a> Item<'a> {
    pub(super) fn new(visitor: &Visitor, entry: &'a SessionEntry) -> Self {
        Self {
            entry,
            is_current: visitor.is_own(entry),
        }
    }

    /// What programs are told of it.
    pub(super) fn to_json(self) -> Value {
        let entry = self.entry;
        json!({
            "id": entry.handle,
            "current": self.is_current,
            "createdAt": rfc3339(entry.created_at),
            "lastSeenAt": rfc3339(entry.seen_at),
            "expiresAt": rfc3339(entry.expires_at),
            "ip": entry.ip,
            "userAgent": entry.user_agent,
        })
    }
}

/// Digits only: no sign, no spaces. What is too large to count to is beyond every list.
fn number(text: &str) -> Option<usize> {
    let is_plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_plain.then(|| text.parse().unwrap_or(usize::MAX))
}

const USUAL_LIMIT: usize = 50;
const MOST: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn range_is_read_from_a_query() {
        let range = |limit, offset| Some(Range { limit, offset });

        assert_eq!(Range::read(""), range(50, 0));
        assert_eq!(Range::read("a=b&offset=7&limit=100&c"), range(100, 7));
        let far = Range::read("offset=99999999999999999999999");
        assert_eq!(far, range(50, usize::MAX));
    }

    #[test]
    fn what_is_no_range_is_refused() {
        for query in [
            "limit=0",
            "limit=101",
            "limit=",
            "limit=+1",
            "limit=1.0",
            "limit=ten",
            "offset=-1",
        ] {
            assert_eq!(Range::read(query), None, "{query}");
        }
    }
}
