//! Rows measured on the log itself, through the library.

use std::path::Path;

use anyhow::{Result, bail};

use super::Bench;

/// Row 4.
pub fn append(_bench: &mut Bench) -> Result<()> {
    bail!("later")
}

/// Row 5: events per second.
pub fn scan(_folder: &Path) -> Result<f64> {
    bail!("later")
}

pub fn generate(_folder: &Path, _events: u64) -> Result<()> {
    bail!("later")
}
