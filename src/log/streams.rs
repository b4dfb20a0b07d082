//! Reading one stream, however far back its events are. Every event links to the one before it in its stream; where many newer ones would
//! have to be passed, the index of a segment skips them all at once.

use std::sync::Arc;

use super::{Shared, reader::Remembered, segment::SegmentFile};
use crate::{
    domain::StreamId,
    events::{LogError, Position, Recorded, StreamHead, codec::Decoder, heads::StreamKey},
};

/// A stream that is being read.
pub struct Reading<'a> {
    pub shared: &'a Shared,
    pub remembered: &'a Remembered,
    pub stream: &'a StreamId,
}

impl Reading<'_> {
    /// The events with versions above `after` up to `newest`, in order; backwards from the stream's head.
    pub fn versions(&self, head: StreamHead, after: u64, newest: u64) -> Result<Vec<Arc<Recorded>>, LogError> {
        let (mut decoder, mut events) = (Decoder::default(), Vec::new());
        let (mut version, mut next) = (head.version, Some(head.position));
        while version > after
            && let Some(position) = next
        {
            if version > newest {
                (version, next) = self.pass(version, position, newest)?;
                continue;
            }
            let event = match self.shared.tail.get(position) {
                Some(event) => event,
                None => Arc::new(self.remembered.decode(&self.shared.storage, &mut decoder, position)?),
            };
            next = event.previous;
            events.push(event);
            version -= 1;
        }
        events.reverse();
        Ok(events)
    }

    /// Steps back from an event that is too new: past all of the stream in the same segment, or past this one.
    fn pass(&self, version: u64, position: Position, newest: u64) -> Result<(u64, Option<Position>), LogError> {
        let storage = &self.shared.storage;
        if let Some(segment) = storage.segment_of(position)
            && let Some(place) = self.place_in(&segment, version, position, newest)
        {
            return Ok(place);
        }
        Ok((version - 1, self.remembered.previous(storage, position)?.0))
    }

    /// An earlier event of the stream in a segment, as near to the wanted version as it has one. `None` where the index cannot be used: it knows
    /// streams by a part of their keys, so its answers are checked against the event itself.
    fn place_in(&self, segment: &SegmentFile, version: u64, position: Position, newest: u64) -> Option<(u64, Option<Position>)> {
        let storage = &self.shared.storage;
        let positions = storage.positions(segment, StreamKey::of(self.stream)).ok()?;
        let at = positions.binary_search(&position).ok()?;
        let back = usize::try_from(version - newest).unwrap_or(usize::MAX).min(at);
        let (reached, there) = (version - back as u64, positions[at - back]);
        let (before, found, name) = self.remembered.previous(storage, there).ok()?;
        if back == 0 || found != reached || name != self.stream.to_string() {
            return None;
        }
        Some(if reached > newest { (reached - 1, before) } else { (reached, Some(there)) })
    }
}
