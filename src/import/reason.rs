//! Why a row is refused or one of its values left out: a code to count by, and a sentence of bounded length.

use std::{borrow::Cow, fmt};

use crate::domain::Refusal;

/// The longest sentence of a reason, in characters.
const DETAIL_CHARS_MAX: usize = 400;
/// The longest text of a source that is quoted, in characters.
const QUOTE_CHARS_MAX: usize = 60;

/// Why a row is refused, or a value left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    code: Cow<'static, str>,
    detail: String,
}

/// The answer of what reads a row.
pub type Read<T> = Result<T, Reason>;

impl Reason {
    /// What is too long of the sentence is cut.
    pub fn new(code: impl Into<Cow<'static, str>>, detail: impl Into<String>) -> Self {
        Self { code: code.into(), detail: bounded(detail.into(), DETAIL_CHARS_MAX) }
    }

    /// What a text of the source is wrong about.
    pub fn of(code: &'static str, field: &str, text: &str, why: impl fmt::Display) -> Self {
        Self::new(code, format!("{field} {}: {why}", quoted(text)))
    }

    /// The sentence.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// What refusals are counted by.
    pub fn code(&self) -> &str {
        &self.code
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.detail)
    }
}

impl From<Refusal> for Reason {
    fn from(refusal: Refusal) -> Self {
        Self::new(refusal.code, refusal.detail)
    }
}

/// A text of the source in quotes, cut where it is long.
pub fn quoted(text: &str) -> String {
    format!("{:?}", bounded(text.chars().take(QUOTE_CHARS_MAX + 1).collect(), QUOTE_CHARS_MAX))
}

fn bounded(text: String, chars_max: usize) -> String {
    match text.char_indices().nth(chars_max) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_quoted_with_a_bounded_length() {
        let long = "ä".repeat(1_000_000);
        let reason = Reason::of("price_malformed", "price", &long, "it is not a number");
        assert!(reason.to_string().chars().count() < 150 && reason.to_string().ends_with("it is not a number"), "{reason}");
        assert!(Reason::new("x", long).to_string().chars().count() < 500);
        assert_eq!(quoted("Milch"), "\"Milch\"");
    }
}
