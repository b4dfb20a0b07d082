//! Memory, processor time and open files of this process, read from the kernel on demand.

use metrics::{counter, gauge};

use super::{PROCESS_CPU, PROCESS_FILES, PROCESS_MEMORY};

/// Clock ticks per second in `/proc/self/stat`; Linux shows 100 to programs on every platform it has.
const TICKS_PER_SECOND: u64 = 100;

/// What the process uses now. A field is `None` if the kernel does not report it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    pub resident_bytes: Option<u64>,
    /// User and system time since the start.
    pub cpu_milliseconds: Option<u64>,
    pub open_files: Option<u64>,
}

/// Reads what the process uses now.
#[must_use]
pub fn usage() -> Usage {
    Usage { resident_bytes: resident_bytes(), cpu_milliseconds: cpu_milliseconds(), open_files: open_files() }
}

/// Puts what the process uses now into the metrics.
pub fn record() {
    let usage = usage();
    if let Some(bytes) = usage.resident_bytes {
        gauge!(PROCESS_MEMORY).set(as_metric(bytes));
    }
    if let Some(milliseconds) = usage.cpu_milliseconds {
        counter!(PROCESS_CPU).absolute(milliseconds / 1_000);
    }
    if let Some(files) = usage.open_files {
        gauge!(PROCESS_FILES).set(as_metric(files));
    }
}

/// A count in the exporter's type; exact up to 2^53, far above any count here.
#[expect(clippy::cast_precision_loss, reason = "metrics are floats by definition; counts here stay far below 2^53")]
#[must_use]
pub fn as_metric(count: u64) -> f64 {
    count as f64
}

/// A difference in the exporter's type.
#[expect(clippy::cast_precision_loss, reason = "metrics are floats by definition; differences here stay far below 2^53")]
#[must_use]
pub fn as_signed_metric(difference: i64) -> f64 {
    difference as f64
}

fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kilobytes * 1024)
}

fn cpu_milliseconds() -> Option<u64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The second field is the program's name in parentheses and may hold spaces, so count from after it.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some((user + system) * 1_000 / TICKS_PER_SECOND)
}

fn open_files() -> Option<u64> {
    std::fs::read_dir("/proc/self/fd").ok().and_then(|entries| u64::try_from(entries.count()).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_tells_memory_time_and_files_of_this_process() {
        let usage = usage();
        assert!(usage.resident_bytes.is_some_and(|bytes| bytes > 1_000_000), "{usage:?}");
        assert!(usage.cpu_milliseconds.is_some(), "{usage:?}");
        assert!(usage.open_files.is_some_and(|files| files >= 3), "{usage:?}");
    }
}
