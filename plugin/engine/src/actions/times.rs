//! Times as people and programs read them.

use std::time::SystemTime;

use cookie::time::OffsetDateTime;
use cookie::time::format_description::well_known::Rfc3339;

/// RFC 3339 in UTC, to the millisecond: `2026-11-29T16:25:00.5Z`. None for a time beyond the year 9999.
pub(super) fn rfc3339(time: SystemTime) -> Option<String> {
    date(time)?.format(&Rfc3339).ok()
}

/// For a page in any language: `2026-11-29 16:25 UTC`.
pub(super) fn to_the_minute(time: SystemTime) -> Option<String> {
    let date = date(time)?;
    let (year, month, day) = date.to_calendar_date();
    let (month, hour, minute) = (u8::from(month), date.hour(), date.minute());
    Some(format!(
        "{year}-{month:02}-{day:02} {hour:02}:{minute:02} UTC"
    ))
}

fn date(time: SystemTime) -> Option<OffsetDateTime> {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    let nanos = i128::try_from(since.as_millis()).ok()? * 1_000_000;
    OffsetDateTime::from_unix_timestamp_nanos(nanos).ok()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn time_is_told_in_utc() {
        let time = at(1_795_969_500_500);

        assert_eq!(rfc3339(time).as_deref(), Some("2026-11-29T16:25:00.5Z"));
        assert_eq!(to_the_minute(time).as_deref(), Some("2026-11-29 16:25 UTC"));
    }

    #[test]
    fn time_that_has_no_date_is_not_told() {
        assert_eq!(rfc3339(at(u64::from(u32::MAX) * 1_000_000)), None);
        assert_eq!(to_the_minute(at(1 << 62)), None);
    }

    fn at(milliseconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_millis(milliseconds)
    }
}
