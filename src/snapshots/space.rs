//! Room on the disk, checked before much is written.

use std::path::Path;

use super::failed::WorkError;
use crate::disk::{RESERVE_BYTES, free_bytes};

/// Refuses to begin if the bytes and a reserve would not fit.
///
/// # Errors
/// `NoSpace`, with the free and the needed bytes.
pub fn check(folder: &Path, bytes: u64) -> Result<(), WorkError> {
    let needed_bytes = bytes.saturating_add(RESERVE_BYTES);
    match free_bytes(folder) {
        Some(free_bytes) if free_bytes < needed_bytes => {
            Err(WorkError::NoSpace { place: folder.display().to_string(), needed_bytes, free_bytes })
        }
        _ => Ok(()),
    }
}
