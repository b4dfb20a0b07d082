//! Inflates messages of permessage-deflate without context takeover. The server deflates a publication once for all its receivers,
//! so the same bytes come repeatedly: the last one is cached, and costs a comparison.

use anyhow::{Context, Result, ensure};
use flate2::{Decompress, FlushDecompress, Status};

/// What a sender omits at the end of a message (RFC 7692, section 7.2.1).
const TAIL: [u8; 4] = [0, 0, 0xFF, 0xFF];
/// The largest message: more is an error, not a growing buffer.
const MESSAGE_BYTES_MAX: usize = 16 << 20;

/// Shared by all clients of a thread.
pub struct Inflater {
    state: Decompress,
    /// The message inflated last, as sent and as it was meant.
    deflated: Vec<u8>,
    plain: Vec<u8>,
}

impl Default for Inflater {
    fn default() -> Self {
        Self { state: Decompress::new(false), deflated: Vec::new(), plain: Vec::new() }
    }
}

impl Inflater {
    pub fn inflate(&mut self, payload: &[u8]) -> Result<&[u8]> {
        if self.deflated.strip_suffix(&TAIL) != Some(payload) {
            self.deflated.clear();
            self.deflated.extend_from_slice(payload);
            self.deflated.extend_from_slice(&TAIL);
            self.run()?;
        }
        Ok(&self.plain)
    }

    fn run(&mut self) -> Result<()> {
        self.state.reset(false);
        self.plain.clear();
        self.plain.reserve(self.deflated.len() * 4 + 256);
        loop {
            let taken = usize::try_from(self.state.total_in()).context("a message of more than memory holds")?;
            let status = self.state.decompress_vec(&self.deflated[taken..], &mut self.plain, FlushDecompress::Sync)?;
            if status == Status::StreamEnd || self.plain.len() < self.plain.capacity() {
                return Ok(());
            }
            ensure!(self.plain.len() < MESSAGE_BYTES_MAX, "a deflated message is too large");
            self.plain.reserve(self.plain.len());
        }
    }
}

#[cfg(test)]
mod tests {
    use flate2::{Compress, Compression, FlushCompress};

    use super::*;

    #[test]
    fn messages_come_out_as_they_went_in() {
        let mut inflater = Inflater::default();
        for text in ["short".repeat(3), "long ".repeat(40_000)] {
            let (mut compress, mut deflated) = (Compress::new(Compression::fast(), false), Vec::with_capacity(1 << 16));
            compress.compress_vec(text.as_bytes(), &mut deflated, FlushCompress::Sync).unwrap();
            let payload = deflated.strip_suffix(&TAIL).unwrap();
            for _ in 0..2 {
                assert_eq!(inflater.inflate(payload).unwrap(), text.as_bytes());
            }
        }
    }
}
