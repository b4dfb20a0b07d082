//! The rules for everything that clients send, in one place: text, JSON, queries, headers and encodings. `docs/input.md` has them as a table,
//! and `tests/matrix/input/` asks every route for each.

pub mod encoding;
mod json;
mod mistakes;
mod query;
mod words;

use actix_web::http::header::{AsHeaderName, HeaderMap, HeaderValue};

pub use json::parse;
pub use query::{AnyQuery, Query, parse_query};
pub use words::in_our_words;

/// An optional header; an empty one counts as absent.
pub fn given(headers: &HeaderMap, name: impl AsHeaderName) -> Option<&HeaderValue> {
    headers.get(name).filter(|value| !value.as_bytes().trim_ascii().is_empty())
}

/// Likewise, as text without blanks around it; what is no plain text is empty, which no header's own rule accepts.
pub fn given_text(headers: &HeaderMap, name: impl AsHeaderName) -> Option<&str> {
    given(headers, name).map(|value| value.to_str().unwrap_or_default().trim())
}
