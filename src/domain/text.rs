//! Free text at the edge of a decider: without blanks around it, not empty, not endless, no control characters. And what comes before it is
//! text: how bytes from outside become it. The API and the imports share these rules.

use std::borrow::Cow;

use super::{Refusal, RefusalKind};

/// Accepts one line of text of 1 to `chars_max` characters; blanks alone are not enough.
///
/// # Errors
/// `text_empty`, `text_too_long` or `text_control_character`, pointing at `pointer`.
pub fn check_text(text: &str, chars_max: usize, pointer: impl Into<Cow<'static, str>>) -> Result<(), Refusal> {
    if text.trim().is_empty() {
        return Err(Refusal::new(RefusalKind::Invalid, "text_empty", "this text must not be empty").at(pointer));
    }
    // A text has at most as many characters as bytes, so most need no counting.
    if text.len() > chars_max && text.chars().count() > chars_max {
        let detail = format!("this text may have at most {chars_max} characters");
        return Err(Refusal::new(RefusalKind::Invalid, "text_too_long", detail).at(pointer));
    }
    if text.chars().any(char::is_control) {
        let detail = "this text contains a control character, such as a tab or a line break";
        return Err(Refusal::new(RefusalKind::Invalid, "text_control_character", detail).at(pointer));
    }
    Ok(())
}

/// Like [`check_text`], but an empty text is fine, and blanks alone are empty: it clears the field.
///
/// # Errors
/// Those of [`check_text`].
pub fn check_optional_text(text: &str, chars_max: usize, pointer: impl Into<Cow<'static, str>>) -> Result<(), Refusal> {
    if text.trim().is_empty() { Ok(()) } else { check_text(text, chars_max, pointer) }
}

/// Takes off the blanks around a text: what is recorded has none.
pub fn tidy(text: &mut String) {
    if !is_tidy(text) {
        *text = text.trim().to_owned();
    }
}

/// Whether there are no blanks around it.
#[must_use]
pub fn is_tidy(text: &str) -> bool {
    text.trim().len() == text.len()
}

/// Bytes are not UTF-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is not UTF-8: the byte at {0} begins no character")]
pub struct NotUtf8(pub usize);

/// What some programs write before UTF-8 text to mark it; it is no part of the text.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Bytes from outside without the mark before them.
#[must_use]
pub fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes)
}

/// Bytes from outside as text: UTF-8, with or without a mark before it.
///
/// # Errors
/// The place, counted in bytes from 0 after the mark, of the first that is not UTF-8.
pub fn utf8(bytes: &[u8]) -> Result<&str, NotUtf8> {
    std::str::from_utf8(without_mark(bytes)).map_err(|error| NotUtf8(error.valid_up_to()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> Option<&'static str> {
        check_text(text, 5, "/name").err().map(|refusal| refusal.code)
    }

    #[test]
    fn length_counts_characters_not_bytes() {
        assert_eq!(code("äöüßé"), None);
        assert_eq!(code("äöüßéa"), Some("text_too_long"));
    }

    #[test]
    fn blanks_and_control_characters_are_refused() {
        assert_eq!(code("  "), Some("text_empty"));
        assert_eq!(code("a\nb"), Some("text_control_character"));
        assert_eq!(code("a\u{7f}"), Some("text_control_character"));
    }

    #[test]
    fn an_optional_text_may_be_empty() {
        assert_eq!(check_optional_text("", 5, "/brand"), Ok(()));
        assert_eq!(check_optional_text("       ", 5, "/brand"), Ok(()));
    }

    #[test]
    fn blanks_around_a_text_are_taken_off() {
        for (text, without) in [(" Milk ", "Milk"), ("\u{a0}Rye  bread\u{3000}", "Rye  bread"), (" ", ""), ("", "")] {
            let mut tidied = text.to_owned();
            tidy(&mut tidied);
            assert!(tidied == without && is_tidy(&tidied), "{text:?}");
        }
        assert!(!is_tidy("Milk "));
    }

    #[test]
    fn text_is_utf_8_with_or_without_a_mark() {
        assert_eq!(utf8(b"\xef\xbb\xbfM\xc3\xbcsli"), Ok("Müsli"));
        assert_eq!(utf8("Müsli".as_bytes()), Ok("Müsli"));
        assert_eq!(utf8(b"M\xfcsli"), Err(NotUtf8(1)));
        assert_eq!(utf8(b"\xff\xfe{\0}\0"), Err(NotUtf8(0)));
        assert_eq!(utf8(b"\xef\xbb\xbf\xef\xbb\xbf"), Ok("\u{feff}"), "only one is a mark");
    }
}
