//! Stream heads: the newest version and position of every stream, in memory, which is what makes an expected version cheap to check.

use super::{envelope::Position, log::StreamHead};
use crate::domain::StreamId;

/// A stream's name as the first 16 bytes of its BLAKE3 hash: a fixed size, and nobody can make two names meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StreamKey(pub [u8; 16]);

impl StreamKey {
    /// The key of a stream's name, such as `list/weekly`.
    #[must_use]
    pub fn of_name(name: &[u8]) -> Self {
        let hash = blake3::hash(name);
        let (key, _) = hash.as_bytes().split_first_chunk().expect("a hash has 32 bytes");
        Self(*key)
    }

    /// The key of a stream.
    #[must_use]
    pub fn of(stream: &StreamId) -> Self {
        let mut name = Vec::with_capacity(80);
        name.extend_from_slice(stream.kind().as_str().as_bytes());
        name.push(b'/');
        name.extend_from_slice(stream.id().as_bytes());
        Self::of_name(&name)
    }
}

/// The head of every stream: about 40 bytes each.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Heads(ahash::HashMap<StreamKey, StreamHead>);

impl Heads {
    /// Room for so many streams.
    #[must_use]
    pub fn with_capacity(streams: usize) -> Self {
        Self(ahash::HashMap::with_capacity_and_hasher(streams, ahash::RandomState::default()))
    }

    /// The head of one stream, `None` if it has no event.
    #[must_use]
    pub fn get(&self, key: StreamKey) -> Option<StreamHead> {
        self.0.get(&key).copied()
    }

    /// Records a stream's newest event.
    pub fn set(&mut self, key: StreamKey, version: u64, position: Position) {
        self.0.insert(key, StreamHead { version, position });
    }

    /// Every stream, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (StreamKey, StreamHead)> + '_ {
        self.0.iter().map(|(key, head)| (*key, *head))
    }

    /// Takes everything out, keeping the room.
    pub fn drain(&mut self) -> impl Iterator<Item = (StreamKey, StreamHead)> + '_ {
        self.0.drain()
    }

    /// Forgets everything, keeping the room.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// How many streams there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no stream at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
