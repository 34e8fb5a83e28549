//! Processor time of a process.

use std::fs;

use crate::Error;

/// Seconds that a process and its children that are still running have computed, in the kernel or not.
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

/// Of all threads that are still running. In nanoseconds, where `stat` counts hundredths of a second.
fn own(process: u32) -> Result<f64, Error> {
    let mut total = 0.0;
    for thread in fs::read_dir(format!("/proc/{process}/task"))? {
        let said = fs::read_to_string(thread?.path().join("schedstat"))?;
        let nanoseconds = said.split_whitespace().next().unwrap_or_default();
        total += nanoseconds.parse::<f64>()? / 1e9;
    }
    Ok(total)
}
