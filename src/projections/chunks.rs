//! A vector in pieces: it grows without moving its content, which for many megabytes takes time, twice the memory, and blocks readers.

use std::{fmt, iter, marker::PhantomData};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{SeqAccess, Visitor},
    ser::SerializeSeq,
};

/// Values of a chunk: large enough that finding one costs hardly more than in a vector.
const CHUNK: usize = 1 << 13;

/// Values by number. In a checkpoint it is a plain sequence, like a vector.
#[derive(Debug, Clone)]
pub struct Chunks<T> {
    /// All full but the last. The first grows as any vector does, because most are small; the others never have to.
    chunks: Vec<Vec<T>>,
}

impl<T> Chunks<T> {
    /// Adds a value; its number is the length before.
    pub fn push(&mut self, value: T) {
        match self.chunks.last_mut() {
            Some(chunk) if chunk.len() < CHUNK => chunk.push(value),
            Some(_) => {
                let mut chunk = Vec::with_capacity(CHUNK);
                chunk.push(value);
                self.chunks.push(chunk);
            }
            None => self.chunks.push(vec![value]),
        }
    }

    #[must_use]
    pub fn get(&self, number: usize) -> Option<&T> {
        self.chunks.get(number / CHUNK)?.get(number % CHUNK)
    }

    pub fn get_mut(&mut self, number: usize) -> Option<&mut T> {
        self.chunks.get_mut(number / CHUNK)?.get_mut(number % CHUNK)
    }

    /// The value of a number; missing ones up to it are created.
    pub fn place(&mut self, number: usize) -> &mut T
    where
        T: Default,
    {
        while self.len() <= number {
            self.push(T::default());
        }
        &mut self.chunks[number / CHUNK][number % CHUNK]
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.chunks.last().map_or(0, |last| (self.chunks.len() - 1) * CHUNK + last.len())
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.chunks.is_empty()
    }

    /// All values in order.
    pub fn iter(&self) -> iter::Flatten<std::slice::Iter<'_, Vec<T>>> {
        self.chunks.iter().flatten()
    }
}

impl<T> Default for Chunks<T> {
    fn default() -> Self {
        Self { chunks: Vec::new() }
    }
}

impl<T> Extend<T> for Chunks<T> {
    fn extend<I: IntoIterator<Item = T>>(&mut self, values: I) {
        values.into_iter().for_each(|value| self.push(value));
    }
}

impl<T: Serialize> Serialize for Chunks<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut values = serializer.serialize_seq(Some(self.len()))?;
        self.iter().try_for_each(|value| values.serialize_element(value))?;
        values.end()
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Chunks<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Values<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Values<T> {
            type Value = Chunks<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a sequence")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<Chunks<T>, A::Error> {
                let mut chunks = Chunks::default();
                while let Some(value) = values.next_element()? {
                    chunks.push(value);
                }
                Ok(chunks)
            }
        }
        deserializer.deserialize_seq(Values(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_finds_its_value_whatever_chunk_it_is_in() {
        let mut chunks = Chunks::default();
        *chunks.place(3) = 3;
        chunks.extend(4..3 * CHUNK);
        assert_eq!((chunks.len(), chunks.get(2), chunks.get(3 * CHUNK)), (3 * CHUNK, Some(&0), None));
        assert!((3..3 * CHUNK).all(|number| chunks.get(number) == Some(&number)));
        assert!(chunks.iter().skip(3).copied().eq(3..3 * CHUNK));
        *chunks.get_mut(CHUNK).unwrap() = 7;
        assert_eq!(*chunks.place(CHUNK), 7);
    }

    #[test]
    fn a_checkpoint_holds_the_same_bytes_as_of_a_vector() {
        let vector: Vec<u32> = (0..20_000).collect();
        let mut chunks = Chunks::default();
        chunks.extend(vector.iter().copied());
        let bytes = crate::checkpoint::freeze(&vector);
        assert_eq!(crate::checkpoint::freeze(&chunks), bytes);
        let packed = crate::checkpoint::pack("test", 1, &bytes);
        let read: Chunks<u32> = crate::checkpoint::decode("test", 1, &packed).unwrap();
        assert!(read.iter().eq(&vector));
    }
}
