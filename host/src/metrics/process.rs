//! What the system says of this process, under the names that exporters of Prometheus have agreed on.

use std::fmt::Write;
use std::fs;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Writes what can be found out; nothing where there is no `/proc`.
pub(super) fn render(started: SystemTime, text: &mut String) {
    let seconds = started.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    let started = Some(seconds.as_secs_f64());
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let files = fs::read_dir("/proc/self/fd").map(|files| files.count() as f64);
    let kilobytes = |key| number(&status, key).map(|kilobytes| kilobytes * 1024.0);
    for (name, kind, help, value) in [
        (
            "process_cpu_seconds_total",
            "counter",
            "Processor time.",
            processor_seconds(&stat),
        ),
        (
            "process_open_fds",
            "gauge",
            "Open file descriptors.",
            files.ok(),
        ),
        (
            "process_resident_memory_bytes",
            "gauge",
            "Memory in use.",
            kilobytes("VmRSS:"),
        ),
        (
            "process_start_time_seconds",
            "gauge",
            "When it started, since 1970.",
            started,
        ),
        (
            "process_threads",
            "gauge",
            "Threads.",
            number(&status, "Threads:"),
        ),
        (
            "process_virtual_memory_bytes",
            "gauge",
            "Memory that is mapped.",
            kilobytes("VmSize:"),
        ),
    ] {
        if let Some(value) = value {
            // Writing to a string cannot fail.
            let _ = writeln!(
                text,
                "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}"
            );
        }
    }
}

fn number(status: &str, key: &str) -> Option<f64> {
    let value = status.lines().find_map(|line| line.strip_prefix(key))?;
    value.split_whitespace().next()?.parse().ok()
}

/// In user mode and in the kernel. The name of the process is in brackets and may hold anything.
fn processor_seconds(stat: &str) -> Option<f64> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<f64>().ok();
    Some((ticks()? + ticks()?) / TICKS_PER_SECOND)
}

// What Linux tells programs, whatever it counts in.
const TICKS_PER_SECOND: f64 = 100.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_is_found_behind_any_name() {
        let stat = "7 (a) b) S 1 2 3 4 5 6 7 8 9 10 150 50 0 0 20 0";

        assert_eq!(processor_seconds(stat), Some(2.0));
    }

    #[test]
    fn numbers_come_without_their_units() {
        assert_eq!(
            number("VmPeak: 9 kB\nVmRSS:\t  12 kB\n", "VmRSS:"),
            Some(12.0)
        );
        assert_eq!(number("", "VmRSS:"), None);
    }
}
