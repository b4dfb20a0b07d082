//! What a folder takes on the disk, by part, and how to drop it from the kernel's cache.

use std::{collections::BTreeMap, fs, os::unix::fs::MetadataExt, path::Path};

use anyhow::Result;
use rustix::fs::{Advice, fadvise};

/// Parts of a data folder by what their folder or file is called, whichever history they belong to.
const PARTS: [&str; 7] = ["segments", "journal", "window", "heads", "views", "memos", "snapshots"];

/// Bytes of disk that a folder takes.
pub fn disk_bytes(folder: &Path) -> Result<u64> {
    Ok(disk_parts(folder)?.values().sum())
}

/// Bytes of disk by part; the rest is "other".
pub fn disk_parts(folder: &Path) -> Result<BTreeMap<&'static str, u64>> {
    let mut parts = BTreeMap::new();
    visit(folder, &mut |file| {
        let within = file.strip_prefix(folder).unwrap_or(file);
        let part = PARTS.iter().find(|part| within.iter().any(|name| name.to_string_lossy().starts_with(**part)));
        *parts.entry(*part.unwrap_or(&"other")).or_default() += fs::metadata(file)?.blocks() * 512;
        Ok(())
    })?;
    Ok(parts)
}

/// Asks the kernel to drop the files from its cache, as far as they are on the disk.
pub fn forget(folder: &Path) -> Result<()> {
    visit(folder, &mut |path| {
        let file = fs::File::open(path)?;
        file.sync_all()?;
        Ok(fadvise(&file, 0, None, Advice::DontNeed)?)
    })
}

fn visit(folder: &Path, see: &mut dyn FnMut(&Path) -> Result<()>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() { visit(&entry.path(), see)? } else { see(&entry.path())? }
    }
    Ok(())
}
