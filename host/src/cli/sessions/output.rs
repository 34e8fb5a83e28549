//! What `gateway sessions` prints.

use std::fmt::Write as _;
use std::time::SystemTime;

use abi::session::SessionEntry;
use clap::ValueEnum;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// For people or for programs.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Output {
    /// Columns.
    Table,
    /// One JSON document.
    Json,
}

impl Output {
    pub(super) fn list(self, principal: &str, entries: &[SessionEntry]) -> String {
        match self {
            Self::Json => {
                let sessions: Vec<_> = entries.iter().map(document).collect();
                format!(
                    "{:#}\n",
                    json!({ "principal": principal, "sessions": sessions })
                )
            }
            Self::Table => table(entries),
        }
    }

    pub(super) fn one(self, entry: &SessionEntry) -> String {
        match self {
            Self::Json => format!("{:#}\n", document(entry)),
            Self::Table => table(std::slice::from_ref(entry)),
        }
    }

    pub(super) fn ended(self, count: u64) -> String {
        match (self, count) {
            (Self::Json, _) => format!("{}\n", json!({ "ended": count })),
            (Self::Table, 1) => "1 session ended\n".to_owned(),
            (Self::Table, _) => format!("{count} sessions ended\n"),
        }
    }
}

/// The names that `SessionsAction` uses.
fn document(entry: &SessionEntry) -> Value {
    json!({
        "id": entry.handle,
        "createdAt": rfc3339(entry.created_at),
        "lastSeenAt": rfc3339(entry.seen_at),
        "expiresAt": rfc3339(entry.expires_at),
        "ip": entry.ip,
        "userAgent": entry.user_agent,
    })
}

fn table(entries: &[SessionEntry]) -> String {
    let head = [
        "HANDLE",
        "SIGNED IN",
        "LAST USED",
        "ENDS",
        "ADDRESS",
        "CLIENT",
    ]
    .map(str::to_owned);
    let rows: Vec<_> = [head].into_iter().chain(entries.iter().map(row)).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths: [usize; 6] = std::array::from_fn(|column| width(column).unwrap_or(0));
    let mut text = String::new();
    for row in &rows {
        let cells = row.iter().zip(widths);
        let line: Vec<_> = cells
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{}", line.join("  ").trim_end());
    }
    text
}

fn row(entry: &SessionEntry) -> [String; 6] {
    let time = |time| rfc3339(time).unwrap_or_else(|| "-".to_owned());
    let ip = entry.ip.map_or_else(|| "-".to_owned(), |ip| ip.to_string());
    let agent = entry.user_agent.as_deref().unwrap_or("-");
    [
        printable(&entry.handle),
        time(entry.created_at),
        time(entry.seen_at),
        time(entry.expires_at),
        ip,
        printable(agent),
    ]
}

/// A client writes no escape sequences into an operator's terminal.
fn printable(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).collect()
}

/// To the second, in UTC.
fn rfc3339(time: SystemTime) -> Option<String> {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    let seconds = i64::try_from(since.as_secs()).ok()?;
    let date = OffsetDateTime::from_unix_timestamp(seconds).ok()?;
    date.format(&Rfc3339).ok()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn table_shows_what_is_known_and_no_escape_sequence() {
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        let entries = [
            SessionEntry::new("5b1f7f0c2d9a4e63", at(1_000_000_000)..at(1_000_007_200))
                .from_address("192.0.2.7".parse().ok())
                .from_agent(Some("\u{1b}[2Jcurl/8.5.0".to_owned())),
            SessionEntry::new("0000000000000001", at(0)..at(1)),
        ];

        let table = table(&entries);

        let expected = "\
HANDLE            SIGNED IN             LAST USED             ENDS                  ADDRESS    CLIENT
5b1f7f0c2d9a4e63  2001-09-09T01:46:40Z  2001-09-09T01:46:40Z  2001-09-09T03:46:40Z  192.0.2.7  [2Jcurl/8.5.0
0000000000000001  1970-01-01T00:00:00Z  1970-01-01T00:00:00Z  1970-01-01T00:00:01Z  -          -
";
        assert_eq!(table, expected);
    }
}
