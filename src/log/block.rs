//! The commit block: one or more whole commands in one self-describing frame, so that events can be found even in a damaged file.
//!
//! ```text
//!  0 magic "aisB"   4 version   5 codec   6 zero   8 events u32   12 first position u64   20 raw bytes u32   24 payload bytes u32
//! 28 chain: BLAKE3 of (chain of the block before, bytes 0..28, payload)   60 CRC-32 of (bytes 0..60, payload)   64 payload
//! ```
//! All numbers are little-endian. The payload, once unpacked, holds each event as its length (u32) and its MessagePack.

use std::{cell::RefCell, io};

use zstd::bulk::{Compressor, Decompressor};

use crate::events::Position;

/// Starts every block; chosen so that it does not occur in text.
pub const MAGIC: [u8; 4] = *b"aisB";
/// The bytes before the payload.
pub const HEADER_BYTES: usize = 64;
/// A block is sealed once its events reach this many bytes: about 2 KiB compressed.
pub const RAW_BYTES_TARGET: usize = 24 << 10;
/// The most bytes one command's events may take, since they share a block.
pub const RAW_BYTES_MAX: usize = 1 << 20;
/// Level 1: on price events level 3 saves under a tenth of the bytes and costs half of the speed.
const ZSTD_LEVEL: i32 = 1;

const VERSION: u8 = 1;
const RAW: u8 = 0;
const ZSTD: u8 = 1;
const CHAIN_AT: usize = 28;
/// The offset of a block's own checksum.
pub const CRC_AT: usize = 60;

/// The hash over a block and everything before it. An edited past changes every later one.
pub type Chain = [u8; 32];

/// A block as it is stored.
pub type StoredBlock = bytes::Bytes;

/// Before the first block.
pub const CHAIN_START: Chain = [0; 32];

/// What a block's header states.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    pub events: u32,
    pub first: Position,
    pub raw_bytes: u32,
    pub payload_bytes: u32,
    pub chain: Chain,
    codec: u8,
}

impl Header {
    /// The position of the block's last event.
    #[must_use]
    pub fn last(&self) -> Position {
        Position(self.first.0.saturating_add(u64::from(self.events) - 1))
    }
}

/// Seals blocks one after the other, each chained to the one before.
pub struct Sealer {
    compressor: Compressor<'static>,
    chain: Chain,
}

impl Sealer {
    /// Continues after a block.
    pub fn after(chain: Chain) -> io::Result<Self> {
        Ok(Self { compressor: Compressor::new(ZSTD_LEVEL)?, chain })
    }

    /// The chain up to the last sealed block.
    #[must_use]
    pub fn chain(&self) -> Chain {
        self.chain
    }

    /// Continues after another block: those sealed since were not recorded.
    pub fn go_back_to(&mut self, chain: Chain) {
        self.chain = chain;
    }

    /// Makes a block of `events` events that start at `first`.
    pub fn seal(&mut self, raw: &[u8], first: Position, events: u32) -> io::Result<Vec<u8>> {
        let mut block = vec![0; HEADER_BYTES + zstd::zstd_safe::compress_bound(raw.len())];
        let mut payload_len = self.compressor.compress_to_buffer(raw, &mut block[HEADER_BYTES..])?;
        let mut codec = ZSTD;
        if payload_len >= raw.len() {
            (codec, payload_len) = (RAW, raw.len());
            block[HEADER_BYTES..HEADER_BYTES + raw.len()].copy_from_slice(raw);
        }
        block.truncate(HEADER_BYTES + payload_len);
        write_header(&mut block, codec, events, first, raw.len());
        self.chain = chain_of(&self.chain, &block);
        block[CHAIN_AT..CRC_AT].copy_from_slice(&self.chain);
        let crc = crc_of(&block);
        block[CRC_AT..HEADER_BYTES].copy_from_slice(&crc.to_le_bytes());
        Ok(block)
    }
}

fn write_header(block: &mut [u8], codec: u8, events: u32, first: Position, raw_len: usize) {
    let payload_len = block.len() - HEADER_BYTES;
    block[0..4].copy_from_slice(&MAGIC);
    block[4] = VERSION;
    block[5] = codec;
    block[8..12].copy_from_slice(&events.to_le_bytes());
    block[12..20].copy_from_slice(&first.0.to_le_bytes());
    block[20..24].copy_from_slice(&len_bytes(raw_len));
    block[24..28].copy_from_slice(&len_bytes(payload_len));
}

fn len_bytes(len: usize) -> [u8; 4] {
    u32::try_from(len).expect("a block is much smaller than 4 GiB").to_le_bytes()
}

/// The chain that a block must carry, given the chain of the block before it.
#[must_use]
pub fn chain_of(before: &Chain, block: &[u8]) -> Chain {
    let mut hasher = blake3::Hasher::new();
    hasher.update(before).update(&block[..CHAIN_AT]).update(&block[HEADER_BYTES..]);
    *hasher.finalize().as_bytes()
}

fn crc_of(block: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&block[..CRC_AT]);
    hasher.update(&block[HEADER_BYTES..]);
    hasher.finalize()
}

/// Reads the header at the start of `bytes`, which may hold more than the block. The payload is not checked yet.
#[must_use]
pub fn peek(bytes: &[u8]) -> Option<Header> {
    let header = bytes.get(..HEADER_BYTES)?;
    if header[..4] != MAGIC || header[4] != VERSION || header[5] > ZSTD {
        return None;
    }
    let header = Header {
        events: u32_at(header, 8),
        first: Position(u64::from(u32_at(header, 12)) | u64::from(u32_at(header, 16)) << 32),
        raw_bytes: u32_at(header, 20),
        payload_bytes: u32_at(header, 24),
        chain: header[CHAIN_AT..CRC_AT].try_into().expect("the range has 32 bytes"),
        codec: header[5],
    };
    // What could not have been written is not a header; this also bounds what a reader allocates.
    let whole = header.events > 0 && header.first > Position::START && header.raw_bytes as usize <= 2 * RAW_BYTES_MAX;
    (whole && header.payload_bytes as usize <= 2 * RAW_BYTES_MAX).then_some(header)
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("the range has four bytes"))
}

/// Checks a whole block: its header, its length and its checksum.
pub fn check(block: &[u8]) -> Result<Header, String> {
    let header = peek(block).ok_or("it does not start with a block header")?;
    if block.len() != HEADER_BYTES + header.payload_bytes as usize {
        return Err(format!("{} bytes where {} are announced", block.len(), HEADER_BYTES + header.payload_bytes as usize));
    }
    if crc_of(block) != u32_at(block, CRC_AT) {
        return Err("its checksum is wrong".into());
    }
    Ok(header)
}

thread_local! {
    /// A decompressor's tables are larger than most blocks: every thread makes them once.
    static DECOMPRESSOR: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
}

/// Unpacks the events of a checked block into `raw`, replacing its content.
pub fn unpack(header: &Header, block: &[u8], raw: &mut Vec<u8>) -> Result<(), String> {
    raw.clear();
    let payload = &block[HEADER_BYTES..];
    if header.codec == RAW {
        raw.extend_from_slice(payload);
    } else {
        raw.reserve(header.raw_bytes as usize);
        decompress(payload, raw).map_err(|error| error.to_string())?;
    }
    if raw.len() == header.raw_bytes as usize { Ok(()) } else { Err("it unpacks to a different length than its header states".into()) }
}

fn decompress(payload: &[u8], raw: &mut Vec<u8>) -> io::Result<usize> {
    DECOMPRESSOR.with_borrow_mut(|decompressor| match decompressor {
        Some(ready) => ready.decompress_to_buffer(payload, raw),
        None => decompressor.insert(Decompressor::new()?).decompress_to_buffer(payload, raw),
    })
}

/// Adds one event to the raw form of a block; `write` appends its bytes.
pub fn push_event(raw: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    let start = raw.len();
    raw.extend_from_slice(&[0; 4]);
    write(raw);
    let len = len_bytes(raw.len() - start - 4);
    raw[start..start + 4].copy_from_slice(&len);
}

/// Takes the events out of an unpacked block, one after the other.
pub struct Events<'a>(pub &'a [u8]);

impl<'a> Iterator for Events<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let (len, rest) = self.0.split_first_chunk()?;
        let (event, rest) = rest.split_at_checked(u32::from_le_bytes(*len) as usize)?;
        self.0 = rest;
        Some(event)
    }
}

/// A hash as text.
#[must_use]
pub fn hex(hash: &[u8; 32]) -> String {
    blake3::Hash::from_bytes(*hash).to_hex().to_string()
}
