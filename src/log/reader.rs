//! Reading blocks back. Unpacked blocks are cached: neighbours in a stream are often neighbours in the log, and clients that return
//! after the same outage all read the same part.

use std::{collections::BTreeMap, ops::ControlFlow, sync::Arc};

use parking_lot::Mutex;

use super::{
    block::{self, Events, StoredBlock},
    storage::Storage,
};
use crate::events::{
    LogError, Position, Recorded,
    codec::{DecodeError, Decoder, read_envelope},
};

/// Unpacked bytes that are cached: about the newest hundred thousand small events.
const BYTES_REMEMBERED: usize = 16 << 20;
/// When they are too many, this part of the blocks is dropped at once, least recently used first.
const PART_FORGOTTEN: usize = 4;

/// An unpacked block.
struct Unpacked {
    first: Position,
    raw: Vec<u8>,
    /// Where each event is in `raw`.
    places: Vec<(u32, u32)>,
}

impl Unpacked {
    fn event(&self, position: Position) -> Option<&[u8]> {
        let (start, end) = *self.places.get(usize::try_from(position.0.checked_sub(self.first.0)?).ok()?)?;
        self.raw.get(start as usize..end as usize)
    }
}

/// The blocks that were read most recently.
#[derive(Default)]
pub struct Remembered(Mutex<Cache>);

#[derive(Default)]
struct Cache {
    /// By first position, each with when it was last used.
    blocks: BTreeMap<Position, (Arc<Unpacked>, u64)>,
    bytes: usize,
    /// Counts uses.
    now: u64,
}

impl Cache {
    fn take(&mut self, position: Position) -> Option<Arc<Unpacked>> {
        self.now += 1;
        let (_, (block, used)) = self.blocks.range_mut(..=position).next_back()?;
        block.event(position)?;
        *used = self.now;
        Some(Arc::clone(block))
    }

    fn put(&mut self, block: &Arc<Unpacked>) {
        self.bytes += block.raw.len();
        if let Some((before, _)) = self.blocks.insert(block.first, (Arc::clone(block), self.now)) {
            self.bytes -= before.raw.len();
        }
        if self.bytes > BYTES_REMEMBERED {
            self.forget_some();
        }
    }

    fn forget_some(&mut self) {
        let mut uses: Vec<u64> = self.blocks.values().map(|(_, used)| *used).collect();
        let (_, limit, _) = uses.select_nth_unstable(self.blocks.len() / PART_FORGOTTEN);
        let limit = *limit;
        self.blocks.retain(|_, (_, used)| *used > limit);
        self.bytes = self.blocks.values().map(|(block, _)| block.raw.len()).sum();
    }
}

impl Remembered {
    /// Reads one event, wherever it is.
    pub fn decode(&self, storage: &Storage, decoder: &mut Decoder, position: Position) -> Result<Recorded, LogError> {
        let block = self.block(storage, position)?;
        let bytes = block.event(position).ok_or_else(|| missing(position))?;
        decoder.decode(position, bytes).map_err(|error| undecodable(position, &error))
    }

    /// Where the event before this one is in its stream, with this one's version and the stream's name.
    pub fn previous(&self, storage: &Storage, position: Position) -> Result<(Option<Position>, u64, String), LogError> {
        let block = self.block(storage, position)?;
        let bytes = block.event(position).ok_or_else(|| missing(position))?;
        let envelope = read_envelope(bytes).map_err(|error| undecodable(position, &error))?;
        Ok((envelope.previous, envelope.version, envelope.stream.to_string()))
    }

    /// How many blocks are cached.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.0.lock().blocks.len()
    }

    fn block(&self, storage: &Storage, position: Position) -> Result<Arc<Unpacked>, LogError> {
        if let Some(block) = self.0.lock().take(position) {
            return Ok(block);
        }
        let (first, bytes) =
            storage.holding(position).map_err(|reason| LogError::Damaged { position, reason })?.ok_or_else(|| missing(position))?;
        let mut raw = Vec::new();
        open(storage, first, &bytes, &mut raw)?;
        let places = Events(&raw).scan(0, |at, event| {
            let start = *at + 4;
            *at = start + event.len();
            Some((u32::try_from(start).unwrap_or(u32::MAX), u32::try_from(*at).unwrap_or(u32::MAX)))
        });
        let block = Arc::new(Unpacked { first, places: places.collect(), raw });
        self.0.lock().put(&block);
        Ok(block)
    }
}

/// Checks and unpacks one block.
fn open(storage: &Storage, first: Position, bytes: &StoredBlock, raw: &mut Vec<u8>) -> Result<block::Header, LogError> {
    let damaged = |reason| LogError::Damaged { position: first, reason: storage.name(first, reason) };
    let header = block::check(bytes).map_err(damaged)?;
    if header.first != first {
        return Err(damaged(format!("the block stored there starts at {}", header.first)));
    }
    block::unpack(&header, bytes, raw).map_err(damaged)?;
    Ok(header)
}

/// Visits the stored bytes of every event after a position up to `head`, each checked but not decoded. No gap passes silently.
pub fn visit(
    storage: &Storage,
    after: Position,
    head: Position,
    mut visit: impl FnMut(Position, &[u8]) -> Result<ControlFlow<()>, LogError>,
) -> Result<(), LogError> {
    if after >= head {
        return Ok(());
    }
    let (mut next, mut raw) = (None, Vec::new());
    for entry in storage.walk(after.next()) {
        let (first, bytes) = entry.map_err(|reason| LogError::Damaged { position: next.unwrap_or(after.next()), reason })?;
        // The first block may begin before what is wanted, but not after it.
        let expected = next.unwrap_or(first.min(after.next()));
        if expected > head {
            return Ok(());
        }
        if first != expected {
            return Err(missing(expected));
        }
        let header = open(storage, first, &bytes, &mut raw)?;
        let mut found = 0;
        for event in Events(&raw) {
            let position = Position(first.0 + found);
            found += 1;
            if position > head {
                return Ok(());
            }
            if position > after && visit(position, event)?.is_break() {
                return Ok(());
            }
        }
        if found != u64::from(header.events) {
            return Err(LogError::Damaged { position: first, reason: format!("{found} events where {} are announced", header.events) });
        }
        next = Some(header.last().next());
    }
    let next = next.unwrap_or(after.next());
    if next > head { Ok(()) } else { Err(missing(next)) }
}

fn missing(position: Position) -> LogError {
    LogError::Damaged { position, reason: "the block that holds it is missing".into() }
}

/// The event at a position is whole but cannot be decoded.
pub fn undecodable(position: Position, error: &DecodeError) -> LogError {
    LogError::Undecodable { position, reason: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unpacked(first: u64, bytes: usize) -> Arc<Unpacked> {
        Arc::new(Unpacked { first: Position(first), raw: vec![0; bytes], places: vec![(0, 1), (1, 2)] })
    }

    #[test]
    fn what_was_used_last_is_remembered_and_the_bytes_stay_bounded() {
        let mut cache = Cache::default();
        cache.put(&unpacked(1, 1 << 20));
        for number in 1..100 {
            cache.put(&unpacked(1 + 2 * number, 1 << 20));
            assert!(cache.take(Position(1)).is_some(), "it is used all the time");
            assert!(cache.bytes <= BYTES_REMEMBERED);
            assert_eq!(cache.bytes, cache.blocks.len() << 20);
        }
        assert!(cache.take(Position(200)).is_some() && cache.take(Position(201)).is_none() && cache.take(Position(3)).is_none());
    }
}
