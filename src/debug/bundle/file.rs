//! The file of a bundle: one zstd frame with the manifest and an event a line, then a frame that zstd skips with the BLAKE3 hash of
//! the first, so that any changed byte is found.

use std::{
    fmt::Display,
    fs::File,
    io::{BufRead, BufReader, Read, Write},
    path::Path,
};

use serde_json::Value;

use super::{BundleError, FORMAT, Manifest};
use crate::{
    events::{Recorded, codec::event_json},
    exchange::{MANIFEST_FIELD, event_of_line},
};

/// The largest bundle that is read, compressed.
const BUNDLE_BYTES_MAX: u64 = 1 << 30;
/// A bundle is made once and sent around.
const ZSTD_LEVEL: i32 = 9;
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// A frame that zstd skips, of 32 bytes.
const SEAL: [u8; 8] = [0x50, 0x2a, 0x4d, 0x18, 32, 0, 0, 0];
const SEAL_BYTES: usize = SEAL.len() + 32;

/// Writes a new file.
///
/// # Errors
/// When it exists, or cannot be written.
pub fn write(path: &Path, manifest: &Manifest, events: &[Recorded]) -> Result<(), BundleError> {
    let mut encoder = zstd::Encoder::new(Vec::new(), ZSTD_LEVEL)?;
    encoder.include_checksum(true)?;
    writeln!(encoder, "{}", serde_json::to_string(manifest).map_err(std::io::Error::from)?)?;
    for event in events {
        writeln!(encoder, "{}", event_json(event))?;
    }
    let mut bytes = encoder.finish()?;
    let hash = blake3::hash(&bytes);
    bytes.extend_from_slice(&SEAL);
    bytes.extend_from_slice(hash.as_bytes());
    let mut file = File::create_new(path)?;
    file.write_all(&bytes)?;
    Ok(file.sync_all()?)
}

/// Reads a file.
///
/// # Errors
/// States whether it is foreign, of a newer format, or damaged, and where.
pub fn read(path: &Path) -> Result<(Manifest, Vec<Recorded>), BundleError> {
    let mut bytes = Vec::new();
    File::open(path)?.take(BUNDLE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > BUNDLE_BYTES_MAX {
        return Err(BundleError::Foreign(format!("it is larger than {BUNDLE_BYTES_MAX} bytes")));
    }
    if !bytes.starts_with(&ZSTD_MAGIC) {
        return Err(BundleError::Foreign("it is not compressed like one".into()));
    }
    match (unseal(&bytes), lines(&bytes)) {
        (Ok(()), read) => read,
        (Err(reason), Ok((_, events))) => Err(BundleError::Damaged(format!("{reason}; its {} events can still be read", events.len()))),
        (Err(reason), Err(BundleError::Damaged(detail))) => Err(BundleError::Damaged(format!("{reason}; {detail}"))),
        (Err(_), Err(error)) => Err(error),
    }
}

/// Whether every byte is as it was sealed.
fn unseal(bytes: &[u8]) -> Result<(), String> {
    let cut = || "it does not end with its seal: it was cut off, or written by another program".to_string();
    let (lines, seal) = bytes.split_at_checked(bytes.len().wrapping_sub(SEAL_BYTES)).ok_or_else(cut)?;
    let hash = seal.strip_prefix(&SEAL).ok_or_else(cut)?;
    if blake3::hash(lines).as_bytes() == hash { Ok(()) } else { Err("a byte was changed since it was sealed".into()) }
}

/// The manifest and the events.
fn lines(packed: &[u8]) -> Result<(Manifest, Vec<Recorded>), BundleError> {
    let damaged = |after: &str, reason: &dyn Display| BundleError::Damaged(format!("after {after}: {reason}"));
    let mut lines = BufReader::new(zstd::Decoder::with_buffer(packed)?).lines();
    let first = lines.next().unwrap_or_else(|| Ok(String::new())).map_err(|error| damaged("its beginning", &error))?;
    let manifest = manifest(&first)?;
    let (mut events, mut after) = (Vec::new(), "the manifest".to_owned());
    for line in lines {
        let line = line.map_err(|error| damaged(&after, &error))?;
        let event = event_of_line(&line).map_err(|error| damaged(&after, &error))?;
        after = format!("position {}", event.position);
        events.push(event);
    }
    if manifest.events != events.len() as u64 {
        return Err(damaged(&after, &format!("{} events, where its manifest says {}", events.len(), manifest.events)));
    }
    Ok((manifest, events))
}

fn manifest(line: &str) -> Result<Manifest, BundleError> {
    let json: Value =
        serde_json::from_str(line).map_err(|error| BundleError::Foreign(format!("its first line is not a manifest: {error}")))?;
    match json.get(MANIFEST_FIELD).and_then(Value::as_u64) {
        None => Err(BundleError::Foreign("its first line is not a manifest".into())),
        Some(format) if format != u64::from(FORMAT) => Err(BundleError::Newer(format)),
        Some(_) => serde_json::from_value(json).map_err(|error| BundleError::Damaged(format!("its manifest: {error}"))),
    }
}
