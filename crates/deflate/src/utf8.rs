//! Checks UTF-8 as it arrives, in pieces that may cut a character, so that a broken text is refused at its first wrong byte.

use std::str::from_utf8;

/// A partly read text.
#[derive(Debug, Default)]
pub struct Utf8 {
    /// The beginning of a character that is not complete yet.
    cut: [u8; 4],
    cut_bytes: usize,
}

/// This is not UTF-8, whatever follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotUtf8;

impl Utf8 {
    /// Takes the next piece.
    ///
    /// # Errors
    /// As soon as no continuation could make it UTF-8.
    pub fn feed(&mut self, mut bytes: &[u8]) -> Result<(), NotUtf8> {
        while self.cut_bytes > 0
            && let Some((next, rest)) = bytes.split_first()
        {
            self.cut[self.cut_bytes] = *next;
            self.cut_bytes += 1;
            bytes = rest;
            match from_utf8(&self.cut[..self.cut_bytes]) {
                Ok(_) => self.cut_bytes = 0,
                Err(error) if error.error_len().is_none() => {}
                Err(_) => return Err(NotUtf8),
            }
        }
        if let Err(error) = from_utf8(bytes) {
            if error.error_len().is_some() {
                return Err(NotUtf8);
            }
            let cut = &bytes[error.valid_up_to()..];
            self.cut[..cut.len()].copy_from_slice(cut);
            self.cut_bytes = cut.len();
        }
        Ok(())
    }

    /// The text ends here; the next piece begins another.
    ///
    /// # Errors
    /// When it ends inside a character.
    pub fn finish(&mut self) -> Result<(), NotUtf8> {
        if std::mem::take(&mut self.cut_bytes) == 0 { Ok(()) } else { Err(NotUtf8) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// How many bytes it takes until the text is refused, fed byte by byte.
    fn refused_after(bytes: &[u8]) -> Option<usize> {
        let mut utf8 = Utf8::default();
        bytes.iter().position(|byte| utf8.feed(&[*byte]).is_err()).map(|at| at + 1)
    }

    #[test]
    fn a_text_is_refused_at_its_first_impossible_byte() {
        assert_eq!(refused_after("aäߐ😀".as_bytes()), None);
        assert_eq!(refused_after(b"\xf4\x90\x80\x80"), Some(2), "beyond the last code point");
        assert_eq!(refused_after(b"\xed\xa0\x80"), Some(2), "a surrogate");
        assert_eq!(refused_after(b"a\xe0\x80"), Some(3), "longer than needed");
        assert_eq!(refused_after(b"\xff"), Some(1));
    }

    proptest! {
        #[test]
        fn pieces_are_judged_as_the_whole(bytes in prop_oneof![
            any::<Vec<u8>>(), any::<String>().prop_map(String::into_bytes), ".{0,4}[\u{80}-\u{10ffff}]".prop_map(|text| text.into_bytes()[1..].to_vec()),
        ], piece in 1_usize..6) {
            let mut utf8 = Utf8::default();
            let pieces = bytes.chunks(piece).try_for_each(|piece| utf8.feed(piece)).and_then(|()| utf8.finish());
            prop_assert_eq!(pieces.is_ok(), from_utf8(&bytes).is_ok());
        }
    }
}
