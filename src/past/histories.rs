//! The histories of single entities: their events, with a state kept at intervals, so that any position is near one.
//! The least recently used are forgotten when they are too large together.

use std::{
    fmt::{self, Debug, Write},
    sync::Arc,
};

use ahash::AHashMap;
use parking_lot::Mutex;

use crate::{
    domain::{Entity, Moment, StreamId},
    events::{Log, LogError, Position, Recorded},
};

/// A state is kept after every batch of this many events: applying that many takes a tenth of a millisecond.
const STATE_EVERY_EVENTS: usize = 256;
/// Events read from the log at a time. Large, because each read walks the stream back from its newest event.
const READ_EVENTS: usize = 65_536;
/// When the histories are too large, they are cut down to this many quarters.
const PARTS_KEPT: usize = 3;
/// Histories that can be read from the log at the same time; the others wait, and may then find theirs read.
const READERS: usize = 16;

/// An entity as it was.
#[derive(Debug, Clone)]
pub struct Then<E: Entity> {
    pub state: E::State,
    /// How many events of its stream had been recorded.
    pub version: u64,
    /// The newest of them.
    pub position: Position,
    pub at: Moment,
}

/// The events of one stream from its first on. At least one.
#[derive(Debug)]
pub struct StreamHistory<E: Entity> {
    events: Vec<Arc<Recorded>>,
    /// The state after each [`STATE_EVERY_EVENTS`] events.
    states: Vec<Arc<E::State>>,
    bytes: usize,
}

/// The histories of one kind of entity that were asked for last.
#[derive(Debug)]
pub struct PastStates<E: Entity> {
    cache: Mutex<Cache<E>>,
    readers: [Mutex<()>; READERS],
    hasher: ahash::RandomState,
    bytes_max: usize,
}

#[derive(Debug)]
struct Cache<E: Entity> {
    /// Each with when it was last used.
    known: AHashMap<StreamId, (Arc<StreamHistory<E>>, u64)>,
    bytes: usize,
    /// Counts uses.
    now: u64,
}

impl<E: Entity> PastStates<E> {
    /// Keeps at most about this many bytes.
    #[must_use]
    pub fn of_at_most(bytes_max: usize) -> Self {
        let cache = Mutex::new(Cache { known: AHashMap::new(), bytes: 0, now: 0 });
        Self { cache, readers: std::array::from_fn(|_| Mutex::default()), hasher: ahash::RandomState::new(), bytes_max }
    }

    /// A stream's history that reaches a position at least; `None` if the stream has no event at all. May read from storage.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn read(&self, log: &dyn Log, stream: &StreamId, until: Position) -> Result<Option<Arc<StreamHistory<E>>>, LogError> {
        let Some(head) = log.stream_head(stream) else { return Ok(None) };
        let wanted = head.position.min(until);
        if let Some(known) = self.cache.lock().take(stream).filter(|known| known.reaches(wanted)) {
            return Ok(Some(known));
        }
        let _one_at_a_time = self.readers[self.hash(stream)].lock();
        let known = self.cache.lock().take(stream);
        if let Some(known) = known.as_ref().filter(|known| known.reaches(wanted)) {
            return Ok(Some(Arc::clone(known)));
        }
        let read = Arc::new(StreamHistory::read_on(known.as_deref(), log, stream)?);
        self.cache.lock().put(stream, &read, self.bytes_max);
        Ok(Some(read))
    }

    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        self.cache.lock().bytes
    }

    fn hash(&self, stream: &StreamId) -> usize {
        let hash = self.hasher.hash_one(stream.id());
        usize::try_from(hash % READERS as u64).unwrap_or(0)
    }
}

impl<E: Entity> Cache<E> {
    fn take(&mut self, stream: &StreamId) -> Option<Arc<StreamHistory<E>>> {
        self.now += 1;
        let (history, used) = self.known.get_mut(stream)?;
        *used = self.now;
        Some(Arc::clone(history))
    }

    /// One that would fill much of the cache alone is not kept.
    fn put(&mut self, stream: &StreamId, history: &Arc<StreamHistory<E>>, bytes_max: usize) {
        let before = if history.bytes > bytes_max / 2 {
            self.known.remove(stream)
        } else {
            self.bytes += history.bytes;
            self.known.insert(stream.clone(), (Arc::clone(history), self.now))
        };
        self.bytes -= before.map_or(0, |(before, _)| before.bytes);
        if self.bytes > bytes_max {
            self.forget_some(bytes_max / 4 * PARTS_KEPT);
        }
    }

    fn forget_some(&mut self, bytes_kept: usize) {
        let mut uses: Vec<(u64, usize)> = self.known.values().map(|(history, used)| (*used, history.bytes)).collect();
        uses.sort_unstable();
        let mut bytes = self.bytes;
        let kept = uses.into_iter().find(|(_, size)| {
            let keep = bytes <= bytes_kept;
            if !keep {
                bytes -= size;
            }
            keep
        });
        let oldest_kept = kept.map_or(u64::MAX, |(used, _)| used);
        self.known.retain(|_, (_, used)| *used >= oldest_kept);
        self.bytes = self.known.values().map(|(history, _)| history.bytes).sum();
    }
}

impl<E: Entity> StreamHistory<E> {
    /// The start of the stream.
    #[must_use]
    pub fn first(&self) -> Position {
        self.events[0].position
    }

    /// The entity at a position; `None` before its first event.
    #[must_use]
    pub fn at(&self, position: Position) -> Option<Then<E>> {
        let count = self.events.partition_point(|event| event.position <= position);
        let last = self.events[..count].last()?;
        let states = count / STATE_EVERY_EVENTS;
        let mut state = states.checked_sub(1).map(|index| E::State::clone(&self.states[index])).unwrap_or_default();
        self.events[states * STATE_EVERY_EVENTS..count].iter().for_each(|event| event.evolve::<E>(&mut state));
        Some(Then { state, version: last.version, position: last.position, at: last.at })
    }

    fn reaches(&self, position: Position) -> bool {
        self.events.last().is_some_and(|last| last.position >= position)
    }

    /// The cached events, and those recorded since.
    fn read_on(known: Option<&Self>, log: &dyn Log, stream: &StreamId) -> Result<Self, LogError> {
        let (mut events, mut states, mut bytes) =
            known.map_or_else(Default::default, |known| (known.events.clone(), known.states.clone(), known.bytes));
        let mut version = events.last().map_or(0, |last: &Arc<Recorded>| last.version);
        loop {
            let read = log.read_stream(stream, version, READ_EVENTS)?;
            let more = read.len() == READ_EVENTS;
            bytes += read.iter().map(|event| size_of::<Recorded>() + text_bytes(&event.event)).sum::<usize>();
            version = read.last().map_or(version, |last| last.version);
            events.extend(read);
            if !more {
                break;
            }
        }
        if events.is_empty() {
            return Err(LogError::Storage(format!("{stream} has a newest event but none can be read")));
        }
        while let Some(next) = events.get(states.len() * STATE_EVERY_EVENTS..(states.len() + 1) * STATE_EVERY_EVENTS) {
            let mut state = states.last().map(|state: &Arc<E::State>| E::State::clone(state)).unwrap_or_default();
            next.iter().for_each(|event| event.evolve::<E>(&mut state));
            bytes += text_bytes(&state);
            states.push(Arc::new(state));
        }
        Ok(Self { events, states, bytes })
    }
}

/// About what a value takes of memory, told by how long it is in words.
fn text_bytes(value: &impl Debug) -> usize {
    struct Counter(usize);
    impl Write for Counter {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            self.0 += text.len();
            Ok(())
        }
    }
    let mut counter = Counter(0);
    // Counting cannot fail.
    let _ = write!(counter, "{value:?}");
    counter.0
}
