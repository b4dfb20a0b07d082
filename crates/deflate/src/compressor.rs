//! Deflates one whole message. Each thread has one compressor for each window in use, and resets it for every message.

use std::cell::RefCell;

use bytes::Bytes;
use flate2::{Compress, Compression, FlushCompress};

use super::header::{self, FIN, Header, RSV1};

/// The fastest level: a message waits for its compression, and a worker does nothing else meanwhile.
const LEVEL: u32 = 1;
const WINDOW_BITS: std::ops::RangeInclusive<u8> = 9..=15;
/// Every flushed message ends so, and is sent without it (RFC 7692, section 7.2.1).
const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];
/// A thread keeps at most this much room for its next message.
const SCRATCH_BYTES_KEPT: usize = 256 << 10;

thread_local! {
    static COMPRESSOR: RefCell<Compressor> = RefCell::default();
}

#[derive(Default)]
struct Compressor {
    /// By window; about 380 KB each, made when the first client asks for it.
    by_window: [Option<Compress>; 7],
    scratch: Vec<u8>,
}

/// A whole compressed server frame that holds the payload, never fragmented. `None` when it would not get smaller (like an empty one)
/// or for a window that is not within 9 to 15 bits: then the payload is sent uncompressed.
#[must_use]
pub fn deflate_frame(opcode: u8, payload: &[u8], window_bits: u8) -> Option<Bytes> {
    COMPRESSOR.with_borrow_mut(|compressor| {
        let frame = compressor.deflate(payload, window_bits).map(|message| {
            let header = header::of_server(FIN | RSV1 | opcode, message.len());
            [&header[..], message].concat().into()
        });
        compressor.tidy();
        frame
    })
}

/// The compressed form of a whole server frame that was prepared uncompressed. `None` when it is to be sent uncompressed: it is small,
/// not data, or would not get smaller.
#[must_use]
pub fn deflated(frame: &[u8], threshold_bytes: usize, window_bits: u8) -> Option<Bytes> {
    let header = Header::read(frame).filter(Header::is_plain_message)?;
    let payload = frame.get(header.bytes..)?;
    (payload.len() >= threshold_bytes).then(|| deflate_frame(header.opcode(), payload, window_bits)).flatten()
}

impl Compressor {
    /// The message without its tail, if it is smaller than the payload.
    fn deflate(&mut self, payload: &[u8], window_bits: u8) -> Option<&[u8]> {
        if !WINDOW_BITS.contains(&window_bits) {
            return None;
        }
        let slot = self.by_window.get_mut(usize::from(window_bits - WINDOW_BITS.start()))?;
        let compress = slot.get_or_insert_with(|| Compress::new_with_window_bits(Compression::new(LEVEL), false, window_bits));
        compress.reset();
        self.scratch.clear();
        // Room even for growing output: a compressor that could not write everything may not be used again, because
        // resetting it leaves a part of its own buffer taken (zlib-rs 0.6.8), and it panics when nothing is left.
        self.scratch.reserve(longest(payload.len()));
        let outcome = compress.compress_vec(payload, &mut self.scratch, FlushCompress::Sync);
        let is_whole = outcome.is_ok() && self.scratch.len() < self.scratch.capacity() && compress.total_in() == payload.len() as u64;
        if !is_whole {
            *slot = None;
            return None;
        }
        let message = self.scratch.strip_suffix(&TAIL)?;
        (message.len() < payload.len()).then_some(message)
    }

    fn tidy(&mut self) {
        self.scratch.clear();
        self.scratch.shrink_to(SCRATCH_BYTES_KEPT);
    }
}

/// The longest a message may get: nine bits for each byte, plus its start and end.
fn longest(payload_bytes: usize) -> usize {
    payload_bytes + payload_bytes / 8 + 64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{header::TEXT, inflate::inflate};

    fn text(bytes: usize) -> Vec<u8> {
        let mut text = Vec::new();
        for number in 0_u32.. {
            if text.len() >= bytes {
                break;
            }
            text.extend_from_slice(format!("{{\"item\":{number},\"name\":\"Milk {}\"}},", number % 7).as_bytes());
        }
        text.truncate(bytes);
        text
    }

    /// Bytes in which nothing repeats.
    fn noise(bytes: usize) -> Vec<u8> {
        let mut noise = vec![0; bytes];
        blake3::Hasher::new().finalize_xof().fill(&mut noise);
        noise
    }

    #[test]
    fn every_window_gives_a_frame_that_inflates_to_the_message() {
        for window_bits in WINDOW_BITS {
            for bytes in [40, 1_000, 70_000, 600_000] {
                let plain = text(bytes);
                let frame = deflate_frame(TEXT, &plain, window_bits).unwrap();
                let header = Header::read(&frame).unwrap();
                assert!(header.is_final() && header.is_deflated() && header.mask.is_none());
                assert_eq!((header.opcode(), header.payload_bytes), (TEXT, (frame.len() - header.bytes) as u64));
                assert_eq!(inflate(frame[header.bytes..].to_vec(), bytes, 0), Ok(plain), "{bytes} bytes, window {window_bits}");
            }
        }
    }

    #[test]
    fn a_small_window_refers_back_no_further_than_it_is_wide() {
        let block = noise(600);
        let twice = [&block[..], &block[..]].concat();
        assert!(deflate_frame(TEXT, &twice, 10).is_some_and(|frame| frame.len() < 800));
        assert!(deflate_frame(TEXT, &twice, 9).is_none_or(|frame| frame.len() > 1_000), "the repetition is 600 bytes back");
    }

    #[test]
    fn what_does_not_get_smaller_stays_as_it_is() {
        assert_eq!(deflate_frame(TEXT, b"", 15), None);
        assert_eq!(deflate_frame(TEXT, b"hi", 15), None);
        assert_eq!(deflate_frame(TEXT, &noise(4_000), 15), None);
        assert!(deflate_frame(TEXT, &text(4_000), 15).is_some(), "the noise left nothing behind");
    }

    #[test]
    fn messages_that_do_not_fit_never_use_up_the_compressor() {
        for bytes in [4_000, 40_000, 400_000].repeat(20) {
            assert_eq!(deflate_frame(TEXT, &noise(bytes), 15), None);
        }
        let plain = text(40_000);
        let frame = deflate_frame(TEXT, &plain, 15).unwrap();
        assert_eq!(inflate(frame[Header::read(&frame).unwrap().bytes..].to_vec(), plain.len(), 0), Ok(plain));
    }

    #[test]
    fn a_prepared_frame_is_compressed_from_the_threshold_on_if_it_is_data() {
        let plain = text(1_024);
        let frame = |first, payload: &[u8]| [&header::of_server(first, payload.len())[..], payload].concat();
        assert_eq!(deflated(&frame(FIN | TEXT, &plain), 1_024, 15), deflate_frame(TEXT, &plain, 15));
        assert_eq!(deflated(&frame(FIN | TEXT, &plain[1..]), 1_024, 15), None);
        assert_eq!(deflated(&frame(TEXT, &plain), 0, 15), None, "a fragment");
        assert_eq!(deflated(&frame(FIN | 9, &plain[..100]), 0, 15), None, "a ping");
        assert_eq!(deflated(&frame(FIN | TEXT, &plain), 0, 8), None, "no such window");
    }
}
