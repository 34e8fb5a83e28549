//! Why nobody was logged in.

use std::time::Duration;

use crate::actions::answers::whole_seconds;

/// Why somebody is here again. Written into the query by a code that does not change.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Problem {
    Credentials,
    Throttled(Duration),
    Busy,
    Unavailable,
    Refused,
    Expired,
}

impl Problem {
    /// Every problem there is.
    pub(super) const ALL: [Self; 6] = [
        Self::Credentials,
        Self::Throttled(Duration::ZERO),
        Self::Busy,
        Self::Unavailable,
        Self::Refused,
        Self::Expired,
    ];

    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::Credentials => "credentials",
            Self::Throttled(_) => "throttled",
            Self::Busy => "busy",
            Self::Unavailable => "unavailable",
            Self::Refused => "refused",
            Self::Expired => "expired",
        }
    }

    /// The parameters of the query that say so.
    pub(super) fn query(self) -> String {
        let code = self.code();
        match self {
            Self::Throttled(wait) => format!("{ERROR}={code}&{WAIT}={}", whole_seconds(wait)),
            _ => format!("{ERROR}={code}"),
        }
    }

    /// What a query says. Anybody can write one, so it decides nothing but which of our texts is shown.
    pub(super) fn read(query: &str) -> Option<Self> {
        let find = |name: &str| {
            let mut pairs = form_urlencoded::parse(query.as_bytes());
            pairs
                .find(|(known, _)| known == name)
                .map(|(_, value)| value)
        };
        let code = find(ERROR)?;
        let known = Self::ALL
            .into_iter()
            .find(|problem| problem.code() == code)?;
        Some(match known {
            Self::Throttled(_) => {
                let wait = find(WAIT).and_then(|wait| wait.parse().ok());
                Self::Throttled(Duration::from_secs(wait.unwrap_or(1_u64).clamp(1, 3600)))
            }
            problem => problem,
        })
    }
}

const ERROR: &str = "error";
const WAIT: &str = "wait";
