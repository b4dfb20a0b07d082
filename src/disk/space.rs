//! Room on the disk: what is free, and what must stay free.

use std::path::Path;

/// What every write must leave free: it has to suffice for a graceful end, and a full disk makes the live log read-only.
pub const RESERVE_BYTES: u64 = 64 << 20;

/// The free room where a folder is; none where the system does not know.
#[must_use]
pub fn free_bytes(folder: &Path) -> Option<u64> {
    rustix::fs::statvfs(folder).ok().map(|stat| stat.f_bavail.saturating_mul(stat.f_frsize))
}

/// Whether a write failed because there is no room: on the disk, in a quota, or under a limit of file sizes.
#[must_use]
pub fn is_out_of_space(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge)
}
