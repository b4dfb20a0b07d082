//! The index at the end of a segment: where each block is, and which of its events each stream has, so that one stream can be read without
//! reading the rest.
//!
//! ```text
//! 0 blocks u32   4 buckets u32   8 CRC-32 of the places
//! 12 places: for each block its first position less the segment's, u32, and where it is in the payload, u32
//!    buckets: for each its offset u32 in the records and its CRC-32
//!    records: for each stream four bytes of its key, the number of its events, and their positions, each as the distance from the one before
//! ```
//! Numbers are little-endian, those of records as varints. Two streams may share the four bytes: readers check the names of what they read.

use super::super::{block::Events, varint};
use crate::events::{Position, codec::read_envelope, heads::StreamKey};

/// About this many streams share a bucket, which is read as a whole.
const STREAMS_PER_BUCKET: usize = 32;
const COUNTS_BYTES: usize = 12;
const PLACE_BYTES: usize = 8;
const BUCKET_BYTES: usize = 8;
const KEY_BYTES: usize = 4;

/// Collects the index, block by block.
#[derive(Debug, Default)]
pub struct IndexBuilder {
    places: Vec<(u32, u32)>,
    /// A key's bytes and the positions of its events less the segment's first.
    events: Vec<([u8; KEY_BYTES + 2], u32)>,
}

impl IndexBuilder {
    /// Adds a block by its offset, and its unpacked events.
    ///
    /// # Errors
    /// When an event cannot be read.
    pub fn add(&mut self, segment_first: Position, first: Position, at: usize, raw: &[u8]) -> Result<(), String> {
        let distance = |position: u64| u32::try_from(position - segment_first.0).map_err(|_| "a segment holds too many events".to_owned());
        self.places.push((distance(first.0)?, u32::try_from(at).map_err(|error| error.to_string())?));
        for (position, event) in (first.0..).zip(Events(raw)) {
            let stream = read_envelope(event).map_err(|error| format!("the event at position {position}: {error}"))?.stream;
            self.events.push((short(StreamKey::of_name(stream.as_bytes())), distance(position)?));
        }
        Ok(())
    }

    /// The index.
    #[must_use]
    pub fn finish(mut self) -> Vec<u8> {
        self.events.sort_unstable();
        let streams = 1 + self.events.windows(2).filter(|pair| pair[0].0 != pair[1].0).count();
        let buckets = (streams / STREAMS_PER_BUCKET).next_power_of_two().min(1 << 16);
        let (directory, records) = self.records(buckets);
        let mut places = Vec::with_capacity(PLACE_BYTES * self.places.len());
        for (first, at) in &self.places {
            places.extend_from_slice(&first.to_le_bytes());
            places.extend_from_slice(&at.to_le_bytes());
        }
        let mut bytes = Vec::with_capacity(COUNTS_BYTES + places.len() + directory.len() + records.len());
        bytes.extend_from_slice(&length(self.places.len()).to_le_bytes());
        bytes.extend_from_slice(&length(buckets).to_le_bytes());
        bytes.extend_from_slice(&crc32fast::hash(&places).to_le_bytes());
        [places, directory, records].iter().for_each(|part| bytes.extend_from_slice(part));
        bytes
    }

    fn records(&self, buckets: usize) -> (Vec<u8>, Vec<u8>) {
        let (mut directory, mut records) = (Vec::with_capacity(BUCKET_BYTES * buckets), Vec::new());
        let mut rest = &self.events[..];
        for bucket in 0..buckets {
            let start = records.len();
            while let Some((key, _)) = rest.first()
                && bucket_of(*key, buckets) == bucket
            {
                let (of_one, others) = rest.split_at(rest.iter().take_while(|(other, _)| other == key).count());
                put_record(&mut records, *key, of_one);
                rest = others;
            }
            directory.extend_from_slice(&length(start).to_le_bytes());
            directory.extend_from_slice(&crc32fast::hash(&records[start..]).to_le_bytes());
        }
        (directory, records)
    }
}

fn put_record(records: &mut Vec<u8>, key: [u8; KEY_BYTES + 2], events: &[([u8; KEY_BYTES + 2], u32)]) {
    records.extend_from_slice(&key[2..]);
    varint::put(records, events.len() as u64);
    let mut before = 0;
    for (_, position) in events {
        varint::put(records, u64::from(position - before));
        before = *position;
    }
}

/// The part of a key by which the index distinguishes streams: two bytes choose the bucket, four are in the record.
fn short(key: StreamKey) -> [u8; KEY_BYTES + 2] {
    key.0.first_chunk().copied().unwrap_or_default()
}

fn bucket_of(key: [u8; KEY_BYTES + 2], buckets: usize) -> usize {
    (usize::from(u16::from_be_bytes([key[0], key[1]])) * buckets) >> 16
}

fn length(length: usize) -> u32 {
    u32::try_from(length).expect("a segment is much smaller than 4 GiB")
}

/// A block by its first position less the segment's, and its offset in the bytes read.
pub type PlacedBlock = (u32, std::ops::Range<usize>);

/// Where the blocks of a segment are: the part of its index that readers keep.
#[derive(Debug)]
pub struct Places {
    blocks: Vec<(u32, u32)>,
    payload_bytes: u32,
    buckets: usize,
}

/// The part of the index that [`Places`] needs: its bytes for a number of blocks.
#[must_use]
pub fn places_bytes(blocks: u64) -> usize {
    COUNTS_BYTES + PLACE_BYTES * usize::try_from(blocks).unwrap_or(usize::MAX / (2 * PLACE_BYTES))
}

impl Places {
    /// Reads the beginning of an index.
    ///
    /// # Errors
    /// When it is damaged.
    pub fn read(index: &[u8], payload_bytes: u64) -> Result<Self, String> {
        let counts: &[u8; COUNTS_BYTES] = index.first_chunk().ok_or("its index is too short")?;
        let number = |at: usize| counts[at..at + 4].try_into().map_or(0, u32::from_le_bytes);
        let places = index.get(COUNTS_BYTES..COUNTS_BYTES + PLACE_BYTES * number(0) as usize).ok_or("its index is too short")?;
        if crc32fast::hash(places) != number(8) {
            return Err("the checksum of its index is wrong".into());
        }
        let half = |pair: &[u8], at: usize| pair[at..at + 4].try_into().map_or(0, u32::from_le_bytes);
        let places = places.chunks_exact(PLACE_BYTES).map(|pair| (half(pair, 0), half(pair, 4))).collect();
        Ok(Self { blocks: places, payload_bytes: u32::try_from(payload_bytes).unwrap_or(u32::MAX), buckets: number(4) as usize })
    }

    /// The bytes in the payload from the block that holds a position, at most this many but at least one block; with the blocks' offsets,
    /// each by its first position less the segment's.
    #[must_use]
    pub fn range(&self, distance: u64, bytes_max: usize) -> Option<(u32, Vec<PlacedBlock>)> {
        let start = self.blocks.partition_point(|(first, _)| u64::from(*first) <= distance).checked_sub(1)?;
        let (_, from) = self.blocks[start];
        let ends = self.blocks[start + 1..].iter().map(|(_, at)| *at).chain([self.payload_bytes]);
        let blocks = self.blocks[start..].iter().zip(ends).map(|((first, at), end)| (*first, (at - from) as usize..(end - from) as usize));
        let fits = |(_, range): &PlacedBlock| range.start == 0 || range.end <= bytes_max;
        Some((from, blocks.take_while(fits).collect()))
    }

    /// The memory it uses.
    #[must_use]
    pub fn bytes(&self) -> usize {
        PLACE_BYTES * self.blocks.len()
    }

    /// Where the directory's entry of a stream's bucket, and the one after it, are in the index; the second is missing for the last bucket.
    #[must_use]
    pub fn directory_entry(&self, key: StreamKey) -> (usize, bool) {
        let bucket = bucket_of(short(key), self.buckets);
        (COUNTS_BYTES + self.bytes() + BUCKET_BYTES * bucket, bucket + 1 == self.buckets)
    }

    /// Where the records begin in the index.
    #[must_use]
    pub fn records_at(&self) -> usize {
        COUNTS_BYTES + self.bytes() + BUCKET_BYTES * self.buckets
    }
}

/// The positions, less the segment's first, that a bucket's records give for a stream.
///
/// # Errors
/// When the bucket is damaged.
pub fn find(bucket: &[u8], crc: u32, key: StreamKey) -> Result<Vec<u64>, String> {
    if crc32fast::hash(bucket) != crc {
        return Err("the checksum of a part of its index is wrong".into());
    }
    let malformed = || "a part of its index cannot be read".to_owned();
    let (mut rest, wanted, mut found) = (bucket, short(key), Vec::new());
    while !rest.is_empty() {
        let (record_key, after) = rest.split_first_chunk::<KEY_BYTES>().ok_or_else(malformed)?;
        rest = after;
        let count = varint::take(&mut rest).ok_or_else(malformed)?;
        let mut position = 0;
        for _ in 0..count {
            position += varint::take(&mut rest).ok_or_else(malformed)?;
            if *record_key == wanted[2..] {
                found.push(position);
            }
        }
    }
    // Within a bucket, streams may differ in the first two bytes alone.
    found.sort_unstable();
    Ok(found)
}
