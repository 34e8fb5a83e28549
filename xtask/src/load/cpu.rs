//! Processor time of a process.

use std::fs;

use crate::Error;

/// Seconds that a process and its children that are still running have computed, in the kernel or not. Counted in
/// hundredths of a second.
///
/// # Errors
/// When the process is gone.
pub(super) fn seconds(process: u32) -> Result<f64, Error> {
    let children =
        fs::read_to_string(format!("/proc/{process}/task/{process}/children")).unwrap_or_default();
    let children = children
        .split_whitespace()
        .filter_map(|child| child.parse().ok());
    let mut total = own(process)?;
    for child in children {
        total += seconds(child)?;
    }
    Ok(total)
}

fn own(process: u32) -> Result<f64, Error> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The name in parentheses may hold anything; what follows is numbered from 3 in proc(5).
    let fields: Vec<&str> = stat
        .rsplit_once(')')
        .map_or("", |(_, rest)| rest)
        .split_whitespace()
        .collect();
    let ticks = |number: usize| {
        fields
            .get(number - 3)
            .and_then(|text| text.parse::<f64>().ok())
    };
    let (user, system) = (ticks(14).ok_or("no utime")?, ticks(15).ok_or("no stime")?);
    Ok((user + system) / TICKS_PER_SECOND)
}

// USER_HZ, the same on every Linux architecture that Rust's std supports on servers.
const TICKS_PER_SECOND: f64 = 100.0;
