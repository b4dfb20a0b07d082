//! Stream heads: the newest version and position of every stream, in memory, so that an expected version is cheap to check.

use std::{cmp::Ordering, ops::Range};

use super::{envelope::Position, log::StreamHead};
use crate::domain::StreamId;

/// A stream's name as the first 16 bytes of its BLAKE3 hash: a fixed size, and nobody can forge a collision.
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

/// The first bytes of a key choose its bucket, so that buckets are equally full.
const BUCKETS: usize = 1 << 16;
/// The rest of the key, the version in four bytes, the position in six.
const ENTRY_BYTES: usize = 24;
const KEY_REST: usize = 14;
/// A full bucket grows by this part of itself: unused room is memory.
const GROWTH: usize = 8;

/// The head of every stream, 24 bytes each: sorted entries in small buckets. At ten million streams a bucket holds 150 of them, so that a new
/// one moves some two kilobytes; a hash table would take 550 MB where this takes 260.
#[derive(Debug, Clone, PartialEq)]
pub struct Heads {
    buckets: Box<[Vec<u8>]>,
    len: usize,
}

impl Default for Heads {
    fn default() -> Self {
        Self { buckets: vec![Vec::new(); BUCKETS].into_boxed_slice(), len: 0 }
    }
}

impl Heads {
    /// The head of one stream, `None` if it has no event.
    #[must_use]
    pub fn get(&self, key: StreamKey) -> Option<StreamHead> {
        let bucket = &self.buckets[bucket_of(key)];
        find(bucket, key).ok().map(|place| head_at(&bucket[place * ENTRY_BYTES..]))
    }

    /// Records a stream's newest event.
    ///
    /// # Panics
    /// With the 2³²nd event of one stream, or the 2⁴⁸th of the log: at a million a second the second takes nine years.
    pub fn set(&mut self, key: StreamKey, version: u64, position: Position) {
        let bucket = &mut self.buckets[bucket_of(key)];
        let entry = entry_of(key, version, position);
        match find(bucket, key) {
            Ok(place) => bucket[place * ENTRY_BYTES..][..ENTRY_BYTES].copy_from_slice(&entry),
            Err(place) => {
                if bucket.len() == bucket.capacity() {
                    bucket.reserve_exact((bucket.len() / GROWTH).next_multiple_of(ENTRY_BYTES).max(ENTRY_BYTES));
                }
                let at = place * ENTRY_BYTES;
                bucket.splice(at..at, entry);
                self.len += 1;
            }
        }
    }

    /// Every stream, by its key.
    pub fn iter(&self) -> impl Iterator<Item = (StreamKey, StreamHead)> + '_ {
        self.in_buckets(0..BUCKETS)
    }

    /// The streams of some of the [`Heads::buckets`], by key. Most buckets of a small log are empty and skipped at once.
    pub fn in_buckets(&self, buckets: Range<usize>) -> impl Iterator<Item = (StreamKey, StreamHead)> + '_ {
        let full = buckets.clone().zip(&self.buckets[buckets]).filter(|(_, entries)| !entries.is_empty());
        full.flat_map(|(bucket, entries)| entries.chunks_exact(ENTRY_BYTES).map(move |entry| (key_of(bucket, entry), head_at(entry))))
    }

    /// How many buckets there are, for a reader that pauses between them.
    #[must_use]
    pub fn buckets() -> usize {
        BUCKETS
    }

    /// How many streams there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no stream at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}

fn bucket_of(key: StreamKey) -> usize {
    usize::from(u16::from_be_bytes([key.0[0], key.0[1]]))
}

/// The index of a key among the entries, or where it belongs.
fn find(bucket: &[u8], key: StreamKey) -> Result<usize, usize> {
    let (mut low, mut high) = (0, bucket.len() / ENTRY_BYTES);
    while low < high {
        let middle = usize::midpoint(low, high);
        match bucket[middle * ENTRY_BYTES..][..KEY_REST].cmp(&key.0[2..]) {
            Ordering::Less => low = middle + 1,
            Ordering::Greater => high = middle,
            Ordering::Equal => return Ok(middle),
        }
    }
    Err(low)
}

fn entry_of(key: StreamKey, version: u64, position: Position) -> [u8; ENTRY_BYTES] {
    assert!(position.0 < 1 << 48, "a log holds fewer than 2^48 events");
    let version = u32::try_from(version).expect("a stream holds fewer than 2^32 events");
    let mut entry = [0; ENTRY_BYTES];
    entry[..KEY_REST].copy_from_slice(&key.0[2..]);
    entry[KEY_REST..18].copy_from_slice(&version.to_le_bytes());
    entry[18..].copy_from_slice(&position.0.to_le_bytes()[..6]);
    entry
}

fn head_at(entry: &[u8]) -> StreamHead {
    let mut position = [0; 8];
    position[..6].copy_from_slice(&entry[18..ENTRY_BYTES]);
    let version = entry[KEY_REST..18].try_into().map_or(0, u32::from_le_bytes);
    StreamHead { version: u64::from(version), position: Position(u64::from_le_bytes(position)) }
}

fn key_of(bucket: usize, entry: &[u8]) -> StreamKey {
    let mut key = [0; 16];
    key[..2].copy_from_slice(&u16::try_from(bucket).unwrap_or(u16::MAX).to_be_bytes());
    key[2..].copy_from_slice(&entry[..KEY_REST]);
    StreamKey(key)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn heads_are_a_map(writes in prop::collection::vec((0_u8..40, 1_u64..1 << 32, 1_u64..1 << 48), 0..200)) {
            let (mut heads, mut map) = (Heads::default(), BTreeMap::new());
            for (name, version, position) in writes {
                // Few buckets, so that entries share them.
                let key = StreamKey([0, name % 2, name, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, name]);
                heads.set(key, version, Position(position));
                map.insert(key, StreamHead { version, position: Position(position) });
            }
            prop_assert_eq!(heads.len(), map.len());
            prop_assert!(heads.iter().eq(map.iter().map(|(key, head)| (*key, *head))));
            prop_assert!(map.iter().all(|(key, head)| heads.get(*key) == Some(*head)));
            prop_assert_eq!(heads.get(StreamKey([9; 16])), None);
        }
    }
}
