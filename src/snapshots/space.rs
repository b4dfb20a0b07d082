//! Room on the disk, asked for before much is written.

use std::path::Path;

use super::error::SnapshotError;

/// What must stay free beside what is written: a full disk would make the live log read-only.
const RESERVE_BYTES: u64 = 64 << 20;

/// Refuses to begin where the bytes and a reserve would not fit.
///
/// # Errors
/// `NoSpace`, with what is there and what is needed.
pub fn check(folder: &Path, bytes: u64) -> Result<(), SnapshotError> {
    let needed_bytes = bytes.saturating_add(RESERVE_BYTES);
    match free_bytes(folder) {
        Some(free_bytes) if free_bytes < needed_bytes => {
            Err(SnapshotError::NoSpace { place: folder.display().to_string(), needed_bytes, free_bytes })
        }
        _ => Ok(()),
    }
}

/// What is free; none where the system does not tell.
#[must_use]
pub fn free_bytes(folder: &Path) -> Option<u64> {
    rustix::fs::statvfs(folder).ok().map(|stat| stat.f_bavail.saturating_mul(stat.f_frsize))
}
