//! A journal frame: one commit block with what recovery needs to know about it, or a mark without a block.
//!
//! ```text
//!  0 magic "aisF"   4 CRC-32 of (bytes 8..32, the block's own checksum)   8 generation u64   16 durable u64   24 block bytes u32   28 flags u32
//! 32 the block, then zeros up to a multiple of eight
//! ```
//! All numbers are little-endian. *Generation* distinguishes the frame from those of the file's earlier use. *Durable* is a position up to
//! which everything was on the disk when the frame was written: a journal that ends before it has lost something.

use crate::{
    events::Position,
    log::block::{self, HEADER_BYTES as BLOCK_HEADER_BYTES},
};

const MAGIC: [u8; 4] = *b"aisF";
/// The bytes before the block.
pub const HEAD_BYTES: usize = 32;
const ALIGNMENT: usize = 8;

/// Flag of a mark: the journal ends here and the next one begins.
const END: u32 = 1;

/// A frame that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame {
    pub durable: Position,
    /// Zero in a mark.
    pub block_bytes: usize,
    /// Whether the journal ends here and the next one begins.
    pub is_end: bool,
}

impl Frame {
    /// The bytes of the whole frame.
    #[must_use]
    pub fn bytes(&self) -> usize {
        frame_bytes(self.block_bytes)
    }
}

/// The bytes of a frame around a block.
#[must_use]
pub fn frame_bytes(block_bytes: usize) -> usize {
    (HEAD_BYTES + block_bytes).next_multiple_of(ALIGNMENT)
}

/// Adds the frame of a block.
pub fn write(into: &mut Vec<u8>, generation: u64, durable: Position, block: &[u8]) {
    put(into, generation, durable, 0, block);
}

/// A mark: it only states what is durable, and perhaps that the journal ends here.
#[must_use]
pub fn mark(generation: u64, durable: Position, is_end: bool) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEAD_BYTES);
    put(&mut bytes, generation, durable, if is_end { END } else { 0 }, &[]);
    bytes
}

fn put(into: &mut Vec<u8>, generation: u64, durable: Position, flags: u32, block: &[u8]) {
    let start = into.len();
    into.extend_from_slice(&MAGIC);
    into.extend_from_slice(&[0; 4]);
    into.extend_from_slice(&generation.to_le_bytes());
    into.extend_from_slice(&durable.0.to_le_bytes());
    into.extend_from_slice(&u32::try_from(block.len()).expect("a block is much smaller than 4 GiB").to_le_bytes());
    into.extend_from_slice(&flags.to_le_bytes());
    into.extend_from_slice(block);
    into.resize(start + frame_bytes(block.len()), 0);
    let crc = crc_of(&into[start..], block.len());
    into[start + 4..start + 8].copy_from_slice(&crc.to_le_bytes());
}

/// The frame at the start of `bytes`, if it is whole and of that generation. The block itself is checked by the caller.
#[must_use]
pub fn read(bytes: &[u8], generation: u64) -> Option<Frame> {
    let head = bytes.first_chunk::<HEAD_BYTES>()?;
    let number = |at: usize| head[at..at + 8].try_into().map(u64::from_le_bytes).ok();
    if head[..4] != MAGIC || number(8)? != generation {
        return None;
    }
    let block_bytes = u32::from_le_bytes(head[24..28].try_into().ok()?) as usize;
    let whole = block_bytes == 0 || block_bytes >= BLOCK_HEADER_BYTES;
    if !whole || bytes.len() < HEAD_BYTES + block_bytes || crc_of(bytes, block_bytes).to_le_bytes() != head[4..8] {
        return None;
    }
    let is_end = u32::from_le_bytes(head[28..].try_into().ok()?) & END != 0;
    Some(Frame { durable: Position(number(16)?), block_bytes, is_end })
}

/// The whole frames that begin anywhere in `bytes`: what follows a broken frame.
pub fn search(bytes: &[u8], generation: u64) -> impl Iterator<Item = (usize, Frame)> {
    let starts = (0..bytes.len()).step_by(ALIGNMENT);
    starts.filter_map(move |at| Some((at, read(&bytes[at..], generation)?))).filter(|(at, frame)| holds_whole_block(&bytes[*at..], frame))
}

fn holds_whole_block(bytes: &[u8], frame: &Frame) -> bool {
    frame.block_bytes == 0 || block::check(&bytes[HEAD_BYTES..HEAD_BYTES + frame.block_bytes]).is_ok()
}

fn crc_of(frame: &[u8], block_bytes: usize) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&frame[8..HEAD_BYTES]);
    if block_bytes > 0 {
        hasher.update(&frame[HEAD_BYTES + block::CRC_AT..HEAD_BYTES + BLOCK_HEADER_BYTES]);
    }
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::block::{CHAIN_START, Sealer};

    fn block() -> Vec<u8> {
        Sealer::after(CHAIN_START).unwrap().seal(&[5; 40], Position(1), 1).unwrap()
    }

    #[test]
    fn a_frame_is_read_as_it_was_written() {
        let (block, mut bytes) = (block(), Vec::new());
        write(&mut bytes, 3, Position(9), &block);
        bytes.extend(mark(3, Position(10), true));
        let first = read(&bytes, 3).unwrap();
        assert_eq!(first, Frame { durable: Position(9), block_bytes: block.len(), is_end: false });
        assert_eq!(bytes[HEAD_BYTES..HEAD_BYTES + block.len()], block);
        assert_eq!(read(&bytes[first.bytes()..], 3), Some(Frame { durable: Position(10), block_bytes: 0, is_end: true }));
        assert_eq!(search(&bytes, 3).map(|(at, _)| at).collect::<Vec<_>>(), [0, first.bytes()]);
    }

    #[test]
    fn frames_of_another_generation_and_flipped_bytes_are_not_read() {
        let mut bytes = Vec::new();
        write(&mut bytes, 3, Position(9), &block());
        assert_eq!(read(&bytes, 4), None);
        for at in 0..HEAD_BYTES {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1;
            assert_eq!(read(&flipped, 3), None, "byte {at}");
        }
        assert_eq!(search(&bytes[..bytes.len() - 8], 3).count(), 0);
    }
}
