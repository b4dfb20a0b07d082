//! What the log keeps in memory about itself: its newest position and the head of every stream.
//!
//! The heads are not kept in a sled tree: one insert there costs 7–17 µs, more than the rest of an append.

use super::block::{self, CHAIN_START, Chain, Events, Header};
use crate::events::{
    Position, StreamHead,
    codec::{Envelope, read_envelope},
    heads::{Heads, StreamKey},
    sequence::Mark,
};

/// The committed state of the log.
#[derive(Debug, Default, Clone)]
pub struct Index {
    pub heads: Heads,
    pub mark: Mark,
    /// The chain up to the mark.
    pub chain: Chain,
}

impl Index {
    /// The index of an empty log.
    #[must_use]
    pub fn empty() -> Self {
        Self { heads: Heads::default(), mark: Mark::default(), chain: CHAIN_START }
    }

    /// Checks the block that must follow and adds its events; `check` may refuse an event, knowing its stream's head before it.
    ///
    /// # Errors
    /// The position and the fault. The mark and the chain then stay before the block.
    pub fn add_block(
        &mut self,
        first: Position,
        bytes: &[u8],
        raw: &mut Vec<u8>,
        check: impl Fn(&Envelope<'_>, Option<StreamHead>) -> Result<(), String>,
    ) -> Result<(), (Position, String)> {
        let header = self.check_block(first, bytes, raw).map_err(|reason| (self.mark.position.next(), reason))?;
        let mut mark = self.mark;
        for event in Events(raw) {
            mark.position = mark.position.next();
            let envelope = read_envelope(event).map_err(|error| (mark.position, error.to_string()))?;
            let key = StreamKey::of_name(envelope.stream.as_bytes());
            check(&envelope, self.heads.get(key)).map_err(|reason| (mark.position, reason))?;
            self.heads.set(key, envelope.version, mark.position);
            mark.at = envelope.at;
        }
        if mark.position != header.last() {
            return Err((mark.position, format!("the block header states events up to {}", header.last())));
        }
        self.mark = mark;
        self.chain = header.chain;
        Ok(())
    }

    /// Unpacks a block, if it is the one that follows.
    fn check_block(&self, first: Position, bytes: &[u8], raw: &mut Vec<u8>) -> Result<Header, String> {
        let header = block::check(bytes)?;
        if first != self.mark.position.next() || header.first != first {
            return Err(format!("the events from {} on are missing", self.mark.position.next()));
        }
        if block::chain_of(&self.chain, bytes) != header.chain {
            return Err("its hash does not chain to the previous block".into());
        }
        block::unpack(&header, bytes, raw)?;
        Ok(header)
    }
}
