//! Joins the fragments of a message. The size counts over all of them, and UTF-8 is checked over the whole.

use actix_http::ws::Item;
use bytes::BytesMut;

use super::close::Close;

/// The message being joined, if any.
#[derive(Debug)]
pub struct Fragments {
    joined: BytesMut,
    bytes_max: usize,
}

/// What became of a fragment.
#[derive(Debug, PartialEq, Eq)]
pub enum Joined {
    More,
    Whole(String),
}

impl Fragments {
    /// Nothing joined yet; a whole message may have so many bytes.
    #[must_use]
    pub fn new(bytes_max: usize) -> Self {
        Self { joined: BytesMut::new(), bytes_max }
    }

    /// Adds a fragment. Their order was checked by the codec.
    ///
    /// # Errors
    /// Why the session must end: binary, too large, or not UTF-8.
    pub fn take(&mut self, item: Item) -> Result<Joined, Close> {
        let (fragment, last) = match item {
            Item::FirstBinary(_) => return Err(Close::NotText),
            Item::FirstText(fragment) | Item::Continue(fragment) => (fragment, false),
            Item::Last(fragment) => (fragment, true),
        };
        if self.joined.len() + fragment.len() > self.bytes_max {
            return Err(Close::MessageTooLarge);
        }
        self.joined.extend_from_slice(&fragment);
        if !last {
            return Ok(Joined::More);
        }
        let whole = std::mem::take(&mut self.joined);
        String::from_utf8(whole.into()).map(Joined::Whole).map_err(|_| Close::NotUtf8)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn fragments_join_even_inside_a_character() {
        let mut fragments = Fragments::new(10);
        assert_eq!(fragments.take(Item::FirstText(Bytes::from_static(b"a\xc3"))), Ok(Joined::More));
        assert_eq!(fragments.take(Item::Continue(Bytes::from_static(b"\xa4"))), Ok(Joined::More));
        assert_eq!(fragments.take(Item::Last(Bytes::from_static(b"b"))), Ok(Joined::Whole("aäb".into())));
        assert_eq!(fragments.take(Item::FirstText(Bytes::from_static(b"c"))), Ok(Joined::More));
    }

    #[test]
    fn the_limit_counts_all_fragments_together() {
        let mut fragments = Fragments::new(3);
        assert_eq!(fragments.take(Item::FirstText(Bytes::from_static(b"ab"))), Ok(Joined::More));
        assert_eq!(fragments.take(Item::Last(Bytes::from_static(b"cd"))), Err(Close::MessageTooLarge));
    }

    #[test]
    fn binary_and_broken_text_end_the_session() {
        assert_eq!(Fragments::new(9).take(Item::FirstBinary(Bytes::new())), Err(Close::NotText));
        assert_eq!(Fragments::new(9).take(Item::Last(Bytes::from_static(b"\xff"))), Err(Close::NotUtf8));
    }
}
