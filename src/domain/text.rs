//! Free text at the edge of a decider: not empty, not endless, no control characters.

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

/// Like [`check_text`], but an empty text is fine: it clears the field.
///
/// # Errors
/// Those of [`check_text`].
pub fn check_optional_text(text: &str, chars_max: usize, pointer: impl Into<Cow<'static, str>>) -> Result<(), Refusal> {
    if text.is_empty() { Ok(()) } else { check_text(text, chars_max, pointer) }
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
    }
}
