//! The file of a bundle: one zstd frame with the manifest and an event a line, then a frame that zstd skips with the BLAKE3 hash of
//! the first, so that any changed byte is found.

use std::{
    fs::File,
    io::{BufRead, Read, Write},
    path::Path,
};

use serde_json::Value;

use super::{BundleError, FORMAT, Manifest};
use crate::{
    events::{Recorded, codec::event_json},
    exchange::{MANIFEST_FIELD, event_of_line},
};

/// The largest bundle that is read, packed.
const BUNDLE_BYTES_MAX: u64 = 1 << 30;
/// A bundle is made once and sent around.
const ZSTD_LEVEL: i32 = 9;
/// A frame that zstd skips, of 32 bytes.
const SEAL: [u8; 8] = [0x50, 0x2a, 0x4d, 0x18, 32, 0, 0, 0];
const SEAL_BYTES: usize = SEAL.len() + 32;

/// Writes a new file.
///
/// # Errors
/// When there is one already, or it cannot be written.
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
/// Says whether it is foreign, of a newer format, or damaged, and where.
pub fn read(path: &Path) -> Result<(Manifest, Vec<Recorded>), BundleError> {
    let mut bytes = Vec::new();
    File::open(path)?.take(BUNDLE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > BUNDLE_BYTES_MAX {
        return Err(BundleError::Foreign(format!("it is larger than {BUNDLE_BYTES_MAX} bytes")));
    }
    let sealed = unseal(&bytes);
    let (manifest, events) = lines(sealed.as_ref().copied().unwrap_or(&bytes), sealed.as_ref().err())?;
    sealed.map_err(|reason| BundleError::Damaged(format!("{reason}; its {} events can still be read", events.len())))?;
    if manifest.events != events.len() as u64 {
        return Err(BundleError::Damaged(format!("it holds {} events, its manifest says {}", events.len(), manifest.events)));
    }
    Ok((manifest, events))
}

/// The packed lines, if they are as they were sealed.
fn unseal(bytes: &[u8]) -> Result<&[u8], String> {
    let cut = || "it is cut, or more than its lines was changed: it does not end with its seal".to_string();
    let (lines, seal) = bytes.split_at_checked(bytes.len().wrapping_sub(SEAL_BYTES)).ok_or_else(cut)?;
    let hash = seal.strip_prefix(&SEAL).ok_or_else(cut)?;
    if blake3::hash(lines).as_bytes() == hash { Ok(lines) } else { Err("a byte was changed since it was sealed".into()) }
}

/// The manifest and the events; `broken` is what is known to be wrong with the file already.
fn lines(packed: &[u8], broken: Option<&String>) -> Result<(Manifest, Vec<Recorded>), BundleError> {
    let foreign = |reason: String| {
        if packed.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) { BundleError::Damaged(reason) } else { BundleError::Foreign(reason) }
    };
    let decoder = zstd::Decoder::with_buffer(packed).map_err(|error| foreign(error.to_string()))?;
    let mut lines = std::io::BufReader::new(decoder).lines();
    let first = match lines.next() {
        None => return Err(foreign("it is empty".into())),
        Some(first) => first.map_err(|error| foreign(format!("its manifest cannot be unpacked: {error}")))?,
    };
    let manifest = manifest(&first)?;
    let mut events = Vec::new();
    for line in lines {
        let after = events.last().map_or_else(|| "the manifest".to_owned(), |event: &Recorded| format!("position {}", event.position));
        let at = |reason: String| {
            BundleError::Damaged(
                [broken.cloned(), Some(format!("after {after}: {reason}"))].into_iter().flatten().collect::<Vec<_>>().join("; "),
            )
        };
        let line = line.map_err(|error| at(error.to_string()))?;
        events.push(event_of_line(&line).map_err(|error| at(error.reason))?);
    }
    Ok((manifest, events))
}

fn manifest(line: &str) -> Result<Manifest, BundleError> {
    let json: Value =
        serde_json::from_str(line).map_err(|error| BundleError::Foreign(format!("its first line is no manifest: {error}")))?;
    match json.get(MANIFEST_FIELD).and_then(Value::as_u64) {
        None => Err(BundleError::Foreign("its first line is no manifest".into())),
        Some(format) if format != u64::from(FORMAT) => Err(BundleError::Newer(format)),
        Some(_) => serde_json::from_value(json).map_err(|error| BundleError::Damaged(format!("its manifest: {error}"))),
    }
}
