//! Inflates one whole message. One decompressor per thread serves every connection, because no message refers to an earlier one.

use std::cell::RefCell;

use flate2::{Decompress, FlushDecompress, Status};

/// What the sender omitted (RFC 7692, section 7.2.2), and an empty final block that ends the stream only if the message ended
/// at the end of a block: else it was cut short.
const TAIL: [u8; 9] = [0, 0, 0xff, 0xff, 1, 0, 0, 0xff, 0xff];
/// The first guess of a message's growth, which avoids reallocation for most.
const RATIO_GUESS: usize = 4;

thread_local! {
    static DECOMPRESSOR: RefCell<Decompress> = RefCell::new(Decompress::new(false));
}

/// Why a message cannot be inflated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InflateError {
    /// It is longer than allowed; no more than that was inflated.
    TooLarge,
    /// It is not a deflate stream, or its end is missing.
    Broken,
}

/// Inflates a message to at most this many bytes, after this much room for a header.
///
/// # Errors
/// When it is broken, or gets too large.
pub fn inflate(mut compressed: Vec<u8>, bytes_max: usize, room: usize) -> Result<Vec<u8>, InflateError> {
    if compressed.is_empty() {
        // Strictly not a deflate stream, but some send it for an empty message, and it is unambiguous.
        return Ok(vec![0; room]);
    }
    let message_end = compressed.len();
    compressed.extend_from_slice(&TAIL);
    // One byte more than allowed shows that it is too large.
    let capacity_max = room + bytes_max + 1;
    let mut inflated = Vec::with_capacity((room + message_end * RATIO_GUESS).clamp(room + 1, capacity_max));
    inflated.resize(room, 0);
    DECOMPRESSOR.with_borrow_mut(|decompressor| {
        decompressor.reset(false);
        let mut read = 0;
        loop {
            let before = decompressor.total_in();
            let status = decompressor.decompress_vec(&compressed[read..], &mut inflated, FlushDecompress::None);
            let status = status.map_err(|_| InflateError::Broken)?;
            read += usize::try_from(decompressor.total_in() - before).map_err(|_| InflateError::Broken)?;
            if inflated.len() - room > bytes_max {
                return Err(InflateError::TooLarge);
            }
            match status {
                // A final block may also be the client's own (section 7.2.3.4); what follows it starts afresh.
                Status::StreamEnd if read >= message_end => return Ok(inflated),
                Status::StreamEnd => decompressor.reset(false),
                Status::Ok | Status::BufError if inflated.len() == inflated.capacity() => {
                    inflated.reserve_exact(inflated.len().min(capacity_max - inflated.len()));
                }
                Status::Ok if read < compressed.len() => {}
                Status::Ok | Status::BufError => return Err(InflateError::Broken),
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use flate2::{Compress, Compression, FlushCompress};

    use super::*;

    /// Deflated with this flush, everything kept.
    fn deflate(plain: &[u8], flush: FlushCompress) -> Vec<u8> {
        let mut out = Vec::with_capacity(plain.len() + 64);
        Compress::new(Compression::new(6), false).compress_vec(plain, &mut out, flush).unwrap();
        out
    }

    /// As a client sends it: without the last four bytes.
    fn message(plain: &[u8]) -> Vec<u8> {
        let mut out = deflate(plain, FlushCompress::Sync);
        out.truncate(out.len() - 4);
        out
    }

    #[test]
    fn the_limit_is_exact() {
        let plain = vec![b'a'; 1_000];
        assert_eq!(inflate(message(&plain), 1_000, 0), Ok(plain.clone()));
        assert_eq!(inflate(message(&plain), 999, 0), Err(InflateError::TooLarge));
        assert_eq!(inflate(message(&[]), 0, 0), Ok(vec![]));
    }

    #[test]
    fn a_bomb_is_given_up_at_the_limit() {
        let bomb = message(&vec![0; 50 << 20]);
        assert!(bomb.len() < 100_000);
        assert_eq!(inflate(bomb, 32 << 10, 14), Err(InflateError::TooLarge));
    }

    #[test]
    fn a_message_of_one_zero_byte_or_of_none_is_empty() {
        assert_eq!(inflate(vec![0], 10, 0), Ok(vec![]));
        assert_eq!(inflate(vec![], 10, 0), Ok(vec![]));
    }

    #[test]
    fn final_blocks_are_legal_wherever_they_stand() {
        let finished = deflate(b"Hello", FlushCompress::Finish);
        assert_eq!(finished, [0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00], "the example of RFC 7692, section 7.2.3.4");
        let with_padding = [&finished[..], &[0]].concat();
        let before_another = [&finished[..], &message(b" you")].concat();
        assert_eq!(inflate(finished, 100, 0), Ok(b"Hello".to_vec()));
        assert_eq!(inflate(with_padding, 100, 0), Ok(b"Hello".to_vec()));
        assert_eq!(inflate(before_another, 100, 0), Ok(b"Hello you".to_vec()));
    }

    #[test]
    fn a_message_cut_short_is_broken() {
        let plain: Vec<u8> = (0..2_000_u32).flat_map(u32::to_le_bytes).collect();
        let whole = message(&plain);
        for cut in [1, 10, whole.len() / 2, whole.len() - 2] {
            assert_eq!(inflate(whole[..cut].to_vec(), 10_000, 0), Err(InflateError::Broken), "cut at {cut}");
        }
        assert_eq!(inflate(vec![0xff; 100], 10_000, 0), Err(InflateError::Broken));
    }

    #[test]
    fn a_broken_message_leaves_nothing_behind_for_the_next() {
        assert!(inflate(vec![0xff; 5], 100, 0).is_err());
        assert_eq!(inflate(message(b"next"), 100, 0), Ok(b"next".to_vec()));
    }
}
