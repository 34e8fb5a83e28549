//! What this process has in memory.

use std::fs;

/// In bytes, as the kernel counts: whole pages.
pub(crate) fn resident() -> usize {
    let status = fs::read_to_string("/proc/self/status").expect("this is Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
    let kib: usize = kib
        .and_then(|kib| kib.parse().ok())
        .expect("a number of kB");
    kib * 1024
}
