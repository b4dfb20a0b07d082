//! Checkpoints: disposable caches of state, never the source of truth. The only file that knows bincode.
//! A checkpoint is a header (magic, name, version, CRC-32 of the packed bytes) and zstd over bincode; anything that does not fit is refused
//! and rebuilt.

use std::io::{self, Write};

use bincode::Options as _;
use serde::{Serialize, de::DeserializeOwned};

/// The largest checkpoint read back, unpacked: far above any real state, low enough that a damaged length cannot exhaust the memory.
const CHECKPOINT_BYTES_MAX: u64 = 2 << 30;
/// The longest name of a checkpoint.
const NAME_BYTES_MAX: usize = 64;
/// zstd's fastest regular level: a checkpoint is rewritten often and read once.
const ZSTD_LEVEL: i32 = 1;
const MAGIC: [u8; 8] = *b"aisledC1";
/// Compression and digests are fed in pieces of this size; small pieces would cost more than the work itself.
const BUFFER_BYTES: usize = 64 << 10;

/// Why a checkpoint is not used. Each of these means: rebuild from the log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    #[error("not a checkpoint, or cut short")]
    Malformed,
    #[error("a checkpoint of {found}, not of {expected}")]
    OtherName { expected: String, found: String },
    #[error("version {found} of the checkpoint of {name}, this program reads version {expected}")]
    OtherVersion { name: String, expected: u32, found: u32 },
    #[error("the checkpoint of {name} is damaged: its checksum differs")]
    Damaged { name: String },
    #[error("the checkpoint of {name} cannot be decoded: {reason}")]
    Undecodable { name: String, reason: String },
}

/// Encodes and compresses a value as a stream, without holding its plain bytes: half a gigabyte of state must not need another.
///
/// # Panics
/// Never for plain data: only a failing `Serialize` could cause one.
#[must_use]
pub fn encode<T: Serialize>(name: &str, version: u32, value: &T) -> Vec<u8> {
    let encoder = zstd::Encoder::new(Vec::new(), ZSTD_LEVEL).expect("the level is a valid one");
    let mut writer = io::BufWriter::with_capacity(BUFFER_BYTES, encoder);
    options().serialize_into(&mut writer, value).expect("plain data serializes because memory is the only writer");
    let encoder = writer.into_inner().map_err(io::IntoInnerError::into_error).expect("memory takes every write");
    frame(name, version, &encoder.finish().expect("memory takes every write"))
}

/// The plain bytes of a value: fast, so that it may run under a lock. Compress them later with [`pack`].
///
/// # Panics
/// See [`encode`].
#[must_use]
pub fn freeze<T: Serialize>(value: &T) -> Vec<u8> {
    options().serialize(value).expect("plain data serializes because memory is the only writer")
}

/// Compresses frozen bytes after a header.
///
/// # Panics
/// When the name is longer than 64 bytes.
#[must_use]
pub fn pack(name: &str, version: u32, frozen: &[u8]) -> Vec<u8> {
    let packed = zstd::bulk::compress(frozen, ZSTD_LEVEL).expect("compressing in memory works because the bound is allocated first");
    frame(name, version, &packed)
}

fn frame(name: &str, version: u32, packed: &[u8]) -> Vec<u8> {
    assert!(name.len() <= NAME_BYTES_MAX, "a checkpoint's name is short");
    let mut bytes = Vec::with_capacity(packed.len() + 20 + name.len());
    bytes.extend_from_slice(&MAGIC);
    bytes.push(u8::try_from(name.len()).expect("checked above"));
    bytes.extend_from_slice(name.as_bytes());
    bytes.extend_from_slice(&version.to_le_bytes());
    bytes.extend_from_slice(&crc32fast::hash(packed).to_le_bytes());
    bytes.extend_from_slice(packed);
    bytes
}

/// Reads a value back.
///
/// # Errors
/// Anything unexpected; the caller then rebuilds from the log.
pub fn decode<T: DeserializeOwned>(name: &str, version: u32, bytes: &[u8]) -> Result<T, CheckpointError> {
    let packed = unframe(name, version, bytes)?;
    let undecodable = |reason: String| CheckpointError::Undecodable { name: name.into(), reason };
    let decoder = zstd::Decoder::with_buffer(packed).map_err(|e| undecodable(e.to_string()))?;
    let mut reader = io::BufReader::with_capacity(BUFFER_BYTES, decoder);
    let value = options().deserialize_from(&mut reader).map_err(|e| undecodable(e.to_string()))?;
    // Reading to the end checks the last frame, and that nothing is left over.
    let left = io::copy(&mut reader, &mut io::sink()).map_err(|e| undecodable(e.to_string()))?;
    if left == 0 { Ok(value) } else { Err(undecodable(format!("{left} bytes are left over"))) }
}

/// The BLAKE3 digest, in hex, of a value's plain bytes.
///
/// # Panics
/// See [`encode`].
#[must_use]
pub fn digest<T: Serialize>(value: &T) -> String {
    let mut writer = io::BufWriter::with_capacity(BUFFER_BYTES, blake3::Hasher::new());
    options().serialize_into(&mut writer, value).expect("plain data serializes because a hasher never fails");
    writer.flush().expect("a hasher never fails");
    writer.get_ref().finalize().to_hex().to_string()
}

fn options() -> impl bincode::Options {
    bincode::DefaultOptions::new().with_fixint_encoding().with_limit(CHECKPOINT_BYTES_MAX)
}

fn unframe<'a>(name: &str, version: u32, bytes: &'a [u8]) -> Result<&'a [u8], CheckpointError> {
    let mut rest = bytes;
    if take(&mut rest, 8)? != MAGIC {
        return Err(CheckpointError::Malformed);
    }
    let name_bytes = usize::from(take(&mut rest, 1)?[0]);
    let found = String::from_utf8_lossy(take(&mut rest, name_bytes)?).into_owned();
    if found != name {
        return Err(CheckpointError::OtherName { expected: name.into(), found });
    }
    let found = u32::from_le_bytes(fixed(take(&mut rest, 4)?)?);
    if found != version {
        return Err(CheckpointError::OtherVersion { name: name.into(), expected: version, found });
    }
    let sum = u32::from_le_bytes(fixed(take(&mut rest, 4)?)?);
    if crc32fast::hash(rest) == sum { Ok(rest) } else { Err(CheckpointError::Damaged { name: name.into() }) }
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Result<&'a [u8], CheckpointError> {
    let (head, tail) = rest.split_at_checked(length).ok_or(CheckpointError::Malformed)?;
    *rest = tail;
    Ok(head)
}

fn fixed<const N: usize>(bytes: &[u8]) -> Result<[u8; N], CheckpointError> {
    bytes.try_into().map_err(|_| CheckpointError::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_encoded_is_decoded() {
        let value = (7_u64, vec!["milk".to_string(), "bread".into()]);
        let bytes = encode("test", 3, &value);
        assert_eq!(decode::<(u64, Vec<String>)>("test", 3, &bytes), Ok(value));
    }

    #[test]
    fn another_name_or_version_is_refused() {
        let bytes = encode("test", 3, &1_u8);
        assert!(matches!(decode::<u8>("other", 3, &bytes), Err(CheckpointError::OtherName { .. })));
        assert!(matches!(decode::<u8>("test", 4, &bytes), Err(CheckpointError::OtherVersion { found: 3, .. })));
    }

    #[test]
    fn any_flipped_byte_and_any_cut_is_refused() {
        let bytes = encode("test", 3, &vec![1_u64; 50]);
        for i in 0..bytes.len() {
            assert!(decode::<Vec<u64>>("test", 3, &bytes[..i]).is_err(), "cut at {i}");
            let mut damaged = bytes.clone();
            damaged[i] ^= 0x40;
            assert!(decode::<Vec<u64>>("test", 3, &damaged).is_err(), "flipped {i}");
        }
    }
}
