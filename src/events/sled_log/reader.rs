//! Reading blocks back: a few unpacked blocks are remembered, because neighbours in a stream are often neighbours in the log.

use std::{collections::VecDeque, ops::ControlFlow, sync::Arc};

use parking_lot::Mutex;

use super::{
    block::{self, Events},
    store::{Store, StoredBlock},
};
use crate::events::{
    LogError, Position, Recorded,
    codec::{DecodeError, Decoder, read_envelope},
};

/// How many unpacked blocks are remembered: about 2 MiB.
const BLOCKS_REMEMBERED: usize = 64;

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

/// The blocks unpacked last, the newest first.
#[derive(Default)]
pub struct Remembered(Mutex<VecDeque<Arc<Unpacked>>>);

impl Remembered {
    /// Reads one event, wherever it is.
    pub fn decode(&self, store: &Store, decoder: &mut Decoder, position: Position) -> Result<Recorded, LogError> {
        let block = self.block(store, position)?;
        let bytes = block.event(position).ok_or_else(|| missing(position))?;
        decoder.decode(position, bytes).map_err(|error| undecodable(position, &error))
    }

    /// Where the event before this one is in its stream.
    pub fn previous(&self, store: &Store, position: Position) -> Result<Option<Position>, LogError> {
        let block = self.block(store, position)?;
        let bytes = block.event(position).ok_or_else(|| missing(position))?;
        read_envelope(bytes).map(|envelope| envelope.previous).map_err(|error| undecodable(position, &error))
    }

    fn block(&self, store: &Store, position: Position) -> Result<Arc<Unpacked>, LogError> {
        if let Some(block) = self.0.lock().iter().find(|block| block.event(position).is_some()) {
            return Ok(Arc::clone(block));
        }
        let (first, bytes) = store.holding(position).map_err(LogError::Storage)?.ok_or_else(|| missing(position))?;
        let mut raw = Vec::new();
        open(first, &bytes, &mut raw)?;
        let places = Events(&raw).scan(0, |at, event| {
            let start = *at + 4;
            *at = start + event.len();
            Some((u32::try_from(start).unwrap_or(u32::MAX), u32::try_from(*at).unwrap_or(u32::MAX)))
        });
        let block = Arc::new(Unpacked { first, places: places.collect(), raw });
        let mut remembered = self.0.lock();
        remembered.push_front(Arc::clone(&block));
        remembered.truncate(BLOCKS_REMEMBERED);
        Ok(block)
    }
}

/// Checks and unpacks one block.
fn open(first: Position, bytes: &StoredBlock, raw: &mut Vec<u8>) -> Result<block::Header, LogError> {
    let damaged = |reason| LogError::Damaged { position: first, reason };
    let header = block::check(bytes).map_err(damaged)?;
    if header.first != first {
        return Err(damaged(format!("the block kept there starts at {}", header.first)));
    }
    block::unpack(&header, bytes, raw).map_err(damaged)?;
    Ok(header)
}

/// Visits the stored bytes of every event after a position up to `head`, each checked but not decoded. No gap passes silently.
pub fn visit(
    store: &Store,
    after: Position,
    head: Position,
    mut visit: impl FnMut(Position, &[u8]) -> Result<ControlFlow<()>, LogError>,
) -> Result<(), LogError> {
    if after >= head {
        return Ok(());
    }
    let start = store.holding(after.next()).map_err(LogError::Storage)?.ok_or_else(|| missing(after.next()))?.0;
    let mut next = start;
    let mut raw = Vec::new();
    for entry in store.from(start) {
        let (first, bytes) = entry.map_err(LogError::Storage)?;
        if next > head {
            return Ok(());
        }
        if first != next {
            return Err(missing(next));
        }
        let header = open(first, &bytes, &mut raw)?;
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
        next = header.last().next();
    }
    if next > head { Ok(()) } else { Err(missing(next)) }
}

fn missing(position: Position) -> LogError {
    LogError::Damaged { position, reason: "the block that holds it is missing".into() }
}

/// The event at a position is whole but not understood.
pub fn undecodable(position: Position, error: &DecodeError) -> LogError {
    LogError::Undecodable { position, reason: error.to_string() }
}
