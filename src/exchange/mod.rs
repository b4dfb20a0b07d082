//! The log as text, and back: NDJSON or `CloudEvents` lines that any tool can read, from which the same log is rebuilt, hash for hash.
//!
//! A line is an event as clients see it, with what they do not need: the command's digest and outcome (`command_digest`,
//! `command_outcome`), at the end of each stored block its chain (`chain`), stored bytes of an older form (`stored`),
//! and on the last line `last`, so that a file cut between two lines is noticed.

mod cloud;
mod export;
pub mod files;
mod import;
mod line;

pub use export::{ExportError, Exported, Range, export};
pub use import::{ImportError, import};
pub use line::{Format, Line, LineError, MANIFEST_FIELD, each_event, event_of_line};

/// Bytes as lower-case hexadecimal text.
#[must_use]
pub fn to_hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The bytes of a hexadecimal text; `None` if it is not one.
#[must_use]
pub fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    if !digits.len().is_multiple_of(2) || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    digits.chunks_exact(2).map(pair).collect()
}

#[cfg(test)]
mod tests;
