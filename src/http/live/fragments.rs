//! Joins the fragments of a message. The size counts over all of them.

use actix_http::ws::Item;
use bytes::{Bytes, BytesMut};

use crate::live::{close::Close, encoding::Encoding};

/// The message being joined, if any.
#[derive(Debug)]
pub struct Fragments {
    joined: BytesMut,
    encoding: Encoding,
    bytes_max: usize,
}

/// The result of a fragment.
#[derive(Debug, PartialEq, Eq)]
pub enum Joined {
    More,
    Whole(Bytes),
}

impl Fragments {
    /// Nothing joined yet; a whole message may have this many bytes.
    #[must_use]
    pub fn new(encoding: Encoding, bytes_max: usize) -> Self {
        Self { joined: BytesMut::new(), encoding, bytes_max }
    }

    /// Adds a fragment. Their order was checked by the codec, and that a text is UTF-8 where the bytes came in.
    ///
    /// # Errors
    /// Why the session must end: the other encoding, or too large.
    pub fn take(&mut self, item: Item) -> Result<Joined, Close> {
        let (fragment, last) = match (item, self.encoding) {
            (Item::FirstBinary(_), Encoding::Json) | (Item::FirstText(_), Encoding::Msgpack) => return Err(Close::WrongEncoding),
            (Item::FirstText(fragment) | Item::FirstBinary(fragment) | Item::Continue(fragment), _) => (fragment, false),
            (Item::Last(fragment), _) => (fragment, true),
        };
        if self.joined.len() + fragment.len() > self.bytes_max {
            return Err(Close::MessageTooLarge);
        }
        self.joined.extend_from_slice(&fragment);
        if last { Ok(Joined::Whole(std::mem::take(&mut self.joined).freeze())) } else { Ok(Joined::More) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(text: &'static [u8]) -> Bytes {
        Bytes::from_static(text)
    }

    #[test]
    fn fragments_join_even_inside_a_character() {
        let mut fragments = Fragments::new(Encoding::Json, 10);
        assert_eq!(fragments.take(Item::FirstText(bytes(b"a\xc3"))), Ok(Joined::More));
        assert_eq!(fragments.take(Item::Continue(bytes(b"\xa4"))), Ok(Joined::More));
        assert_eq!(fragments.take(Item::Last(bytes(b"b"))), Ok(Joined::Whole(bytes("aäb".as_bytes()))));
        assert_eq!(fragments.take(Item::FirstText(bytes(b"c"))), Ok(Joined::More));
    }

    #[test]
    fn the_limit_counts_all_fragments_together() {
        let mut fragments = Fragments::new(Encoding::Json, 3);
        assert_eq!(fragments.take(Item::FirstText(bytes(b"ab"))), Ok(Joined::More));
        assert_eq!(fragments.take(Item::Last(bytes(b"cd"))), Err(Close::MessageTooLarge));
    }

    #[test]
    fn the_other_encoding_ends_the_session() {
        assert_eq!(Fragments::new(Encoding::Json, 9).take(Item::FirstBinary(Bytes::new())), Err(Close::WrongEncoding));
        assert_eq!(Fragments::new(Encoding::Msgpack, 9).take(Item::FirstText(Bytes::new())), Err(Close::WrongEncoding));
    }
}
